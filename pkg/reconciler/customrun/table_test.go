package customrun

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	customruninformer "github.com/tektoncd/pipeline/pkg/client/injection/informers/pipeline/v1beta1/customrun"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/reconciler"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func foreign(run *v1beta1.CustomRun) {
	run.Spec.CustomRef = &v1beta1.TaskRef{APIVersion: "wait.example.com/v1", Kind: "Wait"}
}

// done makes a run one that has ended, and has been patched since.
func done(status corev1.ConditionStatus) func(*v1beta1.CustomRun) {
	return func(run *v1beta1.CustomRun) {
		ended := metav1.NewTime(start.Add(-time.Hour))
		run.Generation = 2
		run.Status.ObservedGeneration = 1
		run.Status.CompletionTime = &ended
		run.Status.Conditions = append(run.Status.Conditions, apis.Condition{
			Type: apis.ConditionSucceeded, Status: status, Reason: "Stored", Message: "as stored",
			LastTransitionTime: apis.VolatileTime{Inner: ended},
		})
	}
}

func TestContract01CustomRunsOfOthersAreLeftAlone(t *testing.T) {
	t.Parallel()
	tests := map[string]*v1beta1.CustomRun{
		"a fresh one":                          deployRun(foreign),
		"a fresh one by taskSpec":              deployRun(foreign, asSpec("wait.example.com/v1", "Wait")),
		"a finished one of a newer generation": deployRun(foreign, done(corev1.ConditionTrue)),
		"one of a group that ends like ours":   deployRun(func(run *v1beta1.CustomRun) { run.Spec.CustomRef.APIVersion = "not-spock.dev/v1alpha1" }),
		"one without any reference":            deployRun(func(run *v1beta1.CustomRun) { run.Spec.CustomRef = nil }),
	}
	for name, run := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, run)
			l.pass()
			if got := l.writes(); len(got) > 0 {
				t.Errorf("writes %v, want none", got)
			}
			if diff := cmp.Diff(run, l.run()); diff != "" {
				t.Errorf("the run changed (-before +after):\n%s", diff)
			}
		})
	}
	t.Run("promotion enqueues ours only", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, deployRun(), deployRun(foreign, func(run *v1beta1.CustomRun) { run.Name = "other" }))
		l.catchUp()
		var got []string
		l.must(l.leader().Promote(reconciler.UniversalBucket(), func(_ reconciler.Bucket, key types.NamespacedName) {
			got = append(got, key.String())
		}))
		if diff := cmp.Diff([]string{runKey}, got); diff != "" {
			t.Errorf("enqueued (-want +got):\n%s", diff)
		}
	})
	t.Run("who does not lead writes nothing", func(t *testing.T) {
		t.Parallel()
		l := newLab(t, deployRun(), deployRun(done(corev1.ConditionTrue), func(run *v1beta1.CustomRun) {
			run.Name, run.Finalizers = "done", []string{v1alpha1.FinalizerCustomRun}
		}))
		l.leader().Demote(reconciler.UniversalBucket())
		l.catchUp()
		for _, key := range []string{runKey, namespace + "/done"} {
			if err := l.impl.Reconciler.Reconcile(l.ctx, key); err == nil {
				t.Errorf("%s was reconciled, want it skipped", key)
			}
		}
		if got := l.writes(); len(got) > 0 {
			t.Errorf("writes %v, want none", got)
		}
	})
}

func asSpec(apiVersion, kind string) func(*v1beta1.CustomRun) {
	return func(run *v1beta1.CustomRun) {
		run.Spec.CustomRef = nil
		run.Spec.CustomSpec = &v1beta1.EmbeddedCustomRunSpec{TypeMeta: runtime.TypeMeta{APIVersion: apiVersion, Kind: kind}}
	}
}

func TestContract02CancellingAFinishedRunChangesNothing(t *testing.T) {
	t.Parallel()
	for _, status := range []corev1.ConditionStatus{corev1.ConditionTrue, corev1.ConditionFalse} {
		t.Run(string(status), func(t *testing.T) {
			t.Parallel()
			l := newLab(t, deployRun(done(status), cancelled(v1beta1.CustomRunCancelledByPipelineMsg)))
			before := l.run()
			l.pass()
			l.pass()
			if diff := cmp.Diff(before.Status, l.run().Status); diff != "" {
				t.Errorf("the status changed (-before +after):\n%s", diff)
			}
		})
	}
}

func TestContract02APassOnAnOldCopyDoesNotUndoTheEnd(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.engine(ready)
	l.pass()
	before := l.run()
	// The lister still shows the run on its way, and the environment moves on.
	l.engine(broken)
	l.must(l.stalePass())
	if diff := cmp.Diff(before.Status, l.run().Status); diff != "" {
		t.Errorf("the status changed (-before +after):\n%s", diff)
	}
}

func TestContract03FinalizerComesAndGoes(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun(func(run *v1beta1.CustomRun) { run.Finalizers = []string{"results.tekton.dev/customrun"} }))
	l.pass()
	if diff := cmp.Diff(sorted([]string{v1alpha1.FinalizerCustomRun, "results.tekton.dev/customrun"}), sorted(l.run().Finalizers)); diff != "" {
		t.Errorf("finalizers on the way (-want +got):\n%s", diff)
	}
	l.engine(ready)
	l.pass()
	l.pass()
	if diff := cmp.Diff([]string{"results.tekton.dev/customrun"}, l.run().Finalizers); diff != "" {
		t.Errorf("finalizers at the end (-want +got):\n%s", diff)
	}
}

func sorted(s []string) []string { return slices.Sorted(slices.Values(s)) }

func TestContract03DeletionMidDeploySuspendsTheEnvironment(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.engine(progressing)
	l.edit(deleted)
	// The stop is refused: the finalizer stays.
	l.user.PrependReactor("patch", "environments", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(environments.GroupResource(), "shop", errors.New("no right"))
	})
	if err := l.tryPass(); !apierrors.IsForbidden(err) {
		t.Errorf("error %v, want the refusal", err)
	}
	if !slices.Contains(l.run().Finalizers, v1alpha1.FinalizerCustomRun) {
		t.Errorf("the finalizer is gone: %v", l.run().Finalizers)
	}
	// Then it works.
	l.user.ReactionChain = l.user.ReactionChain[1:]
	l.pass()
	if !l.environment().Spec.Suspend {
		t.Error("the environment is not suspended")
	}
	if runs, err := l.tekton.TektonV1beta1().CustomRuns(namespace).List(l.ctx, metav1.ListOptions{}); err != nil || len(runs.Items) > 0 {
		t.Errorf("the run is still there: %v, %v", runs.Items, err)
	}
	l.pass() // of a run that is gone
}

func deleted(run *v1beta1.CustomRun) {
	now := metav1.NewTime(start)
	run.DeletionTimestamp = &now
}

func TestContract03DeletionStopsNothingThatIsNotItsOwn(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*v1alpha1.Environment){
		"an environment that is ready":               ready,
		"one that somebody else has changed":         func(env *v1alpha1.Environment) { env.Generation++ },
		"a namesake":                                 func(env *v1alpha1.Environment) { env.UID = "shop-uid-2" },
		"one that is being torn down":                func(env *v1alpha1.Environment) { now := metav1.Now(); env.DeletionTimestamp = &now },
		"one that failed":                            broken,
		"one that failed and that nobody took up":    func(env *v1alpha1.Environment) { broken(env); env.Generation++ },
		"one of which the engine knows a generation": func(env *v1alpha1.Environment) { ready(env); env.Generation++ },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, deployRun())
			l.pass()
			l.engine(change)
			l.edit(deleted)
			l.writes()
			l.pass()
			if diff := cmp.Diff([]string{"tekton patch customruns"}, l.writes()); diff != "" {
				t.Errorf("writes (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContract06AnEndIsWrittenOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.clock.SetTime(start.Add(90 * time.Second))
	l.engine(ready)
	l.pass()
	before := l.run()
	if got := before.Status.CompletionTime; got == nil || !got.Time.Equal(start.Add(90*time.Second)) {
		t.Errorf("completionTime %v, want %v", got, start.Add(90*time.Second))
	}
	l.clock.SetTime(start.Add(time.Hour))
	l.engine(broken)
	for range 3 {
		l.edit(func(run *v1beta1.CustomRun) { run.Spec.Params = nil })
		l.pass()
	}
	if diff := cmp.Diff(before.Status, l.run().Status); diff != "" {
		t.Errorf("the status changed (-before +after):\n%s", diff)
	}
}

func TestContract14ALostLeaseFailsTheLivenessProbe(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	probe := func() int {
		w := httptest.NewRecorder()
		l.health.ServeHTTP(w, httptest.NewRequest(http.MethodGet, "/health", nil))
		return w.Code
	}
	l.pass()
	if got := probe(); got != http.StatusOK {
		t.Errorf("the leader's probe says %d", got)
	}
	l.leader().Demote(reconciler.UniversalBucket())
	if got := probe(); got != http.StatusServiceUnavailable {
		t.Errorf("the probe of who lost the lease says %d", got)
	}
}

func TestContract15ARestartGoesOnWithoutASecondWrite(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.engine(progressing)
	l.pass()
	l.writes()
	l.restart()
	l.pass()
	l.engine(ready)
	l.pass()
	for _, write := range l.writes() {
		if strings.Contains(write, "environments") {
			t.Errorf("after the restart: %s", write)
		}
	}
	if got := outcome(l.run()); !strings.HasPrefix(got, "True Succeeded: ") {
		t.Errorf("outcome %q", got)
	}
}

func TestContract15APassOnAnOldCopyDoesNotWriteAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.writes()
	l.must(l.stalePass())
	if got := l.writes(); len(got) > 0 {
		t.Errorf("writes %v, want none", got)
	}
}

func TestContract15ACancellationThatCrossesTheWriteStopsIt(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	var between *v1beta1.CustomRun
	l.user.PrependReactor("patch", "environments", func(clienttesting.Action) (bool, runtime.Object, error) {
		if between == nil {
			l.edit(cancelled(""))
			between = l.run()
		}
		return false, nil, nil
	})
	l.pass()
	l.engine(progressing)
	// The lister has the cancellation, but not what the first pass wrote after it.
	l.must(customruninformer.Get(l.ctx).Informer().GetIndexer().Update(between))
	l.must(l.stalePass())
	l.pass()
	if got := outcome(l.run()); !strings.HasPrefix(got, "False CustomRunCancelled: ") || !l.environment().Spec.Suspend {
		t.Errorf("outcome %q, suspended %v", got, l.environment().Spec.Suspend)
	}
}

func TestContract15WhatAPassFoundOutSurvivesItsError(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.spock.PrependReactor("get", "environments", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewInternalError(errors.New("etcd is away"))
	})
	if err := l.tryPass(); err == nil {
		t.Error("the error of following is not returned")
	}
	if got := recordOf(t, l.run()); got.Generation != 1 || got.EnvironmentUID != "shop-uid-1" || got.Request == nil {
		t.Errorf("the record %+v does not know of the write", got)
	}
	if got, want := outcome(l.run()), "Unknown Running: trying again after: get environment shop: Internal error occurred: etcd is away"; got != want {
		t.Errorf("outcome %q, want %q", got, want)
	}
}
