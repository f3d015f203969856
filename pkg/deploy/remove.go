package deploy

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned"
)

// Remove deletes an Environment and returns it as it stood; nil when there is none, which
// is no error. A namesake that is made meanwhile is not touched.
func Remove(ctx context.Context, client versioned.Interface, namespace, name string) (*v1alpha1.Environment, error) {
	environments := client.SpockV1alpha1().Environments(namespace)
	stored, err := environments.Get(ctx, name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("get environment %s/%s: %w", namespace, name, err)
	}
	err = environments.Delete(ctx, name, metav1.DeleteOptions{Preconditions: &metav1.Preconditions{UID: &stored.UID}})
	if err != nil && !apierrors.IsNotFound(err) {
		return nil, fmt.Errorf("delete environment %s/%s: %w", namespace, name, err)
	}
	return stored, nil
}

// FollowGone watches until nothing is left of a removed Environment. The observer sees
// each state on the way, the first one perhaps twice. When ctx ends first the error wraps ctx's.
func FollowGone(ctx context.Context, client versioned.Interface, removed *v1alpha1.Environment, observe Observer) error {
	last := ""
	gone := func(e *v1alpha1.Environment) bool {
		if e.UID != removed.UID {
			return true
		}
		last = e.Status.Message
		observe(e)
		return false
	}
	source := watched(client, removed.Namespace, removed.Name)
	if _, err := source.ListWithContextFunc(ctx, metav1.ListOptions{Limit: 1}); err != nil {
		return fmt.Errorf("follow environment %s/%s: %w", removed.Namespace, removed.Name, err)
	}
	present := func(store cache.Store) (bool, error) {
		for _, object := range store.List() {
			if e, ok := object.(*v1alpha1.Environment); ok && !gone(e) {
				return false, nil
			}
		}
		return true, nil
	}
	next := func(event watch.Event) (bool, error) {
		e, ok := event.Object.(*v1alpha1.Environment)
		return ok && (event.Type == watch.Deleted || gone(e)), nil
	}
	_, err := watchtools.UntilWithSync(ctx, cache.ToListWatcherWithWatchListSemantics(source, client), &v1alpha1.Environment{}, present, next)
	if err != nil && ctx.Err() != nil {
		return fmt.Errorf("stop following the teardown of environment %s/%s: %s; the teardown goes on: %w", removed.Namespace, removed.Name, last, ctx.Err())
	}
	if err != nil {
		return fmt.Errorf("follow environment %s/%s: %w", removed.Namespace, removed.Name, err)
	}
	return nil
}
