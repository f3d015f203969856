package cli

import (
	"testing"

	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func ready(e *v1alpha1.Environment) {
	e.MarkReady("3 services ready")
	e.Status.Progress, e.Status.URL = "3/3", "http://web.shop.dev.example.com"
	e.Status.Services = []v1alpha1.ServiceStatus{
		service("data", "postgres", v1alpha1.ServiceReady, took(0, 4.1)),
		service("backend", "orders", v1alpha1.ServiceReady, took(4.1, 9.6)),
		service("frontend", "web", v1alpha1.ServiceReady, took(9.6, 66), func(s *v1alpha1.ServiceStatus) { s.URL = e.Status.URL }),
	}
}

func progressing(e *v1alpha1.Environment) {
	e.MarkProgressing("1 of 3 services ready; orders: 0 of 1 replicas are ready")
	e.Status.Progress = "1/3"
	e.Status.Services = []v1alpha1.ServiceStatus{
		service("data", "postgres", v1alpha1.ServiceReady, took(0, 4.1)),
		service("backend", "orders", v1alpha1.ServiceProgressing, since(270, "0 of 1 replicas are ready")),
		service("frontend", "web", v1alpha1.ServiceWaiting, waits("orders")),
	}
}

func crash(s *v1alpha1.ServiceStatus) {
	s.StartedAt = second(4.1)
	s.Cause = &v1alpha1.Cause{
		Class: v1alpha1.CauseCrashLoop, Message: "container orders exits with 2 on every start",
		Object: "Pod/orders-6c9", Hint: "see its whole log: spock env logs shop orders", ExitCode: ptr.To[int32](2),
		Log: "reading config\npanic: DATABASE_URL is not set\n",
	}
	s.Message = s.Cause.Message
}

func pullFailure(s *v1alpha1.ServiceStatus) {
	s.Cause = &v1alpha1.Cause{Class: v1alpha1.CauseImage, Message: "image redis:8 was not found", Object: "Pod/redis-0"}
	s.Message = s.Cause.Message
}

func failed(e *v1alpha1.Environment) {
	e.MarkFailed(v1alpha1.ReasonFailed, "service redis failed: ImageNotPullable: image redis:8 was not found; 2 services failed in all; 1 service blocked by it")
	e.Status.Progress = "1/4"
	e.Status.Services = []v1alpha1.ServiceStatus{
		service("data", "postgres", v1alpha1.ServiceReady, took(0, 4.1)),
		service("data", "redis", v1alpha1.ServiceFailed, pullFailure),
		service("backend", "orders", v1alpha1.ServiceFailed, crash),
		service("frontend", "web", v1alpha1.ServiceBlocked, blocked("orders")),
	}
}

func rolledBack(e *v1alpha1.Environment) {
	ready(e)
	var s v1alpha1.ServiceStatus
	crash(&s)
	e.Status.Rollback = &v1alpha1.Rollback{From: "shop-2", To: "shop-1", Service: "orders", Cause: s.Cause}
	e.MarkFailed(v1alpha1.ReasonRolledBack, "rolled back to run shop-1, since service orders failed in run shop-2: CrashLoop: container orders exits with 2 on every start")
}

func invalid(e *v1alpha1.Environment) {
	e.MarkFailed(v1alpha1.ReasonInvalid, "product.spec.groups[1].services[0] (orders): image: no layer gives the service an image; set it in the product or environment, or pass it with the deploy\n"+
		"class.spec.parameters: no template has a parameter \"logLevl\"; did you mean \"logLevel\"?")
}

func suspended(e *v1alpha1.Environment) {
	progressing(e)
	e.Spec.Suspend = true
	e.MarkSuspended("suspended: nothing is written until spec.suspend is cleared, by the next deploy or by hand")
}

func unseen(e *v1alpha1.Environment) { e.Status = v1alpha1.EnvironmentStatus{} }

func outdated(e *v1alpha1.Environment) {
	ready(e)
	e.Generation = 3
}

func leaving(e *v1alpha1.Environment) {
	terminating("2 services left to stop")(e)
	e.Generation = 3
}

func states() map[string]func(*v1alpha1.Environment) {
	return map[string]func(*v1alpha1.Environment){
		"ready": ready, "progressing": progressing, "failed": failed, "invalid": invalid, "rolledback": rolledBack,
		"suspended": suspended, "unseen": unseen, "outdated": outdated, "terminating": leaving,
	}
}

func TestShowAndWhyOfEachState(t *testing.T) {
	t.Parallel()
	for name, state := range states() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, environment("shop", state))
			w.run("env", "show", "shop").golden(t, "show-"+name)
			w.run("env", "why", "shop").golden(t, "why-"+name)
		})
	}
}

func TestWhyOfAService(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		state   func(*v1alpha1.Environment)
		service string
	}{
		"failed":      {failed, "orders"},
		"blocked":     {failed, "web"},
		"ready":       {failed, "postgres"},
		"waiting":     {progressing, "web"},
		"progressing": {progressing, "orders"},
		"misspelt":    {failed, "order"},
		"invalid":     {invalid, "orders"},
		"rolledback":  {rolledBack, "orders"},
		"bystander":   {rolledBack, "web"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newWorld(t, environment("shop", tt.state)).run("env", "why", "shop", tt.service).golden(t, "why-service-"+name)
		})
	}
}

func TestList(t *testing.T) {
	t.Parallel()
	elsewhere := environment("bank", progressing)
	elsewhere.Namespace = "team-b"
	all := []runtime.Object{environment("shop", ready), environment("shop-2", failed), environment("shop-3", invalid), environment("shop-4", unseen), elsewhere}
	tests := map[string][]string{
		"ls":            {"env", "ls"},
		"ls-wide":       {"env", "ls", "-o", "wide"},
		"ls-all":        {"env", "ls", "-A", "--no-headers"},
		"ls-name":       {"env", "ls", "-o", "name"},
		"ls-json":       {"env", "ls", "-o", "json", "-n", "team-b"},
		"ls-empty":      {"env", "ls", "-n", "team-c"},
		"ls-empty-yaml": {"env", "ls", "-n", "team-c", "-o", "yaml"},
		"show-yaml":     {"env", "show", "shop", "-o", "yaml"},
		"show-wide":     {"env", "show", "shop", "-o", "wide"},
		"show-missing":  {"env", "show", "shopp"},
	}
	for name, args := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			newWorld(t, all...).run(args...).golden(t, name)
		})
	}
}

func TestAnEmptyClusterSaysWhatToTry(t *testing.T) {
	t.Parallel()
	newWorld(t).run("env", "ls", "-A").golden(t, "ls-nothing")
}

func TestColoursAreForTerminalsAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t, environment("shop", failed))
	w.color = true
	w.run("env", "show", "shop").golden(t, "show-colour")
	w.run("env", "why", "shop").golden(t, "why-colour")
	w.run("env", "show", "shop", "--no-color").golden(t, "show-no-colour")
}
