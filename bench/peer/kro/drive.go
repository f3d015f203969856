package main

import (
	"context"
	"fmt"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic"

	"spock.dev/spock/bench/peer"
)

// prepare applies the graph and waits until kro has taken it.
func prepare(ctx context.Context, job peer.Job) error {
	c, err := connect(job)
	if err != nil {
		return err
	}
	graph, err := definition(job)
	if err != nil {
		return err
	}
	if err := c.exists(ctx, definitions); err != nil {
		return err
	}
	if err := apply(ctx, c.Resource(definitions), graph); err != nil {
		return err
	}
	return c.until(ctx, c.Resource(definitions), graph.GetName(), func(o *unstructured.Unstructured) bool { return is(o, "Ready") })
}

// instances are where those of the work are.
func (c cluster) instances(job peer.Job) dynamic.ResourceInterface {
	plural := strings.ToLower(kind(job)) + "s"
	return c.Resource(schema.GroupVersionResource{Group: "kro.run", Version: "v1alpha1", Resource: plural}).Namespace(job.Namespace)
}

func deploy(ctx context.Context, job peer.Job) error {
	c, err := connect(job)
	if err != nil {
		return err
	}
	if err := apply(ctx, c.instances(job), instance(job)); err != nil {
		return err
	}
	return c.until(ctx, c.instances(job), job.Work.Name, func(o *unstructured.Unstructured) bool { return is(o, "Ready") })
}

// teardown deletes the instance, which kro holds until all is gone, and then the graph.
func teardown(ctx context.Context, job peer.Job) error {
	c, err := connect(job)
	if err != nil {
		return err
	}
	if err := remove(ctx, c, c.instances(job), job.Work.Name); err != nil {
		return err
	}
	return remove(ctx, c, c.Resource(definitions), strings.ToLower(kind(job)))
}

func apply(ctx context.Context, in dynamic.ResourceInterface, o *unstructured.Unstructured) error {
	if _, err := in.Apply(ctx, o.GetName(), o, metav1.ApplyOptions{FieldManager: "bench"}); err != nil {
		return fmt.Errorf("apply %s %s: %w", o.GetKind(), o.GetName(), err)
	}
	return nil
}

func remove(ctx context.Context, c cluster, in dynamic.ResourceInterface, name string) error {
	if err := in.Delete(ctx, name, metav1.DeleteOptions{}); err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("delete %s: %w", name, err)
	}
	return c.until(ctx, in, name, func(o *unstructured.Unstructured) bool { return o == nil })
}
