package product

import (
	"context"
	"slices"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/tools/cache"
	"knative.dev/pkg/configmap"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/injection"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	productinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/product"
	templateinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/servicetemplate"
	productreconciler "spock.dev/spock/pkg/client/injection/reconciler/spock/v1alpha1/product"
	"spock.dev/spock/pkg/reconciler/lease"
)

var _ productreconciler.Interface = (*Reconciler)(nil)

// NewController wires the reconciler of Products to the cluster.
func NewController(health *lease.Health) injection.ControllerConstructor {
	return func(ctx context.Context, _ configmap.Watcher) *controller.Impl { return newController(ctx, health) }
}

func newController(ctx context.Context, health *lease.Health) *controller.Impl {
	r := &Reconciler{products: productinformer.Get(ctx).Lister(), templates: templateinformer.Get(ctx).Lister()}
	impl := productreconciler.NewImpl(ctx, r)
	impl.Reconciler = &lease.Watched{Health: health, Reconciler: impl.Reconciler.(lease.Reconciler)}
	on(productinformer.Get(ctx).Informer(), impl.Enqueue)
	on(templateinformer.Get(ctx).Informer(), r.users(impl))
	return impl
}

func on(informer cache.SharedIndexInformer, do func(any)) {
	if _, err := informer.AddEventHandler(controller.HandleAll(do)); err != nil {
		panic(err) // only an informer that has stopped can fail here
	}
}

// users enqueues the products that name a template, and those that may mean it: a product
// whose template is missing is told of the nearest name there is.
func (r *Reconciler) users(impl *controller.Impl) func(any) {
	return func(obj any) {
		if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
			obj = last.Obj
		}
		template, err := meta.Accessor(obj)
		if err != nil {
			return
		}
		all, err := r.products.Products(template.GetNamespace()).List(labels.Everything())
		if err != nil {
			return // a lister never fails
		}
		for _, product := range all {
			if names(product, template.GetName()) || r.lacks(product) {
				impl.Enqueue(product)
			}
		}
	}
}

func names(product *v1alpha1.Product, template string) bool {
	return slices.ContainsFunc(product.Spec.Groups, func(g v1alpha1.Group) bool {
		return slices.ContainsFunc(g.Services, func(s v1alpha1.ProductService) bool { return s.Template == template })
	})
}

// lacks says whether a template of the product is not there.
func (r *Reconciler) lacks(product *v1alpha1.Product) bool {
	return slices.ContainsFunc(product.Spec.Groups, func(g v1alpha1.Group) bool {
		return slices.ContainsFunc(g.Services, func(s v1alpha1.ProductService) bool {
			_, err := r.templates.ServiceTemplates(product.Namespace).Get(s.Template)
			return err != nil
		})
	})
}
