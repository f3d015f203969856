package cli

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/google/go-containerregistry/pkg/authn"
	"golang.org/x/sync/errgroup"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/artifact"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
	"spock.dev/spock/pkg/scaffold"
	"spock.dev/spock/pkg/source"
	"spock.dev/spock/pkg/target/host"
	"spock.dev/spock/pkg/target/kube"
)

// compute makes the plan of an environment as the controller does.
func (c *Cluster) compute(ctx context.Context, env *v1alpha1.Environment) (*plan.Plan, error) {
	product, rendered, err := c.render(ctx, env)
	if err != nil {
		return nil, err
	}
	return plan.Compute(plan.Input{Product: product, Rendered: rendered, Environment: env})
}

// render makes the services of an environment as the controller does.
func (c *Cluster) render(ctx context.Context, env *v1alpha1.Environment) (*v1alpha1.Product, *render.Rendered, error) {
	in := render.Input{Environment: env, Namespace: scaffold.NamespaceOf(env), Templates: map[string]*v1alpha1.ServiceTemplate{}}
	spock := c.Spock.SpockV1alpha1()
	var err error
	in.Product, err = spock.Products(env.Namespace).Get(ctx, env.Spec.Product, metav1.GetOptions{})
	if err != nil {
		return nil, nil, missing(err, fmt.Sprintf("spec.product: there is no Product %q in namespace %s; see: kubectl get products -n %s",
			env.Spec.Product, env.Namespace, env.Namespace))
	}
	in.Class, err = spock.EnvironmentClasses().Get(ctx, env.Spec.Class, metav1.GetOptions{})
	if err != nil {
		return nil, nil, missing(err, fmt.Sprintf("spec.class: there is no EnvironmentClass %q; see: kubectl get environmentclasses", env.Spec.Class))
	}
	templates, err := spock.ServiceTemplates(env.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, nil, explain(fmt.Errorf("list the templates of namespace %s: %w", env.Namespace, err))
	}
	for i := range templates.Items {
		in.Templates[templates.Items[i].Name] = &templates.Items[i]
	}
	if err := c.places(ctx, &in); err != nil {
		return nil, nil, err
	}
	if err := c.read(ctx, &in); err != nil {
		return nil, nil, err
	}
	rendered, err := render.Product(in) // its errors are sentences, one per line
	return in.Product, rendered, err
}

// places finds the machines of the environment, and what runs there.
func (c *Cluster) places(ctx context.Context, in *render.Input) error {
	namespace := in.Class.HostsOf(in.Environment.Namespace)
	list, err := c.Spock.SpockV1alpha1().Hosts(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return explain(fmt.Errorf("list the hosts of namespace %s: %w", namespace, err))
	}
	hosts := make([]*v1alpha1.Host, 0, len(list.Items))
	for i := range list.Items {
		hosts = append(hosts, &list.Items[i])
	}
	in.Hosts, in.On = render.Places(hosts, in.Environment, nil)
	return nil
}

// read finds the files that the templates read from elsewhere.
func (c *Cluster) read(ctx context.Context, in *render.Input) error {
	in.Found = map[source.Origin]source.Found{}
	limits := source.OfArtifacts()
	for _, origin := range render.Origins(*in) {
		if origin.ConfigMap == "" {
			in.Found[origin], limits = c.artifact(ctx, origin.Artifact, limits)
			continue
		}
		found, err := c.configMap(ctx, in.Environment.Namespace, origin.ConfigMap)
		if err != nil {
			return err
		}
		in.Found[origin] = found
	}
	return nil
}

// configMap reads one that is marked to hold manifests, as the controller does.
func (c *Cluster) configMap(ctx context.Context, namespace, name string) (source.Found, error) {
	held, err := c.Kube.CoreV1().ConfigMaps(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err) || err == nil && held.Labels[v1alpha1.LabelManifests] != "true":
		return source.Found{Err: source.NoConfigMap(namespace, name)}, nil
	case err != nil:
		return source.Found{}, explain(fmt.Errorf("get ConfigMap %s/%s: %w", namespace, name, err))
	}
	return source.FromConfigMap(held.Data, held.BinaryData), nil
}

// artifact reads one from its registry with the credentials of who asks: the Secret of the
// template is the environment's to use. Why it cannot be had is told with the field.
func (c *Cluster) artifact(ctx context.Context, wanted source.Artifact, limits source.Limits) (source.Found, source.Limits) {
	ref, err := wanted.Reference()
	if err != nil {
		return source.Found{Err: err}, limits
	}
	layers, err := artifact.Fetch(ctx, wanted, authn.DefaultKeychain)
	var why *artifact.Failure
	if errors.As(err, &why) {
		remedy := why.Remedy
		if why.Reason == v1alpha1.ReasonSourceUnauthorized {
			remedy = "log in to the registry as for docker or helm: a plan is made with your own credentials"
		}
		return source.Found{Err: &source.Error{Problem: why.Problem, Remedy: remedy}}, limits
	}
	if err != nil {
		return source.Found{Err: err}, limits
	}
	return source.FromLayers(ref.DigestStr(), layers, limits)
}

func missing(err error, sentence string) error {
	if apierrors.IsNotFound(err) && !notInstalled(err) {
		return fmt.Errorf("%s", sentence)
	}
	return explain(err)
}

// live lists the objects that carry the environment's labels, by key. An environment
// that does not exist yet has none.
func (c *Cluster) live(ctx context.Context, env *v1alpha1.Environment, kinds []schema.GroupVersionKind) (map[plan.Key]*unstructured.Unstructured, error) {
	found := map[plan.Key]*unstructured.Unstructured{}
	if env.UID == "" {
		return found, nil
	}
	asked := map[schema.GroupVersionKind]bool{host.Kind: true}
	if err := c.onMachines(ctx, env, found); err != nil {
		return nil, err
	}
	var mu sync.Mutex
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(8)
	for _, kind := range append(kinds, kube.Usual()...) {
		if asked[kind] {
			continue
		}
		asked[kind] = true
		group.Go(func() error {
			items, err := c.ofKind(ctx, env, kind)
			mu.Lock()
			defer mu.Unlock()
			for i := range items {
				found[plan.Key{GroupVersionKind: kind, Name: items[i].GetName()}] = &items[i]
			}
			return err
		})
	}
	return found, group.Wait()
}

// onMachines adds the services on machines as the environment's run has written them: a
// machine is no part of the API, and only the controller watches it.
func (c *Cluster) onMachines(ctx context.Context, env *v1alpha1.Environment, found map[plan.Key]*unstructured.Unstructured) error {
	if env.Status.Run == "" {
		return nil
	}
	run, err := c.Spock.SpockV1alpha1().EnvironmentRuns(env.Namespace).Get(ctx, env.Status.Run, metav1.GetOptions{})
	if apierrors.IsNotFound(err) || err == nil && len(run.Spec.Snapshot) == 0 {
		return nil
	}
	if err != nil {
		return explain(fmt.Errorf("get run %s: %w", env.Status.Run, err))
	}
	written, err := plan.FromSnapshot(run.Spec.Snapshot, run.Spec.PlanDigest)
	if err != nil {
		return fmt.Errorf("read what run %s wrote: %w", run.Name, err)
	}
	for _, n := range written.Nodes {
		for _, o := range n.Objects {
			if o.GroupVersionKind == host.Kind {
				found[o.Key] = o.Desired
			}
		}
	}
	return nil
}

func (c *Cluster) ofKind(ctx context.Context, env *v1alpha1.Environment, kind schema.GroupVersionKind) ([]unstructured.Unstructured, error) {
	mapping, err := c.Mapper.RESTMapping(kind.GroupKind(), kind.Version)
	if err != nil {
		return nil, fmt.Errorf("find kind %s in the cluster: %w", kind.Kind, err)
	}
	namespace := scaffold.NamespaceOf(env)
	selector := labels.Set{v1alpha1.LabelEnvironment: env.Name, v1alpha1.LabelEnvironmentNamespace: env.Namespace}
	list, err := c.Dynamic.Resource(mapping.Resource).Namespace(namespace).List(ctx, metav1.ListOptions{LabelSelector: selector.String()})
	if err != nil {
		return nil, fmt.Errorf("list %s in namespace %s: %w", strings.ToLower(mapping.Resource.Resource), namespace, err)
	}
	return list.Items, nil
}
