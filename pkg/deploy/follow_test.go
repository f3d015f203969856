package deploy

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned/fake"
)

func at(observed int64, mark func(*v1alpha1.Environment)) *v1alpha1.Environment {
	return stored(func(e *v1alpha1.Environment) {
		e.Status.ObservedGeneration = observed
		if mark != nil {
			mark(e)
		}
	})
}

func ready(e *v1alpha1.Environment)       { e.MarkReady("all services are ready") }
func failed(e *v1alpha1.Environment)      { e.MarkFailed(v1alpha1.ReasonFailed, "orders failed") }
func halfReady(e *v1alpha1.Environment)   { e.MarkProgressing(""); e.Status.Phase = v1alpha1.PhaseReady }
func progressing(e *v1alpha1.Environment) { e.MarkProgressing("2 of 3 services are ready") }

func TestSettled(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		environment *v1alpha1.Environment
		want        bool
	}{
		"a fresh object is not":                            {environment: at(0, nil)},
		"ready at an older generation is not":              {environment: at(2, ready)},
		"ready at the generation is":                       {environment: at(3, ready), want: true},
		"ready at a later generation is":                   {environment: at(4, ready), want: true},
		"failed at the generation is":                      {environment: at(3, failed), want: true},
		"progressing is not":                               {environment: at(3, progressing)},
		"a phase that its condition contradicts is not":    {environment: at(3, halfReady)},
		"an environment that is being torn down has ended": {environment: at(3, func(e *v1alpha1.Environment) { e.MarkTerminating("") }), want: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := Settled(tt.environment, 3); got != tt.want {
				t.Errorf("Settled = %v, want %v for %+v", got, tt.want, tt.environment.Status)
			}
		})
	}
}

// world is a client whose watch delivers what the test sends.
func world(existing ...runtime.Object) (*fake.Clientset, *watch.FakeWatcher) {
	client := fake.NewSimpleClientset(existing...)
	events := watch.NewFakeWithChanSize(10, false)
	client.PrependWatchReactor("environments", func(clienttesting.Action) (bool, watch.Interface, error) {
		return true, events, nil
	})
	return client, events
}

func limit(t *testing.T) context.Context {
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func TestFollowSeesOnlyItsGenerationAndEndsWithIt(t *testing.T) {
	t.Parallel()
	client, events := world(at(2, ready))
	for _, state := range []*v1alpha1.Environment{at(2, failed), at(3, progressing), at(3, halfReady), at(3, ready)} {
		events.Modify(state)
	}
	var seen []v1alpha1.Phase
	got, err := Follow(limit(t), client, "team-a", "shop", 3, func(e *v1alpha1.Environment) {
		seen = append(seen, e.Status.Phase)
	})
	if err != nil {
		t.Fatal(err)
	}
	want := []v1alpha1.Phase{v1alpha1.PhaseProgressing, v1alpha1.PhaseReady, v1alpha1.PhaseReady}
	if diff := cmp.Diff(want, seen); diff != "" {
		t.Errorf("states seen (-want +got):\n%s", diff)
	}
	if got.Status.Message != "all services are ready" {
		t.Errorf("the end is %+v, want the ready one", got.Status)
	}
}

func TestFollowEndsWhenTheEnvironmentGoes(t *testing.T) {
	t.Parallel()
	client, events := world(at(3, progressing))
	events.Delete(at(3, progressing))
	if _, err := Follow(limit(t), client, "team-a", "shop", 3, nil); !errors.Is(err, ErrGone) {
		t.Errorf("error %v, want ErrGone", err)
	}
	empty, _ := world()
	if _, err := Follow(limit(t), empty, "team-a", "shop", 3, nil); !errors.Is(err, ErrGone) {
		t.Errorf("error %v, want ErrGone", err)
	}
}

func TestFollowSaysWhereItStandsWhenTheTimeIsUp(t *testing.T) {
	t.Parallel()
	client, _ := world(at(2, ready))
	ctx, cancel := context.WithCancelCause(t.Context())
	client.PrependWatchReactor("environments", func(clienttesting.Action) (bool, watch.Interface, error) {
		cancel(nil)
		return false, nil, nil
	})
	_, err := Follow(ctx, client, "team-a", "shop", 3, nil)
	if !errors.Is(err, context.Canceled) {
		t.Errorf("error %v does not wrap the context's", err)
	}
	want := "stop following environment team-a/shop: generation 3 has not been taken up yet (is Spock's controller running?); " +
		"the rollout goes on: context canceled"
	if diff := cmp.Diff(want, text(err)); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}

func TestFollowSaysAtOnceThatItMayNotWatch(t *testing.T) {
	t.Parallel()
	client, _ := world()
	client.PrependReactor("list", "environments", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewForbidden(v1alpha1.Resource("environments"), "shop", errors.New("no right"))
	})
	_, err := Follow(limit(t), client, "team-a", "shop", 3, nil)
	if !apierrors.IsForbidden(err) {
		t.Errorf("error %v, want the refusal", err)
	}
}
