// Package follow watches objects until who asks has seen enough.
package follow

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	watchtools "k8s.io/client-go/tools/watch"
)

// Lister is a typed client of a kind in a namespace.
type Lister[L runtime.Object] interface {
	List(ctx context.Context, options metav1.ListOptions) (L, error)
	Watch(ctx context.Context, options metav1.ListOptions) (watch.Interface, error)
}

// Objects calls see with every object there is and with each of its changes, until see
// says it is done or ctx ends. empty says whether it is done when there is none at the
// start. Lost connections are mended without a word; a missing right is an error at once.
func Objects[T, L runtime.Object](ctx context.Context, client any, objects Lister[L], only metav1.ListOptions, example T,
	empty bool, see func(object T, gone bool) bool,
) error {
	narrow := func(options *metav1.ListOptions) {
		options.FieldSelector, options.LabelSelector = only.FieldSelector, only.LabelSelector
	}
	source := &cache.ListWatch{
		ListWithContextFunc: func(ctx context.Context, options metav1.ListOptions) (runtime.Object, error) {
			narrow(&options)
			return objects.List(ctx, options)
		},
		WatchFuncWithContext: func(ctx context.Context, options metav1.ListOptions) (watch.Interface, error) {
			narrow(&options)
			return objects.Watch(ctx, options)
		},
	}
	if _, err := source.ListWithContextFunc(ctx, metav1.ListOptions{Limit: 1}); err != nil {
		return err
	}
	present := func(store cache.Store) (bool, error) { return empty && len(store.List()) == 0, nil }
	_, err := watchtools.UntilWithSync(ctx, cache.ToListWatcherWithWatchListSemantics(source, client), example, present,
		func(event watch.Event) (bool, error) {
			object, ok := event.Object.(T)
			return ok && see(object, event.Type == watch.Deleted), nil
		})
	if ctx.Err() != nil {
		return ctx.Err()
	}
	return err
}
