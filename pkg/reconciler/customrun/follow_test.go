package customrun

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	environmentinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environment"
)

func TestADeployOfWhatRunsSucceedsAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.put(shop())
	l.engine(ready)
	l.pass()
	if got := outcome(l.run()); !strings.HasPrefix(got, "True Succeeded: ") {
		t.Errorf("outcome %q", got)
	}
	if got := l.environment().Generation; got != 1 {
		t.Errorf("the environment's generation moved to %d", got)
	}
}

func TestADeployFollowsItsOwnGeneration(t *testing.T) {
	t.Parallel()
	const who = "environment shop (dev, http://web.shop.dev.example.com): "
	older := &v1alpha1.EnvironmentRun{
		ObjectMeta: metav1.ObjectMeta{Name: "shop-1", Namespace: namespace, Labels: map[string]string{v1alpha1.LabelEnvironment: "shop"}},
		Spec:       v1alpha1.EnvironmentRunSpec{Environment: "shop", EnvironmentUID: "shop-uid-1", Generation: 1},
		Status: v1alpha1.EnvironmentRunStatus{
			Phase: v1alpha1.PhaseReady, Message: "2 services ready",
			Services: []v1alpha1.ServiceStatus{{Name: "orders", Image: "r/orders@sha256:01"}},
		},
	}
	undone := older.DeepCopy()
	undone.Spec.Rollback = &v1alpha1.Rollback{From: "shop-0", To: "shop-0"}
	overtake := func(env *v1alpha1.Environment) {
		env.Generation, env.Status.ObservedGeneration = 2, 2
		env.Status.Run = "shop-2"
		progressing(env)
	}
	tests := map[string]struct {
		tell    func(*v1alpha1.Environment)
		history *v1alpha1.EnvironmentRun
		want    string
		results map[string]string
	}{
		"somebody else changed the environment before it was ready": {
			tell:    overtake,
			want:    "False Superseded: " + who + "somebody else changed it before it was ready (generation 2, this run wrote 1)",
			results: map[string]string{"run": "", "phase": "", "services": ""},
		},
		"somebody else changed it after it was ready": {
			tell: overtake, history: older,
			want:    "True Succeeded: " + who + "run shop-1 was ready: 2 services ready; the environment has been changed since",
			results: map[string]string{"run": "shop-1", "phase": "Ready", "services": "orders=r/orders@sha256:01"},
		},
		"somebody else changed it after it was rolled back": {
			tell: overtake, history: undone,
			want:    "False Superseded: " + who + "somebody else changed it before it was ready (generation 2, this run wrote 1)",
			results: map[string]string{"run": "", "phase": ""},
		},
		"it failed and was rolled back": {
			tell: func(env *v1alpha1.Environment) {
				env.Status.Progress = "2/2"
				env.Status.Rollback = &v1alpha1.Rollback{From: "shop-1", To: "shop-0", Service: "orders", Cause: &v1alpha1.Cause{Class: v1alpha1.CauseImage, Message: "the image is not there", Hint: "push the image"}}
				env.MarkFailed(v1alpha1.ReasonRolledBack, "rolled back to run shop-0, since service orders failed in run shop-1: ImageNotPullable: the image is not there")
			},
			want:    "False Failed: " + who + "2/2 services ready; rolled back to run shop-0, since service orders failed in run shop-1: ImageNotPullable: the image is not there; push the image",
			results: map[string]string{"phase": "Failed"},
		},
		"the engine has not seen the newer one": {
			tell:    func(env *v1alpha1.Environment) { ready(env); env.Generation = 2 },
			want:    "False Superseded: " + who + "somebody else changed it before it was ready (generation 2, this run wrote 1)",
			results: map[string]string{"phase": ""},
		},
		"it is being torn down": {
			tell: func(env *v1alpha1.Environment) {
				now := metav1.NewTime(start)
				env.DeletionTimestamp, env.Generation = &now, 2
				env.MarkTerminating("1 service left")
			},
			want:    "False Superseded: " + who + "it was deleted while it was deployed",
			results: map[string]string{"phase": ""},
		},
		"a namesake took its place": {
			tell:    func(env *v1alpha1.Environment) { env.UID = "shop-uid-2"; ready(env) },
			want:    "False Superseded: environment shop was deleted while it was deployed",
			results: map[string]string{"phase": ""},
		},
		"the status is of an older generation": {
			tell:    func(env *v1alpha1.Environment) { ready(env); env.Status.ObservedGeneration = 0 },
			want:    "Unknown Running: environment shop (dev): waiting for the engine",
			results: map[string]string{"phase": ""},
		},
		"the environment is invalid": {
			tell: func(env *v1alpha1.Environment) {
				env.Status = v1alpha1.EnvironmentStatus{Status: env.Status.Status}
				env.MarkFailed(v1alpha1.ReasonInvalid, `spec.product: there is no Product "shop" in namespace team-a; create it`)
			},
			want:    `False Failed: environment shop (dev): spec.product: there is no Product "shop" in namespace team-a; create it`,
			results: map[string]string{"phase": "Failed"},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, deployRun())
			l.pass()
			l.engine(tt.tell)
			if tt.history != nil {
				l.must(l.spock.Tracker().Add(tt.history))
			}
			l.pass()
			if diff := cmp.Diff(tt.want, outcome(l.run())); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			for name, want := range tt.results {
				if got := result(t, l.run(), name); got != want {
					t.Errorf("result %s = %q, want %q", name, got, want)
				}
			}
		})
	}
}

func TestAnEnvironmentDeletedWhileItIsDeployedEndsTheRun(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.must(l.spock.Tracker().Delete(environments, namespace, "shop"))
	l.pass()
	if got, want := outcome(l.run()), "False Superseded: environment shop was deleted while it was deployed"; got != want {
		t.Errorf("outcome %q, want %q", got, want)
	}
}

func TestAListerThatLagsBehindSaysNothingOfDeletion(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.engine(progressing)
	l.catchUp()
	// The lister still has the environment that the name had before.
	l.must(environmentinformer.Get(l.ctx).Informer().GetIndexer().Update(shop(func(env *v1alpha1.Environment) { env.UID = "shop-uid-0" })))
	l.must(l.stalePass())
	want := "Unknown Running: environment shop (dev, http://web.shop.dev.example.com): 1 of 2 services ready; orders: pulling the image"
	if got := outcome(l.run()); got != want {
		t.Errorf("outcome %q, want %q", got, want)
	}
}

func TestATeardownEndsWhenTheEnvironmentIsGone(t *testing.T) {
	t.Parallel()
	l := newLab(t, teardownRun())
	l.put(shop(func(env *v1alpha1.Environment) { env.Finalizers = []string{v1alpha1.FinalizerEnvironment} }))
	l.engine(ready)
	l.pass()
	if got, want := outcome(l.run()), "Unknown Running: environment shop (dev): waiting for the engine to tear it down"; got != want {
		t.Errorf("at the start %q, want %q", got, want)
	}
	l.engine(func(env *v1alpha1.Environment) { env.MarkTerminating("1 service left") })
	l.pass()
	if got, want := outcome(l.run()), "Unknown Running: environment shop (dev): 1 service left"; got != want {
		t.Errorf("on the way %q, want %q", got, want)
	}
	l.must(l.spock.Tracker().Delete(environments, namespace, "shop"))
	l.pass()
	if got, want := outcome(l.run()), "True Succeeded: environment shop is gone"; got != want {
		t.Errorf("at the end %q, want %q", got, want)
	}
	if got := result(t, l.run(), "phase"); got != "Gone" {
		t.Errorf("phase %q", got)
	}
}

func TestATeardownOfNothingSucceeds(t *testing.T) {
	t.Parallel()
	l := newLab(t, teardownRun())
	l.pass()
	if got, want := outcome(l.run()), "True Succeeded: there is no environment shop"; got != want {
		t.Errorf("outcome %q, want %q", got, want)
	}
}

func TestTheRecordIsNotWrittenAgainInAnotherOrderOfFields(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.engine(progressing)
	l.pass()
	run := l.run().DeepCopy() // and now as an API server stores it
	var fields map[string]any
	l.must(json.Unmarshal(run.Status.ExtraFields.Raw, &fields))
	sorted, err := json.Marshal(fields)
	l.must(err)
	if string(sorted) == string(run.Status.ExtraFields.Raw) {
		t.Fatal("the order is the same: nothing is shown")
	}
	run.Status.ExtraFields.Raw = sorted
	l.must(l.tekton.Tracker().Update(v1beta1.SchemeGroupVersion.WithResource("customruns"), run, namespace))
	l.writes()
	l.pass()
	if got := l.writes(); len(got) > 0 {
		t.Errorf("a repeated pass does %v", got)
	}
}
