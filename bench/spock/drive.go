package spock

import (
	"context"
	"errors"
	"fmt"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/watch"

	"spock.dev/spock/bench/work"
	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/deploy"
)

var environments = schema.GroupVersionResource{Group: "spock.dev", Version: "v1alpha1", Resource: "environments"}

// Namespace is where the workloads of an environment are.
func Namespace(environment string) string { return Team + "-" + environment }

// Describe applies the product of a work; that is no part of a deploy.
func (s *Spock) Describe(ctx context.Context, w work.Work) error { return s.Apply(ctx, product(w)) }

// Deploy applies the environment of a work and waits until it is ready.
func (s *Spock) Deploy(ctx context.Context, w work.Work, name string) error {
	if err := s.Apply(ctx, environment(w, name)); err != nil {
		return err
	}
	e, err := s.Until(ctx, name, func(e *v1alpha1.Environment) bool { return deploy.Settled(e, e.Generation) })
	if err == nil && e.Status.Phase != v1alpha1.PhaseReady {
		return fmt.Errorf("environment %s is %s: %s", name, e.Status.Phase, e.Status.Message)
	}
	return err
}

// Begin applies the environment of a work and waits for nothing.
func (s *Spock) Begin(ctx context.Context, w work.Work, name string) error {
	return s.Apply(ctx, environment(w, name))
}

// Teardown deletes an environment and waits until it is gone.
func (s *Spock) Teardown(ctx context.Context, name string) error {
	err := s.client.Resource(environments).Namespace(Team).Delete(ctx, name, metav1.DeleteOptions{})
	if err != nil {
		return fmt.Errorf("delete environment %s: %w", name, err)
	}
	_, err = s.Until(ctx, name, func(*v1alpha1.Environment) bool { return false })
	if errors.Is(err, errGone) {
		return nil
	}
	return err
}

var errGone = errors.New("the environment is gone")

// Until watches an environment until it is as wanted, and returns it; errGone when it is
// not there any more.
func (s *Spock) Until(ctx context.Context, name string, wanted func(*v1alpha1.Environment) bool) (*v1alpha1.Environment, error) {
	ctx, cancel := context.WithTimeout(ctx, 20*time.Minute)
	defer cancel()
	to := s.client.Resource(environments).Namespace(Team)
	for last := ""; ; {
		o, err := to.Get(ctx, name, metav1.GetOptions{})
		if apierrors.IsNotFound(err) {
			return nil, errGone
		}
		if err != nil {
			return nil, fmt.Errorf("get environment %s, last seen as %s: %w", name, last, err)
		}
		events, err := to.Watch(ctx, metav1.ListOptions{FieldSelector: "metadata.name=" + name, ResourceVersion: o.GetResourceVersion()})
		if err != nil {
			return nil, fmt.Errorf("watch environment %s: %w", name, err)
		}
		env, err := follow(o, events, wanted, &last)
		events.Stop()
		if env != nil || err != nil {
			return env, err
		}
	}
}

// follow reads events until the environment is as wanted; nil when the watch has ended.
func follow(o *unstructured.Unstructured, events watch.Interface, wanted func(*v1alpha1.Environment) bool, last *string) (*v1alpha1.Environment, error) {
	for {
		env := &v1alpha1.Environment{}
		if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, env); err != nil {
			return nil, fmt.Errorf("read environment %s: %w", o.GetName(), err)
		}
		if wanted(env) {
			return env, nil
		}
		*last = fmt.Sprintf("%s: %s", env.Status.Phase, env.Status.Message)
		event, ok := <-events.ResultChan()
		if !ok {
			return nil, nil
		}
		if event.Type == watch.Deleted {
			return nil, errGone
		}
		next, is := event.Object.(*unstructured.Unstructured)
		if !is {
			return nil, nil // an error of the watch: begin anew
		}
		o = next
	}
}
