package kube

import (
	"context"
	"fmt"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// ConfigMaps watches those that are marked to hold manifests, and no others: what else
// stands in ConfigMaps is neither read nor kept.
func ConfigMaps(ctx context.Context, config *rest.Config) (cache.SharedIndexInformer, error) {
	own, err := newClient(unthrottled(config))
	if err != nil {
		return nil, err
	}
	marked := func(o *metav1.ListOptions) { o.LabelSelector = v1alpha1.LabelManifests + "=true" }
	factory := informers.NewSharedInformerFactoryWithOptions(own.kube, 0, informers.WithTweakListOptions(marked), informers.WithTransform(trim))
	informer := factory.Core().V1().ConfigMaps().Informer()
	go informer.Run(ctx.Done())
	if !cache.WaitForCacheSync(ctx.Done(), informer.HasSynced) {
		return nil, fmt.Errorf("list the ConfigMaps with manifests: %w", context.Cause(ctx))
	}
	return informer, nil
}
