package customrun

import (
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func with(name string, value *v1beta1.ParamValue) func(*v1beta1.CustomRun) {
	return func(run *v1beta1.CustomRun) {
		run.Spec.Params = append(v1beta1.Params{}, run.Spec.Params...)
		for i := range run.Spec.Params {
			if run.Spec.Params[i].Name == name {
				run.Spec.Params[i].Value = *value
				return
			}
		}
		run.Spec.Params = append(run.Spec.Params, v1beta1.Param{Name: name, Value: *value})
	}
}

func ref(change func(*v1beta1.TaskRef)) func(*v1beta1.CustomRun) {
	return func(run *v1beta1.CustomRun) { change(run.Spec.CustomRef) }
}

func TestContract09WhatCannotWorkIsSaidOnceAndNotRetried(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		run  *v1beta1.CustomRun
		want string
	}{
		"a workspace": {
			run: deployRun(func(run *v1beta1.CustomRun) { run.Spec.Workspaces = []v1beta1.WorkspaceBinding{{Name: "source"}} }),
			want: "CustomRunWorkspaceNotSupported: workspace source: a custom task of Spock runs in no pod and cannot use a workspace; " +
				"remove it from the pipeline task",
		},
		"an unknown param": {
			run:  deployRun(with("enviroment", v1beta1.NewStructuredValues("x"))),
			want: `InvalidCustomRun: param "enviroment": Deploy has no such param; did you mean "environment"?`,
		},
		"a param of the other kind": {
			run:  teardownRun(with("product", v1beta1.NewStructuredValues("shop"))),
			want: `InvalidCustomRun: param "product": Teardown has no such param; the only known one is environment`,
		},
		"a list where a string belongs": {
			run:  deployRun(with("product", v1beta1.NewStructuredValues("a", "b"))),
			want: "InvalidCustomRun: param product: it is an array; write a string",
		},
		"an object": {
			run:  deployRun(with("services", v1beta1.NewObject(map[string]string{"a": "b"}))),
			want: "InvalidCustomRun: param services: it is an object; write a string or an array",
		},
		"a malformed service": {
			run:  deployRun(with("services", v1beta1.NewStructuredValues("orders", "web=r/web:1"))),
			want: "InvalidCustomRun: services[0] \"orders\": there is no `=`; write name=image, for example orders=registry.example.com/orders@sha256:...",
		},
		"a malformed parameter": {
			run:  deployRun(with("parameters", v1beta1.NewStructuredValues("replicas"))),
			want: `InvalidCustomRun: parameters[0] "replicas": not name=value; write for example replicas=2`,
		},
		"nothing given": {
			run: deployRun(func(run *v1beta1.CustomRun) { run.Spec.Params = run.Spec.Params[:1] }),
			want: "InvalidCustomRun: product: it is empty; name a Product of the namespace; " +
				"class: it is empty; name an EnvironmentClass",
		},
		"nothing to tear down": {
			run:  teardownRun(func(run *v1beta1.CustomRun) { run.Spec.Params = nil }),
			want: "InvalidCustomRun: environment: it is empty; name the environment to tear down",
		},
		"a resolver": {
			run:  deployRun(ref(func(r *v1beta1.TaskRef) { r.Resolver = "git" })),
			want: `InvalidCustomRun: taskRef.resolver "git": Deploy is built in and needs no resolver; remove it`,
		},
		"a named reference": {
			run:  deployRun(ref(func(r *v1beta1.TaskRef) { r.Name = "my-deploy" })),
			want: `InvalidCustomRun: taskRef.name "my-deploy": Deploy is configured by params and has no named objects; remove the name`,
		},
		"an embedded spec": {
			run:  deployRun(asSpec("spock.dev/v1alpha1", KindDeploy)),
			want: "InvalidCustomRun: taskSpec: Deploy is configured by params; use taskRef with apiVersion spock.dev/v1alpha1 and kind Deploy",
		},
		"a misspelt kind, which no other controller would take": {
			run:  deployRun(ref(func(r *v1beta1.TaskRef) { r.Kind = "Deplyo" })),
			want: `InvalidCustomRun: taskRef.kind "Deplyo": there is no such custom task; did you mean "Deploy"?`,
		},
		"another version of the group": {
			run:  deployRun(ref(func(r *v1beta1.TaskRef) { r.APIVersion = "spock.dev/v1" })),
			want: `InvalidCustomRun: taskRef.apiVersion "spock.dev/v1": Spock has no custom task of it; write spock.dev/v1alpha1`,
		},
		"more retries than a CustomRun can tell of": {
			run:  deployRun(retries(101)),
			want: "InvalidCustomRun: retries: 101 is more than 100; the attempts are kept in the CustomRun",
		},
		"a record that somebody else wrote": {
			run: deployRun(func(run *v1beta1.CustomRun) { run.Status.ExtraFields.Raw = []byte(`["x"]`) }),
			want: "InvalidCustomRun: status.extraFields: somebody else wrote it, and without it nothing is known of the run; start it again: " +
				"decode the record of CustomRun team-a/pr-1-deploy: json: cannot unmarshal array into Go value of type customrun.record",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.run.Spec.Retries == 0 {
				tt.run.Spec.Retries = 3
			}
			l := newLab(t, tt.run)
			l.pass()
			if diff := cmp.Diff("False "+tt.want, outcome(l.run())); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if got := l.run(); got.GetRetryCount() != 0 || got.Status.CompletionTime == nil {
				t.Errorf("retries %d, completionTime %v", got.GetRetryCount(), got.Status.CompletionTime)
			}
			if len(l.as) > 0 {
				t.Errorf("a client was made for %v", l.as)
			}
		})
	}
}

func TestContract09EmptyEntriesAndStringsAreLists(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun(
		with("services", v1beta1.NewStructuredValues("orders=r/orders@sha256:01,web=r/web@sha256:02\n")),
		with("parameters", v1beta1.NewStructuredValues("", "hosts=a, b", "replicas=2")),
	))
	l.pass()
	env := l.environment()
	want := []v1alpha1.ServiceOverride{{Name: "orders", Image: "r/orders@sha256:01"}, {Name: "web", Image: "r/web@sha256:02"}}
	if diff := cmp.Diff(want, env.Spec.Run.Services); diff != "" {
		t.Errorf("services (-want +got):\n%s", diff)
	}
	got := map[string]string{}
	for name, value := range env.Spec.Parameters {
		got[name] = string(value.Raw)
	}
	if diff := cmp.Diff(map[string]string{"hosts": `"a, b"`, "replicas": "2"}, got); diff != "" {
		t.Errorf("parameters (-want +got):\n%s", diff)
	}
}

func TestContract10TheRunsServiceAccountWrites(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		run  *v1beta1.CustomRun
		as   string
		want string
	}{
		"the one it names":    {run: deployRun(), as: "team-a/deployer", want: "user patch environments"},
		"default, if it does": {run: deployRun(func(run *v1beta1.CustomRun) { run.Spec.ServiceAccountName = "" }), as: "team-a/default", want: "user patch environments"},
		"for a teardown too":  {run: teardownRun(), as: "team-a/deployer", want: "user delete environments"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, tt.run)
			l.put(shop(func(env *v1alpha1.Environment) { env.Spec.Run = nil }))
			l.pass()
			if diff := cmp.Diff([]string{tt.as}, l.as); diff != "" {
				t.Errorf("clients (-want +got):\n%s", diff)
			}
			got := l.writes()
			if !strings.Contains(strings.Join(got, "\n"), tt.want) || strings.Contains(strings.Join(got, "\n"), "controller ") {
				t.Errorf("writes %q, want %q and none of the controller's own", got, tt.want)
			}
			if tt.want == "user patch environments" {
				if got, want := l.environment().Spec.ServiceAccountName, strings.TrimPrefix(tt.as, "team-a/"); got != want {
					t.Errorf("the environment's objects are written as %q, want %q", got, want)
				}
			}
		})
	}
}

func TestContract10RefusalsAreFinal(t *testing.T) {
	t.Parallel()
	forbidden := apierrors.NewForbidden(environments.GroupResource(), "shop", errors.New(`User "system:serviceaccount:team-a:deployer" cannot patch`))
	tests := map[string]struct {
		run      *v1beta1.CustomRun
		existing *v1alpha1.Environment
		verb     string
		err      error
		want     string
	}{
		"a write that the account may not make": {
			run: deployRun(retries(2)), verb: "patch", err: forbidden,
			want: `apply environment team-a/shop: environments.spock.dev "shop" is forbidden: User "system:serviceaccount:team-a:deployer" cannot patch; ` +
				"let service account deployer get, create and patch environments, for example by the ClusterRole edit",
		},
		"a look that the account may not take": {
			run: deployRun(retries(2)), verb: "get", err: forbidden,
			want: `read environment team-a/shop: environments.spock.dev "shop" is forbidden: User "system:serviceaccount:team-a:deployer" cannot patch; ` +
				"let service account deployer get, create and patch environments, for example by the ClusterRole edit",
		},
		"a deletion that the account may not make": {
			run: teardownRun(retries(2)), existing: shop(), verb: "delete", err: forbidden,
			want: `delete environment shop: environments.spock.dev "shop" is forbidden: User "system:serviceaccount:team-a:deployer" cannot patch; ` +
				"let service account deployer delete environments, for example by the ClusterRole edit",
		},
		"an environment of another class": {
			run: deployRun(retries(2)), existing: shop(func(env *v1alpha1.Environment) { env.Spec.Class = "staging" }),
			want: "environment team-a/shop: its class is staging, not dev, and a class cannot change; choose another name, or delete it first: refused",
		},
		"a request that the cluster finds malformed": {
			run: deployRun(retries(2)), verb: "patch", err: apierrors.NewBadRequest("not understood"),
			want: "apply environment team-a/shop: not understood",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, tt.run)
			if tt.existing != nil {
				l.put(tt.existing)
			}
			if tt.err != nil {
				refuse(l, tt.verb, tt.err)
			}
			l.pass()
			if diff := cmp.Diff("False Refused: "+tt.want, outcome(l.run())); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
		})
	}
}

func TestTransientErrorsAreTriedAgain(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		run  *v1beta1.CustomRun
		verb string
		err  error
		want string
	}{
		"a server in trouble": {
			run: deployRun(), verb: "patch", err: apierrors.NewInternalError(errors.New("etcd is away")),
			want: "trying again after: apply environment team-a/shop: Internal error occurred: etcd is away",
		},
		"a conflict, which is nobody's news": {
			run: deployRun(), verb: "patch", err: conflict(environments, "shop"),
		},
		"too many requests of a teardown": {
			run: teardownRun(), verb: "delete", err: apierrors.NewTooManyRequests("slow down", 1),
			want: "trying again after: delete environment shop: slow down",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, tt.run)
			l.put(shop(func(env *v1alpha1.Environment) { env.Spec.Run = nil }))
			refuse(l, tt.verb, tt.err)
			if err := l.tryPass(); !errors.Is(err, tt.err) {
				t.Errorf("error %v, want %v", err, tt.err)
			}
			want := "Unknown Started: "
			if tt.want != "" {
				want = "Unknown Running: " + tt.want
			}
			if got := outcome(l.run()); got != want {
				t.Errorf("outcome %q, want %q", got, want)
			}
			if got := recordOf(t, l.run()); got.Request == nil || got.Generation != 0 {
				t.Errorf("record %+v", got)
			}
			l.user.ReactionChain = l.user.ReactionChain[1:]
			l.pass()
			if got := recordOf(t, l.run()); got.Generation == 0 && !l.run().IsDone() {
				t.Errorf("nothing was written after all: %+v", got)
			}
		})
	}
	t.Run("a history that cannot be read", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, deployRun())
		l.spock.PrependReactor("list", "environmentruns", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, fmt.Errorf("away")
		})
		l.pass()
		l.engine(ready)
		env := l.environment().DeepCopy()
		env.Generation++
		l.put(env)
		if err := l.tryPass(); err == nil || l.run().IsDone() {
			t.Errorf("error %v, outcome %s", err, outcome(l.run()))
		}
	})
}
