package environment

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/cache"
	"knative.dev/pkg/apis"
	"knative.dev/pkg/controller"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/archive"
	"spock.dev/spock/pkg/artifact"
	hostlisters "spock.dev/spock/pkg/client/listers/spock/v1alpha1"
	"spock.dev/spock/pkg/registry"
	"spock.dev/spock/pkg/render"
	"spock.dev/spock/pkg/rootfs"
	"spock.dev/spock/pkg/target"
	"spock.dev/spock/pkg/target/kube"
	"spock.dev/spock/pkg/unit"
)

// addHosts finds the machines of the environment, what others have there or have planned
// there, and where its own services are. The key follows what was declared alone: a plan
// that is good is not made again because somebody else came or went.
func (r *Reconciler) addHosts(p *pass, in *render.Input, key *strings.Builder) error {
	namespace := p.class.HostsOf(p.key.Namespace)
	p.scope.Hosts, p.env.Status.HostNamespace = namespace, ""
	if namespace != p.key.Namespace {
		p.env.Status.HostNamespace = namespace
	}
	hosts, err := r.hosts.Hosts(namespace).List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list hosts: %w", err)
	}
	planned, version := r.places.planned(p.key, namespace)
	p.placesAt = version
	in.Hosts, in.On = render.Places(hosts, in.Environment, planned)
	for _, h := range hosts {
		fmt.Fprintf(key, " %s/%d%v", h.UID, h.Generation, h.Labels)
	}
	return nil
}

// hostUsers enqueues the environments that a machine may run services of: all when it was
// declared otherwise than before; else those that may wait for room, since what runs is told
// of by the machine itself.
func (r *Reconciler) hostUsers(impl *controller.Impl) cache.ResourceEventHandler {
	declared := func(obj any) {
		if last, ok := obj.(cache.DeletedFinalStateUnknown); ok {
			obj = last.Obj
		}
		if h, ok := obj.(*v1alpha1.Host); ok {
			r.enqueueUsers(impl, h.Namespace, false)
		}
	}
	return cache.ResourceEventHandlerFuncs{AddFunc: declared, DeleteFunc: declared, UpdateFunc: func(before, now any) {
		was, is := before.(*v1alpha1.Host), now.(*v1alpha1.Host)
		if was.Generation != is.Generation || !maps.Equal(was.Labels, is.Labels) {
			declared(is)
			return
		}
		if !equality.Semantic.DeepEqual(was.Status.Allocations, is.Status.Allocations) {
			r.enqueueUsers(impl, is.Namespace, true)
		}
	}}
}

// enqueueUsers enqueues the environments that use the machines of a namespace, or those of
// them that are not well.
func (r *Reconciler) enqueueUsers(impl *controller.Impl, namespace string, unwell bool) {
	all, err := r.environments.List(labels.Everything())
	if err != nil {
		return // a lister never fails
	}
	for _, env := range all {
		if unwell && (env.Status.Phase == v1alpha1.PhaseReady || env.Status.Phase == v1alpha1.PhaseProgressing) {
			continue
		}
		uses := env.Namespace
		if class, err := r.classes.Get(env.Spec.Class); err == nil {
			uses = class.HostsOf(env.Namespace)
		}
		if uses == namespace {
			impl.Enqueue(env)
		}
	}
}

// outside is where a machine's images and secrets come from.
type outside struct {
	config *rest.Config
	hosts  hostlisters.HostLister
}

// known are the machines whose Hosts tell of services of an environment. One whose key
// cannot be read is never connected.
func (o outside) known(environment types.NamespacedName) []types.NamespacedName {
	all, err := o.hosts.List(labels.Everything())
	if err != nil {
		return nil // a lister never fails
	}
	var names []types.NamespacedName
	for _, h := range all {
		runs := slices.ContainsFunc(h.Status.Allocations, func(a v1alpha1.HostAllocation) bool { return a.Environment == environment.String() })
		if runs && h.Status.GetCondition(apis.ConditionReady).GetReason() != v1alpha1.ReasonInvalid {
			names = append(names, types.NamespacedName{Namespace: h.Namespace, Name: h.Name})
		}
	}
	return names
}

// image finds an image in its registry: with the credentials of a Secret beside the
// environment, or else with what the controller may read.
func (o outside) image(ctx context.Context, scope target.Scope, wanted unit.Instance, architecture string) (v1.Image, error) {
	ref, err := name.ParseReference(wanted.Image, registry.Access{Insecure: wanted.Insecure}.Names()...)
	if err != nil {
		return nil, err
	}
	keys, err := o.keys(ctx, scope, wanted.ImageSecret)
	if err != nil {
		return nil, err
	}
	return remote.Image(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(keys), remote.WithTransport(registry.Patient()),
		remote.WithUserAgent("spock"), remote.WithPlatform(v1.Platform{OS: "linux", Architecture: architecture}))
}

// keys are those of a Secret, or the controller's own.
func (o outside) keys(ctx context.Context, scope target.Scope, secret string) (authn.Keychain, error) {
	if secret == "" {
		return authn.DefaultKeychain, nil
	}
	raw, err := o.pullSecret(ctx, scope.Environment.Namespace, scope.ServiceAccount, secret)
	if err != nil {
		return nil, fmt.Errorf("read secret %s as %s: %w", secret, kube.User(scope), err)
	}
	keys, err := artifact.ReadKeys(raw)
	if err != nil {
		return nil, fmt.Errorf("secret %s: %w", secret, err)
	}
	return keys, nil
}

// archive finds an archive on its server.
func (o outside) archive(ctx context.Context, scope target.Scope, wanted unit.Archive) (rootfs.Layer, error) {
	from := archive.Source{URL: wanted.URL, SHA256: wanted.SHA256, Strip: wanted.Strip, Below: strings.TrimPrefix(unit.App, "/")}
	for key, value := range map[string]*string{corev1.BasicAuthUsernameKey: &from.Name, corev1.BasicAuthPasswordKey: &from.Password} {
		if wanted.Secret == "" {
			break
		}
		raw, err := o.key(ctx, scope.Environment.Namespace, scope.ServiceAccount, scope.Environment.Namespace, wanted.Secret, key)
		if err != nil {
			return rootfs.Layer{}, fmt.Errorf("read secret %s as %s: %w", wanted.Secret, kube.User(scope), err)
		}
		*value = string(raw)
	}
	return from.Layer(ctx, &http.Client{Transport: registry.Patient()}, unit.Folders()...), nil
}

// secret reads a key as the environment's service account, in the environment's namespace.
func (o outside) secret(ctx context.Context, scope target.Scope, name, key string) (string, error) {
	value, err := o.key(ctx, scope.Environment.Namespace, scope.ServiceAccount, scope.Namespace, name, key)
	if err != nil {
		return "", fmt.Errorf("as %s: %w", kube.User(scope), err)
	}
	return string(value), nil
}

// pullSecret reads a registry's credentials as a service account of their namespace.
func (o outside) pullSecret(ctx context.Context, namespace, serviceAccount, name string) ([]byte, error) {
	return o.key(ctx, namespace, serviceAccount, namespace, name, corev1.DockerConfigJsonKey)
}

// key reads a key of a Secret as a service account of the namespace home.
func (o outside) key(ctx context.Context, home, serviceAccount, namespace, name, key string) ([]byte, error) {
	client, err := kubernetes.NewForConfig(kube.Impersonate(o.config, home, serviceAccount))
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	secret, err := client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	value, ok := secret.Data[key]
	if !ok {
		return nil, fmt.Errorf("it has no key %s", key)
	}
	return value, nil
}
