package environment

import (
	"context"
	"fmt"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"

	"spock.dev/spock/pkg/render"
	"spock.dev/spock/pkg/target"
	"spock.dev/spock/pkg/target/kube"
)

// addHosts finds the machines of the environment's namespace, what others have there, and
// where its own services are. The key follows what was declared alone: a plan that is good
// is not made again because somebody else came or went.
func (r *Reconciler) addHosts(in *render.Input, key *strings.Builder) error {
	hosts, err := r.hosts.Hosts(in.Environment.Namespace).List(labels.Everything())
	if err != nil {
		return fmt.Errorf("list hosts: %w", err)
	}
	in.Hosts, in.On = render.Places(hosts, in.Environment)
	for _, h := range hosts {
		fmt.Fprintf(key, " %s/%d%v", h.UID, h.Generation, h.Labels)
	}
	return nil
}

// outside is where a machine's images and secrets come from.
type outside struct{ config *rest.Config }

// image finds an image in its registry, with what the controller may read.
func (outside) image(ctx context.Context, _ target.Scope, image, architecture string) (v1.Image, error) {
	ref, err := name.ParseReference(image)
	if err != nil {
		return nil, err
	}
	return remote.Image(ref, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain),
		remote.WithPlatform(v1.Platform{OS: "linux", Architecture: architecture}))
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
