package render

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/intstr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/nearest"
)

// checkShape refuses a template that contradicts itself, or what the product asks of it.
func (r *roster) checkShape(s *settled, p *problems) {
	template := fmt.Sprintf("template %q", s.template.Name)
	if s.onHost() {
		r.checkHostShape(s, template, p)
		return
	}
	if s.template.Spec.Container == nil {
		p.add(template, "add spec.container", "it does not say how the service runs in a cluster")
		return
	}
	checkPorts(template, s.template.Spec.Ports, p)
	checkPaths(template, s.template, p)
	s.checkManifests(template, p)
	s.checkReadiness(template, p)
	r.checkExpose(s, p)
}

func checkPorts(field string, ports []v1alpha1.Port, p *problems) {
	seen := map[string]string{}
	for _, port := range ports {
		key := fmt.Sprintf("%d/%s", port.Port, protocol(port))
		if first, ok := seen[key]; ok {
			p.add(field+" ports", "give one of them another number, or use one port for both", "the ports %q and %q are both %s", first, port.Name, key)
		}
		seen[key] = port.Name
	}
}

// checkPaths refuses two things at one place of the file system.
func checkPaths(field string, t *v1alpha1.ServiceTemplate, p *problems) {
	seen := map[string]string{}
	put := func(path, what string) {
		if first, ok := seen[path]; ok {
			p.add(field, "choose another path", "%s and %s are both at %s", first, what, path)
		}
		seen[path] = what
	}
	for _, file := range t.Spec.Files {
		put(file.Path, "a file")
	}
	for _, volume := range t.Spec.Container.Volumes {
		put(volume.MountPath, fmt.Sprintf("volume %q", volume.Name))
	}
}

// checkManifests refuses what own manifests leave without effect.
func (s *settled) checkManifests(field string, p *problems) {
	if !s.manifests() {
		return
	}
	c, hooks := s.template.Spec.Container, len(s.template.Spec.Hooks) > 0
	for _, unused := range []struct {
		name string
		set  bool
	}{
		{"container.kind", c.Kind != ""},
		{"container.command", len(c.Command) > 0},
		{"container.args", len(c.Args) > 0},
		{"container.volumes", len(c.Volumes) > 0},
		{"readiness", probes(s.template.Spec.Readiness)},
		{"files", len(s.template.Spec.Files) > 0 && !hooks},
	} {
		if unused.set {
			p.add(field+" "+unused.name, "remove it and write it into the manifests", "the template brings its own manifests, so it is not used")
		}
	}
	for _, v := range s.env {
		if !hooks {
			p.add(v.field, "write it into the manifests, with a parameter for what varies", "the template brings its own manifests, so variables are not used")
		}
	}
}

func probes(r *v1alpha1.Readiness) bool {
	return r != nil && (r.HTTP != nil || r.TCP != nil || r.Exec != nil)
}

// checkReadiness refuses a probe of a port that is not there.
func (s *settled) checkReadiness(field string, p *problems) {
	readiness := s.template.Spec.Readiness
	if readiness == nil {
		return
	}
	kinds := 0
	if readiness.HTTP != nil {
		kinds++
		s.checkProbePort(field+" readiness.http.port", readiness.HTTP.Port, p)
	}
	if readiness.TCP != nil {
		kinds++
		s.checkProbePort(field+" readiness.tcp.port", readiness.TCP.Port, p)
	}
	if readiness.Exec != nil {
		kinds++
	}
	if kinds > 1 {
		p.add(field+" readiness", "keep one of them", "set at most one of http, tcp and exec")
	}
}

func (s *settled) checkProbePort(field string, port *intstr.IntOrString, p *problems) {
	switch {
	case port == nil && len(s.template.Spec.Ports) == 0:
		p.add(field, "add ports to the template, or give a number", "the template has no ports to probe")
	case port != nil && port.Type == intstr.String:
		s.checkPortName(field, port.StrVal, p)
	}
}

func (s *settled) checkPortName(field, name string, p *problems) {
	var names []string
	for _, port := range s.template.Spec.Ports {
		if port.Name == name {
			return
		}
		names = append(names, port.Name)
	}
	p.add(field, nearest.Hint(name, names, "add it to the ports of the template"), "template %q has no port %q", s.template.Name, name)
}

func (r *roster) checkExpose(s *settled, p *problems) {
	expose := s.service.Expose
	if expose == nil {
		return
	}
	field := s.field + ": expose"
	switch {
	case len(s.template.Spec.Ports) == 0:
		p.add(field, "add ports to the template, or remove expose", "template %q has no ports", s.template.Name)
	case expose.Port != "":
		s.checkPortName(field+".port", expose.Port, p)
	}
	r.in.checkHost(field, s.service.Name, p)
}
