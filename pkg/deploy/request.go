// Package deploy writes an Environment and follows it until it settles: the one way in
// which the command line, the deploy-env Task and the Deploy custom task ask for a rollout.
//
// It decides nothing about the rollout. Request and the parsers beside it are pure; Apply
// and Follow are the only parts that talk to the cluster. Who stops following stops
// watching, never the rollout.
package deploy

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/util/validation"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// Request is one wish, which a CustomRun keeps as JSON while it is on its way: this product, of this class, with these images, in this environment.
type Request struct {
	// Namespace of the Environment object.
	Namespace string `json:"namespace,omitempty"`
	// Environment is the name of the object; it is created when it does not exist.
	Environment string `json:"environment,omitempty"`
	// Product and Class are names; an existing Environment keeps its own.
	Product string `json:"product,omitempty"`
	Class   string `json:"class,omitempty"`
	// ServiceAccount as which the product's objects are written; the cluster's default when empty.
	ServiceAccount string `json:"serviceAccount,omitempty"`
	// Services holds the images of this deploy.
	Services []v1alpha1.ServiceOverride `json:"services,omitempty"`
	// From is an Environment of the namespace, of the same product and ready, whose images are
	// deployed by digest where Services does not name one.
	From string `json:"from,omitempty"`
	// Parameters hold for every service whose template has them.
	Parameters map[string]apiextensionsv1.JSON `json:"parameters,omitempty"`
	// Source says what is deployed, a commit for instance.
	Source string `json:"source,omitempty"`
	// PlanDigest is the plan that the deploy must have, and is refused otherwise; any when empty.
	PlanDigest string `json:"planDigest,omitempty"`
	// Attempt names a new attempt. It is used only when the Environment's last attempt at
	// the same spec failed; otherwise asking again changes nothing.
	Attempt string `json:"attempt,omitempty"`
}

// Images reads `name=image` entries, in their order; `name/container=image` is for one
// container of a service. The error names every entry that cannot be read.
func Images(entries []string) ([]v1alpha1.ServiceOverride, error) {
	var out []v1alpha1.ServiceOverride
	var problems []error
	seen := map[string]bool{}
	for i, entry := range entries {
		name, image, found := strings.Cut(strings.TrimSpace(entry), "=")
		if problem := imageProblem(name, image, found, seen[name]); problem != "" {
			problems = append(problems, fmt.Errorf("services[%d] %q: %s", i, entry, problem))
			continue
		}
		seen[name] = true
		out = withImage(out, name, image)
	}
	return out, errors.Join(problems...)
}

// withImage adds an image to what is known of its service.
func withImage(all []v1alpha1.ServiceOverride, name, image string) []v1alpha1.ServiceOverride {
	service, container, single := strings.Cut(name, "/")
	at := slices.IndexFunc(all, func(s v1alpha1.ServiceOverride) bool { return s.Name == service })
	if at < 0 {
		all, at = append(all, v1alpha1.ServiceOverride{Name: service}), len(all)
	}
	switch {
	case !single:
		all[at].Image = image
	case all[at].Images == nil:
		all[at].Images = map[string]string{container: image}
	default:
		all[at].Images[container] = image
	}
	return all
}

func imageProblem(name, image string, found, seen bool) string {
	switch {
	case !found:
		return "there is no `=`; write name=image, for example orders=registry.example.com/orders@sha256:..."
	case strings.HasPrefix(name, "/") || strings.HasSuffix(name, "/") || strings.Count(name, "/") > 1:
		return "the name before `=` is neither a service's nor service/container; write for example orders/proxy=registry.example.com/proxy:2"
	case name == "":
		return "there is no name before `=`; write the name of a service of the product"
	case image == "":
		return "there is no image after `=`; write an image reference or leave the service out"
	case strings.ContainsAny(image, " \t\n="):
		return "the image holds a blank or `=`; give each service its own entry"
	case seen:
		return "the service is named twice; keep one entry"
	}
	return ""
}

// Parameters reads `name=value` entries. A value that is JSON (a number, true, false, a
// quoted string, ...) is taken as such, anything else is a string: `version="1.10"` keeps
// a version from becoming a number.
func Parameters(entries []string) (map[string]apiextensionsv1.JSON, error) {
	out := map[string]apiextensionsv1.JSON{}
	var problems []error
	for i, entry := range entries {
		name, value, found := strings.Cut(entry, "=")
		if !found || name == "" {
			problems = append(problems, fmt.Errorf("parameters[%d] %q: not name=value; write for example replicas=2", i, entry))
			continue
		}
		if _, twice := out[name]; twice {
			problems = append(problems, fmt.Errorf("parameters[%d] %q: the parameter is set twice; keep one entry", i, entry))
			continue
		}
		out[name] = parameter(value)
	}
	if len(out) == 0 {
		out = nil
	}
	return out, errors.Join(problems...)
}

func parameter(value string) apiextensionsv1.JSON {
	if json.Valid([]byte(value)) {
		return apiextensionsv1.JSON{Raw: []byte(value)}
	}
	quoted, err := json.Marshal(value)
	if err != nil { // a string always has a JSON form
		panic(err)
	}
	return apiextensionsv1.JSON{Raw: quoted}
}

// Validate says in sentences what is missing or malformed.
func (r Request) Validate() error {
	var problems []error
	if r.Namespace == "" {
		problems = append(problems, errors.New("namespace: it is empty; name the namespace of the environment"))
	}
	for _, message := range validation.IsDNS1123Label(r.Environment) {
		problems = append(problems, fmt.Errorf("environment %q: %s", r.Environment, message))
	}
	if r.Product == "" {
		problems = append(problems, errors.New("product: it is empty; name a Product of the namespace"))
	}
	if r.Class == "" {
		problems = append(problems, errors.New("class: it is empty; name an EnvironmentClass"))
	}
	return errors.Join(problems...)
}
