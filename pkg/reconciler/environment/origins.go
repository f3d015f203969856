package environment

import (
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/render"
	"spock.dev/spock/pkg/source"
)

// addOrigins lets the key follow what the templates read from elsewhere. Their files are
// read only when a plan is made.
func (r *Reconciler) addOrigins(in render.Input, key *strings.Builder) error {
	for _, origin := range render.Origins(in) {
		if origin.ConfigMap == "" {
			continue // the template names it by its digest
		}
		found, err := r.configMap(in.Environment.Namespace, origin.ConfigMap)
		if err != nil {
			return err
		}
		if found == nil {
			fmt.Fprintf(key, " %s", origin)
			continue
		}
		fmt.Fprintf(key, " %s/%s", found.UID, found.ResourceVersion)
	}
	return nil
}

// configMap is one that is marked to hold manifests; nil when there is none.
func (r *Reconciler) configMap(namespace, name string) (*corev1.ConfigMap, error) {
	found, err := r.configMaps.ConfigMaps(namespace).Get(name)
	switch {
	case apierrors.IsNotFound(err):
		return nil, nil
	case err != nil:
		return nil, fmt.Errorf("get ConfigMap %s: %w", name, err)
	}
	return found, nil
}

// read finds the files that the templates read from elsewhere, and notes for the run what
// they were. Render tells of what is not there, since it knows the field.
func (r *Reconciler) read(p *pass, in *render.Input) ([]v1alpha1.RunSource, error) {
	var noted []v1alpha1.RunSource
	in.Found = map[source.Origin]source.Found{}
	fetched := r.newFetched(p)
	for _, origin := range render.Origins(*in) {
		found, err := source.Found{}, error(nil)
		if origin.ConfigMap == "" {
			found = fetched.files(origin.Artifact)
		} else if found, err = r.marked(p.env.Namespace, origin.ConfigMap); err != nil {
			return nil, err
		}
		in.Found[origin] = found
		noted = append(noted, v1alpha1.RunSource{Name: origin.String(), Digest: found.Digest()})
	}
	return noted, fetched.missing()
}

// marked are the files of a ConfigMap that is marked to hold manifests.
func (r *Reconciler) marked(namespace, name string) (source.Found, error) {
	held, err := r.configMap(namespace, name)
	switch {
	case err != nil:
		return source.Found{}, err
	case held == nil:
		return source.Found{Err: source.NoConfigMap(namespace, name)}, nil
	}
	return source.FromConfigMap(held.Data, held.BinaryData), nil
}
