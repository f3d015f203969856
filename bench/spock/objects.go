package spock

import (
	"fmt"
	"slices"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/bench/work"
)

// Team is the namespace of the products and environments.
const Team = "bench"

// commons are the classes and the templates of all products; faults that lie in what a
// service asks for have templates of their own. Only the fault that needs it has a quota:
// each pod is counted on it, and the namespaces of the peers have none.
const commons = `
apiVersion: v1
kind: Namespace
metadata: {name: bench}
---
apiVersion: spock.dev/v1alpha1
kind: EnvironmentClass
metadata: {name: bench-quota}
spec: {domain: bench.example, quota: {requests.cpu: "500"}}
---
apiVersion: spock.dev/v1alpha1
kind: EnvironmentClass
metadata: {name: bench}
spec:
  domain: bench.example
  defaultRequests: {cpu: 10m, memory: 16Mi}
  defaultLimits: {memory: 64Mi}
  noProgressSeconds: 300
  deadlineSeconds: 1800
`

// template of a service; resources are those of its container.
func template(name, resources string) string {
	return fmt.Sprintf(`---
apiVersion: spock.dev/v1alpha1
kind: ServiceTemplate
metadata: {name: %s, namespace: bench}
spec:
  ports: [{name: http, port: 8080}]
  files: [{path: /etc/app/app.yaml, content: "name: ${service.name}\n"}]
  readiness: {http: {path: /healthz}}
  container: {resources: %s}
`, name, resources)
}

// templates by fault; most faults are the pod's own.
var templates = map[work.Fault]string{
	"":                 template("service", "{}"),
	work.Unschedulable: template("unschedulable", "{requests: {memory: 90000Gi}, limits: {memory: 90000Gi}}"),
	work.OverQuota:     template("over-quota", `{requests: {cpu: "900"}}`),
	work.BadField:      template("bad-field", "{requests: {memory: 64Mi}, limits: {memory: 1Mi}}"),
}

func templateOf(f work.Fault) string {
	if _, own := templates[f]; own && f != "" {
		return string(f)
	}
	return "service"
}

// product describes a work as its users would: a group a tier, what a service needs by
// name.
func product(w work.Work) *unstructured.Unstructured {
	var groups []any
	services := []any(nil)
	flush := func(tier int) {
		if services != nil {
			groups = append(groups, map[string]any{"name": fmt.Sprintf("tier-%d", tier), "services": services})
		}
		services = nil
	}
	tier, onMachines := 0, 0
	for _, s := range w.Services {
		if s.Tier != tier {
			flush(tier)
			tier = s.Tier
		}
		one := map[string]any{"name": s.Name, "template": templateOf(s.Fault)}
		if s.OnHost {
			one["template"] = machineTemplate(onMachines)
			onMachines++
		}
		if len(s.Needs) > 0 {
			var needs []any
			for _, n := range s.Needs {
				needs = append(needs, map[string]any{"service": n})
			}
			one["needs"] = needs
		}
		services = append(services, one)
	}
	flush(tier)
	order := "Groups"
	if w.Fine {
		order = "Needs"
	}
	return object("Product", w.Name, map[string]any{"order": order, "groups": groups})
}

// environment gives each service its image, and what runs on a machine its parameters.
func environment(w work.Work, name string) *unstructured.Unstructured {
	var services []any
	for _, s := range w.Services {
		one := map[string]any{"name": s.Name}
		if s.OnHost {
			one["parameters"] = map[string]any{"ready": s.Ready.Milliseconds(), "revision": int64(s.Revision)}
		} else {
			one["image"] = s.Image()
		}
		services = append(services, one)
	}
	return object("Environment", name, map[string]any{"product": w.Name, "class": classOf(w), "services": services})
}

func classOf(w work.Work) string {
	if slices.ContainsFunc(w.Services, func(s work.Service) bool { return s.Fault == work.OverQuota }) {
		return "bench-quota"
	}
	return "bench"
}

func object(kind, name string, spec map[string]any) *unstructured.Unstructured {
	return &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "spock.dev/v1alpha1", "kind": kind,
		"metadata": map[string]any{"name": name, "namespace": Team}, "spec": spec,
	}}
}
