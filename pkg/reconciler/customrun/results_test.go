package customrun

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func TestContract07TheRequestIsFrozenAtTheStart(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun(retries(1)))
	l.pass()
	l.engine(broken)
	l.edit(func(run *v1beta1.CustomRun) {
		run.Spec.CustomRef = &v1beta1.TaskRef{APIVersion: "wait.example.com/v1", Kind: "Wait"}
		run.Spec.ServiceAccountName = "cluster-admin"
		for i := range run.Spec.Params {
			run.Spec.Params[i].Value = *v1beta1.NewStructuredValues("other")
		}
	})
	l.pass() // the attempt failed
	l.pass() // the retry
	l.engine(ready)
	l.pass()
	if got := outcome(l.run()); !strings.HasPrefix(got, "True Succeeded: environment shop (dev, ") {
		t.Errorf("outcome %q", got)
	}
	if diff := cmp.Diff([]string{"team-a/deployer", "team-a/deployer"}, l.as); diff != "" {
		t.Errorf("clients (-want +got):\n%s", diff)
	}
	want := v1alpha1.EnvironmentSpec{
		Product: "shop", Class: "dev", ServiceAccountName: "deployer",
		Run: &v1alpha1.RunLayer{Attempt: "pr-1-deploy-0a1b2c3d-2", Services: shop().Spec.Run.Services},
	}
	if diff := cmp.Diff(want, l.environment().Spec); diff != "" {
		t.Errorf("the environment (-want +got):\n%s", diff)
	}
	l.pass()
	if got := l.run().Finalizers; len(got) > 0 {
		t.Errorf("a run that is not ours any more keeps our finalizer: %v", got)
	}
}

// many is a list of services as a big product has them.
func many(n int) []string {
	var all []string
	for i := range n {
		all = append(all, fmt.Sprintf("service-%03d=registry.example.com/product/service-%03d@sha256:%064d", i, i, i))
	}
	return all
}

func TestContract07TheRecordIsBounded(t *testing.T) {
	t.Parallel()
	services := many(500)
	l := newLab(t, deployRun(retries(maxRetries), with("services", v1beta1.NewStructuredValues(services[0], services[1:]...))))
	l.pass()
	if got := len(l.run().Status.ExtraFields.Raw); got > maxRequest+1024 {
		t.Errorf("on the way the record of 500 services takes %d bytes", got)
	}
	long := strings.Repeat("a very long story; ", 1000)
	for range maxRetries {
		l.engine(func(env *v1alpha1.Environment) { env.MarkFailed(v1alpha1.ReasonFailed, long) })
		l.pass()
		l.pass()
	}
	l.engine(func(env *v1alpha1.Environment) {
		env.Status.Services = nil
		for i, s := range services {
			name, image, _ := strings.Cut(s, "=")
			env.Status.Services = append(env.Status.Services, v1alpha1.ServiceStatus{Name: name, Image: image, State: v1alpha1.ServiceReady, Message: fmt.Sprint(i)})
		}
		env.MarkFailed(v1alpha1.ReasonFailed, long)
	})
	l.pass()
	run := l.run()
	if got := run.GetRetryCount(); got != maxRetries || !run.IsDone() {
		t.Fatalf("%d retries, outcome %s", got, outcome(run))
	}
	if got := len(run.Status.ExtraFields.Raw); got > 8<<10 {
		t.Errorf("at the end the record takes %d bytes", got)
	}
	if got := result(t, run, "services"); got != strings.Join(services, ",") {
		t.Errorf("the services result has %d bytes: %.100s", len(got), got)
	}
	raw, err := json.Marshal(run)
	l.must(err)
	if len(raw) > 768<<10 {
		t.Errorf("the run takes %d KiB after %d failed attempts", len(raw)>>10, maxRetries)
	}
}

func TestContract07ARequestBeyondTheBoundIsRefused(t *testing.T) {
	t.Parallel()
	services := many(2000)
	l := newLab(t, deployRun(with("services", v1beta1.NewStructuredValues(services[0], services[1:]...))))
	l.pass()
	want := "False InvalidCustomRun: params: they take 287 KiB, more than 256; set what does not change with each deploy in the Product or the Environment"
	if got := outcome(l.run()); got != want {
		t.Errorf("outcome %q, want %q", got, want)
	}
}

func TestContract08EveryResultIsAlwaysThere(t *testing.T) {
	t.Parallel()
	deployed := map[string]string{
		"environment": "shop", "namespace": "team-a-shop", "url": "http://web.shop.dev.example.com", "run": "shop-1",
		"phase": "Ready", "services": "orders=r/orders@sha256:01,web=r/web@sha256:02",
	}
	but := func(changes map[string]string) map[string]string {
		all := map[string]string{}
		for _, from := range []map[string]string{deployed, changes} {
			for name, value := range from {
				all[name] = value
			}
		}
		return all
	}
	nothing := map[string]string{"environment": "shop", "namespace": "", "url": "", "run": "", "phase": "", "services": ""}
	tests := map[string]struct {
		run  *v1beta1.CustomRun
		end  func(*lab)
		want map[string]string
	}{
		"on the way": {
			run: deployRun(), end: func(l *lab) { l.engine(progressing) },
			want: but(map[string]string{"phase": "Progressing", "services": ""}),
		},
		"on success": {run: deployRun(), end: func(l *lab) { l.engine(ready) }, want: deployed},
		"on failure": {run: deployRun(), end: func(l *lab) { l.engine(broken) }, want: but(map[string]string{"phase": "Failed"})},
		"on cancellation": {
			run: deployRun(), end: func(l *lab) { l.engine(progressing); l.edit(cancelled(`["x"]`)) },
			want: but(map[string]string{"phase": "Suspended"}),
		},
		"on timeout": {
			run: deployRun(), end: func(l *lab) { l.engine(progressing); l.clock.SetTime(start.Add(time.Hour)) },
			want: but(map[string]string{"phase": "Suspended"}),
		},
		"after the environment is gone": {
			run: deployRun(),
			end: func(l *lab) {
				l.engine(progressing)
				l.pass()
				l.must(l.spock.Tracker().Delete(environments, namespace, "shop"))
			},
			want: but(map[string]string{"phase": "Progressing", "services": ""}),
		},
		"of what is invalid": {
			run: deployRun(with("typo", v1beta1.NewStructuredValues("x"))), end: func(*lab) {}, want: nothing,
		},
		"of an environment whose name reads like an array": {
			run: deployRun(with("environment", v1beta1.NewStructuredValues(`["shop"]`))), end: func(*lab) {},
			want: map[string]string{"environment": "", "namespace": "", "url": "", "run": "", "phase": "", "services": ""},
		},
		"of what was cancelled before its start": {run: deployRun(cancelled(`["x"]`)), end: func(*lab) {}, want: nothing},
		"of a teardown":                          {run: teardownRun(), end: func(*lab) {}, want: map[string]string{"environment": "shop", "phase": "Gone"}},
		"of a teardown that is invalid": {
			run: teardownRun(retries(101)), end: func(*lab) {}, want: map[string]string{"environment": "shop", "phase": ""},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, tt.run)
			l.pass()
			tt.end(l)
			l.pass()
			got := map[string]string{}
			for _, r := range l.run().Status.Results {
				got[r.Name] = r.Value
				var array []string
				if json.Unmarshal([]byte(r.Value), &array) == nil {
					t.Errorf("result %s reads as an array: %s", r.Name, r.Value)
				}
			}
			message := l.run().Status.GetCondition("Succeeded").Message
			if got["message"] == "" || !strings.HasSuffix(got["message"], message) {
				t.Errorf("result message %q, want the condition's %q", got["message"], message)
			}
			delete(got, "message")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("results (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContract08TooManyServicesForAResultAreSaid(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.engine(func(env *v1alpha1.Environment) {
		ready(env)
		for _, s := range many(800) {
			name, image, _ := strings.Cut(s, "=")
			env.Status.Services = append(env.Status.Services, v1alpha1.ServiceStatus{Name: name, Image: image})
		}
	})
	l.pass()
	want := "True Succeeded: environment shop (dev, http://web.shop.dev.example.com): 2 services ready; " +
		"the result services would take 97 KiB and is empty: read them from EnvironmentRun shop-1"
	if got := outcome(l.run()); got != want || result(t, l.run(), "services") != "" {
		t.Errorf("outcome %q, want %q", got, want)
	}
}

func TestContract11TheMessageCarriesWhatListsShow(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		tell func(*v1alpha1.Environment)
		want string
	}{
		"before the engine": {
			tell: func(env *v1alpha1.Environment) { env.Status.ObservedGeneration = 0 },
			want: "Unknown Running: environment shop (dev): waiting for the engine",
		},
		"on the way": {
			tell: progressing,
			want: "Unknown Running: environment shop (dev, http://web.shop.dev.example.com): 1 of 2 services ready; orders: pulling the image",
		},
		"ready": {
			tell: ready,
			want: "True Succeeded: environment shop (dev, http://web.shop.dev.example.com): 2 services ready",
		},
		"failed": {
			tell: broken,
			want: "False Failed: environment shop (dev, http://web.shop.dev.example.com): 1/2 services ready; " +
				"service orders failed: ImageNotPullable: the image is not there; push the image",
		},
		"without an exposed service": {
			tell: func(env *v1alpha1.Environment) { ready(env); env.Status.URL = "" },
			want: "True Succeeded: environment shop (dev): 2 services ready",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, deployRun())
			l.pass()
			l.engine(tt.tell)
			l.pass()
			if diff := cmp.Diff(tt.want, outcome(l.run())); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContract11LongMessagesAreCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.engine(func(env *v1alpha1.Environment) {
		env.MarkFailed(v1alpha1.ReasonFailed, strings.Repeat("é", 1000)+"\xff")
	})
	l.pass()
	got := l.run().Status.GetCondition("Succeeded").Message
	if len(got) > maxMessage || !strings.HasSuffix(got, "éé…") {
		t.Errorf("%d bytes: %q", len(got), got)
	}
}

func TestContract11TheEndIsAnEvent(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.engine(broken)
	l.pass()
	l.pass()
	close(l.events.Events)
	var got []string
	for event := range l.events.Events {
		if !strings.Contains(event, "FinalizerUpdate") {
			got = append(got, event)
		}
	}
	want := []string{"Warning Failed environment shop (dev, http://web.shop.dev.example.com): 1/2 services ready; " +
		"service orders failed: ImageNotPullable: the image is not there; push the image"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}
