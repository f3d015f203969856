package deploy

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned"
)

// Resolve takes the images of the environment that the request releases, where it names
// one. Nothing is built or resolved anew: they are those that run there, by their digest.
// Errors wrap ErrRefused when the environment is in no state to be released.
func Resolve(ctx context.Context, client versioned.Interface, request Request) (Request, error) {
	if request.From == "" {
		return request, nil
	}
	from, err := client.SpockV1alpha1().Environments(request.Namespace).Get(ctx, request.From, metav1.GetOptions{})
	if err != nil {
		return request, fmt.Errorf("read environment %s/%s, whose images are to be taken: %w", request.Namespace, request.From, err)
	}
	released, err := request.Released(from)
	if err != nil {
		return request, fmt.Errorf("environment %s/%s: %w: %w", request.Namespace, request.From, err, ErrRefused)
	}
	return released, nil
}

// Released is the request with the images that run in an environment, those of single
// containers as its spec and its last deploy name them. What the request names itself stays;
// so does its source, which otherwise tells where the images come from.
func (r Request) Released(from *v1alpha1.Environment) (Request, error) {
	if problem := r.unfit(from); problem != "" {
		return r, errors.New(problem)
	}
	var loose []string
	take := func(entry, image string) string {
		if image != "" && !strings.Contains(image, "@sha256:") {
			loose = append(loose, entry+" has "+image)
		}
		return image
	}
	services := slices.Clone(r.Services)
	for _, s := range from.Status.Services {
		at := slices.IndexFunc(services, func(o v1alpha1.ServiceOverride) bool { return o.Name == s.Name })
		override := v1alpha1.ServiceOverride{Name: s.Name}
		if at >= 0 {
			override = *services[at].DeepCopy()
		}
		if override.Image == "" {
			override.Image = take(s.Name, s.Image)
		}
		for container, image := range singles(from, s.Name) {
			if _, named := override.Images[container]; !named {
				override.Images = with(override.Images, container, take(s.Name+"/"+container, image))
			}
		}
		switch {
		case at >= 0:
			services[at] = override
		case override.Image != "" || override.Images != nil:
			services = append(services, override)
		}
	}
	if len(loose) > 0 {
		slices.Sort(loose)
		return r, fmt.Errorf("a release takes digests, and %s, which may be another image tomorrow; deploy it there by digest, or name the images here as services", strings.Join(loose, ", "))
	}
	r.Services, r.From = services, ""
	if r.Source == "" {
		r.Source = "run " + from.Status.Run + " of " + from.Name
	}
	return r, nil
}

// singles are the images of a service's single containers: those of the spec, and over
// them those of the last deploy.
func singles(from *v1alpha1.Environment, service string) map[string]string {
	layers := slices.Clone(from.Spec.Services)
	if from.Spec.Run != nil {
		layers = append(layers, from.Spec.Run.Services...)
	}
	var all map[string]string
	for _, s := range layers {
		if s.Name != service {
			continue
		}
		for container, image := range s.Images {
			all = with(all, container, image)
		}
	}
	return all
}

func with(all map[string]string, name, value string) map[string]string {
	if all == nil {
		all = map[string]string{}
	}
	all[name] = value
	return all
}

// unfit says why an environment cannot be released; empty when it can.
func (r Request) unfit(from *v1alpha1.Environment) string {
	switch {
	case from.Name == r.Environment:
		return "it is the environment that is to be deployed; name another one to take the images from"
	case from.Spec.Product != r.Product:
		return fmt.Sprintf("it is an instance of product %s, not %s; name one of the same product", from.Spec.Product, r.Product)
	case from.DeletionTimestamp != nil:
		return "it is being torn down; name one that is ready"
	case !Settled(from, from.Generation) || from.Status.Phase != v1alpha1.PhaseReady:
		return fmt.Sprintf("it is %s, and only one that is Ready is released; wait for it, or name another one", phase(from))
	}
	return ""
}

func phase(e *v1alpha1.Environment) string {
	if e.Status.Phase == "" || !Settled(e, e.Generation) {
		return "on its way"
	}
	return string(e.Status.Phase)
}
