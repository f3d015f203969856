package customrun

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func TestContract04CancellationSaysWhoAskedAndWhereItStands(t *testing.T) {
	t.Parallel()
	const stands = "suspended where it stood: environment shop (dev, http://web.shop.dev.example.com): 1 of 2 services ready; orders: pulling the image"
	tests := map[string]struct {
		run  *v1beta1.CustomRun
		tell func(*v1alpha1.Environment)
		want string
	}{
		"by the pipeline": {
			run:  deployRun(cancelled(v1beta1.CustomRunCancelledByPipelineMsg)),
			tell: progressing,
			want: string(v1beta1.CustomRunCancelledByPipelineMsg) + " " + stands,
		},
		"by a timeout of the pipeline": {
			run:  deployRun(cancelled(v1beta1.CustomRunCancelledByPipelineTimeoutMsg)),
			tell: progressing,
			want: string(v1beta1.CustomRunCancelledByPipelineTimeoutMsg) + " " + stands,
		},
		"by a person, who gives no word": {
			run:  deployRun(cancelled(""), retries(3)),
			tell: progressing,
			want: "the CustomRun was cancelled; " + stands,
		},
		"when the environment is ready and nobody has seen it": {
			run:  deployRun(cancelled("")),
			tell: ready,
			want: "the CustomRun was cancelled",
		},
		"of a teardown, which cannot be halted": {
			run:  teardownRun(cancelled("")),
			tell: progressing,
			want: "the CustomRun was cancelled; the teardown of environment shop goes on, since a deletion cannot be halted",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			spec := tt.run.Spec
			tt.run.Spec.Status, tt.run.Spec.StatusMessage = "", ""
			l := newLab(t, tt.run)
			l.put(shop(func(env *v1alpha1.Environment) { env.Spec.Product = "shop"; env.Finalizers = []string{"x/y"} }))
			l.pass()
			l.engine(tt.tell)
			l.edit(func(run *v1beta1.CustomRun) { run.Spec = spec })
			l.pass()
			if diff := cmp.Diff("False CustomRunCancelled: "+tt.want, outcome(l.run())); diff != "" {
				t.Errorf("outcome (-want +got):\n%s", diff)
			}
			if got, want := l.environment().Spec.Suspend, strings.Contains(tt.want, "suspended"); got != want {
				t.Errorf("suspended %v, want %v", got, want)
			}
		})
	}
}

func TestContract04CancellationBeforeTheStartWritesNoEnvironment(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun(cancelled(v1beta1.CustomRunCancelledByPipelineMsg)))
	l.pass()
	if got, want := outcome(l.run()), "False CustomRunCancelled: "+string(v1beta1.CustomRunCancelledByPipelineMsg); got != want {
		t.Errorf("outcome %q, want %q", got, want)
	}
	if len(l.as) > 0 {
		t.Errorf("a client was made for %v", l.as)
	}
}

func TestContract04CancellationEndsAlsoWhenTheRightToStopIsGone(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.pass()
	l.engine(progressing)
	l.edit(cancelled(""))
	refuse(l, "patch", apierrors.NewForbidden(environments.GroupResource(), "shop", errors.New("no right")))
	l.pass()
	want := `False CustomRunCancelled: the CustomRun was cancelled; the rollout goes on: suspend environment shop: environments.spock.dev "shop" is forbidden: no right`
	if got := outcome(l.run()); got != want {
		t.Errorf("outcome %q, want %q", got, want)
	}
}

// refuse answers requests of the impersonated client with an error.
func refuse(l *lab, verb string, err error) {
	l.user.PrependReactor(verb, "environments", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, err })
}

func TestContract05TimeoutIsOfEachAttempt(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun(timeout(10*time.Minute), retries(1)))
	l.pass()
	l.engine(progressing)
	l.clock.SetTime(start.Add(10*time.Minute - time.Second))
	l.pass()
	if got := l.run(); got.GetRetryCount() != 0 || got.IsDone() {
		t.Errorf("before its time: %s", outcome(got))
	}
	l.clock.SetTime(start.Add(10 * time.Minute))
	l.pass()
	const last = "not done within 10m0s: environment shop (dev, http://web.shop.dev.example.com): 1 of 2 services ready; orders: pulling the image"
	if got, want := outcome(l.run()), "Unknown Running: retry 1 of 1 after: "+last; got != want {
		t.Errorf("after the first attempt %q, want %q", got, want)
	}
	if l.environment().Spec.Suspend {
		t.Error("the environment was suspended although a retry goes on with it")
	}
	// The second attempt has all of its own time.
	l.clock.SetTime(start.Add(15 * time.Minute))
	l.pass()
	l.clock.SetTime(start.Add(25*time.Minute - time.Second))
	l.pass()
	if got := l.run(); got.IsDone() {
		t.Errorf("before the time of the second: %s", outcome(got))
	}
	l.clock.SetTime(start.Add(25 * time.Minute))
	l.pass()
	if got, want := outcome(l.run()), "False CustomRunTimedOut: "+last+"; suspended where it stood"; got != want {
		t.Errorf("at the end %q, want %q", got, want)
	}
	if !l.environment().Spec.Suspend {
		t.Error("the environment is not suspended at the end")
	}
}

func TestContract05ReadyWhileNobodyLookedIsNoTimeout(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun(timeout(time.Minute)))
	l.pass()
	l.engine(ready)
	l.clock.SetTime(start.Add(time.Hour))
	l.restart()
	l.pass()
	if got := outcome(l.run()); !strings.HasPrefix(got, "True Succeeded: ") {
		t.Errorf("outcome %q", got)
	}
}

func TestContract05TimeIsOverBeforeAnythingCouldBeWritten(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun(timeout(time.Minute)))
	refuse(l, "patch", apierrors.NewInternalError(errors.New("a webhook is away")))
	if err := l.tryPass(); err == nil {
		t.Error("the error is not returned")
	}
	l.clock.SetTime(start.Add(time.Minute))
	l.pass()
	want := "False CustomRunTimedOut: not done within 1m0s: trying again after: apply environment team-a/shop: Internal error occurred: a webhook is away"
	if got := outcome(l.run()); got != want {
		t.Errorf("outcome %q, want %q", got, want)
	}
}

func TestContract05NoTimeoutAtAll(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun(timeout(0)))
	l.pass()
	l.engine(progressing)
	l.clock.SetTime(start.Add(1000 * time.Hour))
	l.pass()
	if got := l.run(); got.IsDone() {
		t.Errorf("outcome %q", outcome(got))
	}
}

func TestContract05FailuresAreUnknownUntilRetriesAreExhausted(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun(retries(2)))
	const failed = "environment shop (dev, http://web.shop.dev.example.com): 1/2 services ready; service orders failed: ImageNotPullable: the image is not there; push the image"
	for attempt := 1; attempt <= 3; attempt++ {
		begun := start.Add(time.Duration(attempt) * time.Minute)
		l.clock.SetTime(begun)
		l.pass()
		run := l.run()
		if run.Status.StartTime == nil || !run.Status.StartTime.Time.Equal(begun) {
			t.Errorf("attempt %d: startTime %v, want %v", attempt, run.Status.StartTime, begun)
		}
		if got := l.environment(); got.Generation != int64(attempt) {
			t.Errorf("attempt %d: the environment's generation is %d: %+v", attempt, got.Generation, got.Spec.Run)
		}
		if want := []string{"", "pr-1-deploy-0a1b2c3d-2", "pr-1-deploy-0a1b2c3d-3"}[attempt-1]; l.environment().Spec.Run.Attempt != want {
			t.Errorf("attempt %d asks for %q, want %q", attempt, l.environment().Spec.Run.Attempt, want)
		}
		l.engine(broken)
		l.pass()
		run = l.run()
		want := fmt.Sprintf("Unknown Running: retry %d of 2 after: %s", attempt, failed)
		if attempt == 3 {
			want = "False Failed: " + failed
		}
		if diff := cmp.Diff(want, outcome(run)); diff != "" {
			t.Errorf("attempt %d (-want +got):\n%s", attempt, diff)
		}
		checkHistory(t, run, min(attempt, 2))
	}
}

func checkHistory(t *testing.T, run *v1beta1.CustomRun, attempts int) {
	t.Helper()
	if len(run.Status.RetriesStatus) != attempts {
		t.Fatalf("%d attempts in retriesStatus, want %d", len(run.Status.RetriesStatus), attempts)
	}
	for i, past := range run.Status.RetriesStatus {
		if past.RetriesStatus != nil {
			t.Errorf("attempt %d has a retriesStatus of its own", i+1)
		}
		if past.StartTime == nil || past.CompletionTime == nil || !past.GetCondition("Succeeded").IsFalse() {
			t.Errorf("attempt %d is told as %+v", i+1, past)
		}
	}
	if !run.IsDone() && (run.Status.StartTime != nil || run.Status.CompletionTime != nil) {
		t.Errorf("times %v and %v were not reset", run.Status.StartTime, run.Status.CompletionTime)
	}
}

func TestContract05ARunOfTheSameNameIsANewAttempt(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.put(shop(func(env *v1alpha1.Environment) { env.Spec.Run.Attempt = "pr-1-deploy-ffffffff-1" }))
	l.engine(broken)
	l.pass()
	if got := l.environment(); got.Spec.Run.Attempt != "pr-1-deploy-0a1b2c3d-1" || got.Generation != 2 {
		t.Errorf("attempt %q at generation %d", got.Spec.Run.Attempt, got.Generation)
	}
	if got := outcome(l.run()); got != "Unknown Running: environment shop (dev): waiting for the engine" {
		t.Errorf("outcome %q", got)
	}
}

func TestContract05CancellationBetweenAttempts(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun(retries(1)))
	l.pass()
	l.engine(broken)
	l.pass()
	l.edit(cancelled(""))
	l.writes()
	l.pass()
	if got := outcome(l.run()); got != "False CustomRunCancelled: the CustomRun was cancelled" {
		t.Errorf("outcome %q", got)
	}
	for _, write := range l.writes() {
		if strings.Contains(write, "environments") {
			t.Errorf("the environment was written: %s", write)
		}
	}
}
