package deploy

import (
	"context"
	"errors"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned"
)

// ErrGone is returned when the Environment is deleted while it is followed.
var ErrGone = errors.New("the environment was deleted")

// Observer is called with each new state of a followed Environment, in order, from one
// goroutine. It must not change or keep the object.
type Observer func(*v1alpha1.Environment)

// Follow watches an Environment until it has settled at the generation or a later one and
// returns it. The observer sees only states that speak of the generation; nil is allowed.
// When ctx ends first, the last state seen (nil if none) comes with an error that wraps
// ctx's; the rollout goes on. Lost connections are mended without a word.
func Follow(ctx context.Context, client versioned.Interface, namespace, name string, generation int64, observe Observer) (*v1alpha1.Environment, error) {
	source := watched(client, namespace, name)
	// The watch below retries everything for ever; a missing right should be said at once.
	if _, err := source.ListWithContextFunc(ctx, metav1.ListOptions{Limit: 1}); err != nil {
		return nil, fmt.Errorf("follow environment %s/%s: %w", namespace, name, err)
	}
	f := &follower{generation: generation, observe: observe}
	lw := cache.ToListWatcherWithWatchListSemantics(source, client)
	_, err := watchtools.UntilWithSync(ctx, lw, &v1alpha1.Environment{}, f.present, f.next)
	switch {
	case err == nil:
		return f.last, nil
	case ctx.Err() != nil:
		return f.last, fmt.Errorf("stop following environment %s/%s: %s; the rollout goes on: %w", namespace, name, f.standing(), ctx.Err())
	}
	return f.last, fmt.Errorf("follow environment %s/%s: %w", namespace, name, err)
}

// Settled says whether the status speaks of the generation, or a later one, and names an
// end: ready, failed, suspended or going away. A status half written, whose condition
// does not agree with its phase, is no end.
func Settled(environment *v1alpha1.Environment, generation int64) bool {
	status := &environment.Status
	if status.ObservedGeneration < generation {
		return false
	}
	ready := status.GetCondition(apis.ConditionReady)
	switch status.Phase {
	case v1alpha1.PhaseReady:
		return ready == nil || ready.IsTrue()
	case v1alpha1.PhaseFailed, v1alpha1.PhaseSuspended, v1alpha1.PhaseTerminating:
		return ready == nil || ready.IsFalse()
	}
	return false
}

type follower struct {
	generation int64
	observe    Observer
	last       *v1alpha1.Environment
}

// present fails when the object is already gone: no event would ever come.
func (f *follower) present(store cache.Store) (bool, error) {
	if len(store.List()) == 0 {
		return false, ErrGone
	}
	return false, nil
}

func (f *follower) next(event watch.Event) (bool, error) {
	environment, ok := event.Object.(*v1alpha1.Environment)
	if !ok {
		return false, nil
	}
	if event.Type == watch.Deleted {
		return false, ErrGone
	}
	f.last = environment
	if environment.Status.ObservedGeneration < f.generation {
		return false, nil
	}
	if f.observe != nil {
		f.observe(environment)
	}
	return Settled(environment, f.generation), nil
}

func (f *follower) standing() string {
	if f.last == nil || f.last.Status.ObservedGeneration < f.generation {
		return fmt.Sprintf("generation %d has not been taken up yet (is Spock's controller running?)", f.generation)
	}
	if f.last.Status.Phase == v1alpha1.PhasePending {
		return "it is Pending: " + f.last.Status.Message
	}
	return fmt.Sprintf("it is %s, %s services ready", f.last.Status.Phase, f.last.Status.Progress)
}

func watched(client versioned.Interface, namespace, name string) *cache.ListWatch {
	environments := client.SpockV1alpha1().Environments(namespace)
	only := fields.OneTermEqualSelector(metav1.ObjectNameField, name).String()
	return &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			options.FieldSelector = only
			return environments.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			options.FieldSelector = only
			return environments.Watch(ctx, options)
		},
	}
}
