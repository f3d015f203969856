package main

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/bench/peer"
	"spock.dev/spock/bench/work"
)

// ready is when a Deployment is ready as it was written.
const ready = "${%[1]s.status.observedGeneration == %[1]s.metadata.generation && %[1]s.status.updatedReplicas == %[1]s.spec.replicas && " +
	"%[1]s.status.availableReplicas == %[1]s.spec.replicas && %[1]s.status.replicas == %[1]s.spec.replicas}"

// kind is what the work's kind is called, for each mode its own.
func kind(job peer.Job) string {
	name := strings.ReplaceAll(job.Work.Name+"-"+job.Mode, "-", "")
	return strings.ToUpper(name[:1]) + name[1:]
}

// definition is the work as a ResourceGraphDefinition. Where a tier waits for the tier
// before, it refers to a ConfigMap that refers to that tier, instead of to each service.
func definition(job peer.Job) (*unstructured.Unstructured, error) {
	var resources []any
	tiers := map[int][]string{}
	for _, s := range job.Work.Services {
		tiers[s.Tier] = append(tiers[s.Tier], s.Name)
	}
	for _, s := range job.Work.Services {
		needs := s.Needs
		if !job.Work.Fine && s.Tier > 0 {
			needs = []string{join(s.Tier)}
		}
		own, err := service(s, needs)
		if err != nil {
			return nil, err
		}
		resources = append(resources, own...)
	}
	for tier := range tiers {
		if before := tiers[tier-1]; !job.Work.Fine && before != nil {
			resources = append(resources, map[string]any{"id": join(tier), "template": map[string]any{
				"apiVersion": "v1", "kind": "ConfigMap",
				"metadata": map[string]any{"name": join(tier), "annotations": after(before)},
			}})
		}
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kro.run/v1alpha1", "kind": "ResourceGraphDefinition",
		"metadata": map[string]any{"name": strings.ToLower(kind(job))},
		"spec": map[string]any{
			"schema":    map[string]any{"apiVersion": "v1alpha1", "kind": kind(job), "spec": map[string]any{"images": "map[string]string"}},
			"resources": resources,
		},
	}}, nil
}

func join(tier int) string { return fmt.Sprintf("tier%d", tier) }

// after are annotations that refer to what must be ready.
func after(needs []string) map[string]any {
	all := map[string]any{}
	for _, need := range needs {
		all["bench.example/after-"+need] = "${" + need + ".metadata.uid}"
	}
	return all
}

// service are the resources of a service. Its Deployment has the service's name as id.
func service(s work.Service, needs []string) ([]any, error) {
	objects, err := s.Plain("")
	if err != nil {
		return nil, err
	}
	var all []any
	for _, o := range objects {
		unstructured.RemoveNestedField(o.Object, "metadata", "namespace")
		resource := map[string]any{"id": s.Name + strings.ToLower(o.GetKind()), "template": o.Object}
		if o.GetKind() == "Deployment" {
			resource["id"], resource["readyWhen"] = s.Name, []any{fmt.Sprintf(ready, s.Name)}
			if err := wire(o, s.Name, needs); err != nil {
				return nil, err
			}
		}
		all = append(all, resource)
	}
	return all, nil
}

// wire takes the image from the instance, and refers to what must be ready.
func wire(o *unstructured.Unstructured, name string, needs []string) error {
	path := []string{"spec", "template", "spec", "containers"}
	containers, _, err := unstructured.NestedSlice(o.Object, path...)
	if err != nil {
		return fmt.Errorf("read the containers of %s: %w", name, err)
	}
	containers[0].(map[string]any)["image"] = fmt.Sprintf("${schema.spec.images[%q]}", name)
	if err := unstructured.SetNestedSlice(o.Object, containers, path...); err != nil {
		return fmt.Errorf("write the containers of %s: %w", name, err)
	}
	if len(needs) == 0 {
		return nil
	}
	return unstructured.SetNestedMap(o.Object, after(needs), "metadata", "annotations")
}

// instance names the image of each service.
func instance(job peer.Job) *unstructured.Unstructured {
	images := map[string]any{}
	for _, s := range job.Work.Services {
		images[s.Name] = s.Image()
	}
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "kro.run/v1alpha1", "kind": kind(job),
		"metadata": map[string]any{"name": job.Work.Name, "namespace": job.Namespace},
		"spec":     map[string]any{"images": images},
	}}
}
