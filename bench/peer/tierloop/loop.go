package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"sync"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/dynamic"

	"spock.dev/spock/bench/work"
)

var (
	configMaps  = schema.GroupVersionResource{Version: "v1", Resource: "configmaps"}
	services    = schema.GroupVersionResource{Version: "v1", Resource: "services"}
	deployments = schema.GroupVersionResource{Group: "apps", Version: "v1", Resource: "deployments"}
)

// loop deploys to a namespace.
type loop struct {
	client    dynamic.Interface
	namespace string
	// every is from one round to the next, within how long a group may take.
	every, within time.Duration
	// strict asks for the counts of the generation that was written.
	strict bool
}

// deploy brings group after group up.
func (l *loop) deploy(ctx context.Context, w work.Work) error {
	for _, tier := range tiers(w) {
		if err := each(tier, func(s work.Service) error { return l.write(ctx, s) }); err != nil {
			return err
		}
		if err := l.untilAll(ctx, tier, l.ready); err != nil {
			return fmt.Errorf("wait for tier %d: %w", tier[0].Tier, err)
		}
	}
	return nil
}

// teardown deletes everything at once and waits until the workloads are gone.
func (l *loop) teardown(ctx context.Context, w work.Work) error {
	err := each(w.Services, func(s work.Service) error {
		foreground := metav1.DeletePropagationForeground
		for _, kind := range []schema.GroupVersionResource{deployments, services, configMaps} {
			err := l.client.Resource(kind).Namespace(l.namespace).Delete(ctx, s.Name, metav1.DeleteOptions{PropagationPolicy: &foreground})
			if err != nil && !apierrors.IsNotFound(err) {
				return fmt.Errorf("delete %s/%s: %w", kind.Resource, s.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return err
	}
	return l.untilAll(ctx, w.Services, l.gone)
}

// untilAll asks for one service after the other, in rounds, until it is true for all.
func (l *loop) untilAll(ctx context.Context, tier []work.Service, is func(context.Context, work.Service) (bool, error)) error {
	return wait.PollUntilContextTimeout(ctx, l.every, l.within, false, func(ctx context.Context) (bool, error) {
		for _, s := range tier {
			if ok, err := is(ctx, s); !ok || err != nil {
				return false, err
			}
		}
		return true, nil
	})
}

func (l *loop) ready(ctx context.Context, s work.Service) (bool, error) {
	o, err := l.client.Resource(deployments).Namespace(l.namespace).Get(ctx, s.Name, metav1.GetOptions{})
	if err != nil {
		return false, fmt.Errorf("get deployment %s: %w", s.Name, err)
	}
	d := &appsv1.Deployment{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, d); err != nil {
		return false, fmt.Errorf("read deployment %s: %w", s.Name, err)
	}
	return ready(d, l.strict), nil
}

// ready goes by the counts of the status; strictly, by those of this generation.
func ready(d *appsv1.Deployment, strict bool) bool {
	counted := d.Status.Replicas == d.Status.AvailableReplicas && d.Status.UnavailableReplicas == 0
	if !strict {
		return counted
	}
	return counted && d.Status.ObservedGeneration >= d.Generation && d.Status.UpdatedReplicas == *d.Spec.Replicas
}

func (l *loop) gone(ctx context.Context, s work.Service) (bool, error) {
	_, err := l.client.Resource(deployments).Namespace(l.namespace).Get(ctx, s.Name, metav1.GetOptions{})
	if err != nil && !apierrors.IsNotFound(err) {
		return false, fmt.Errorf("get deployment %s: %w", s.Name, err)
	}
	return err != nil, nil
}

// write creates or patches the objects of a service, each after a look whether it is there.
func (l *loop) write(ctx context.Context, s work.Service) error {
	config, address, deployment := s.Objects(l.namespace)
	return errors.Join(
		l.put(ctx, configMaps, s.Name, config), l.put(ctx, services, s.Name, address), l.put(ctx, deployments, s.Name, deployment))
}

func (l *loop) put(ctx context.Context, kind schema.GroupVersionResource, name string, typed any) error {
	object, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		return fmt.Errorf("write %s/%s: %w", kind.Resource, name, err)
	}
	unstructured.RemoveNestedField(object, "status")
	unstructured.RemoveNestedField(object, "metadata", "creationTimestamp")
	to := l.client.Resource(kind).Namespace(l.namespace)
	_, err = to.Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		_, err = to.Create(ctx, &unstructured.Unstructured{Object: object}, metav1.CreateOptions{})
	case err == nil:
		var body []byte
		if body, err = json.Marshal(object); err == nil {
			_, err = to.Patch(ctx, name, types.MergePatchType, body, metav1.PatchOptions{})
		}
	}
	if err != nil {
		return fmt.Errorf("write %s/%s: %w", kind.Resource, name, err)
	}
	return nil
}

// tiers are the services of each tier; those of a work stand in their order.
func tiers(w work.Work) [][]work.Service {
	var all [][]work.Service
	for i, s := range w.Services {
		if i == 0 || s.Tier != w.Services[i-1].Tier {
			all = append(all, nil)
		}
		all[len(all)-1] = append(all[len(all)-1], s)
	}
	return all
}

// each does something for all services at once and returns the errors in their order.
func each(all []work.Service, do func(work.Service) error) error {
	errs := make([]error, len(all))
	var group sync.WaitGroup
	for i, s := range all {
		group.Go(func() { errs[i] = do(s) })
	}
	group.Wait()
	return errors.Join(errs...)
}
