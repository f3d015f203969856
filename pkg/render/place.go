package render

import (
	"fmt"
	"strings"

	netutils "k8s.io/utils/net"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/placement"
)

// settleTarget takes the strongest target; without any it is the one that the template
// has, the cluster when it has both.
func (s *settled) settleTarget(sources []source) {
	value := Value{Name: "target", Layer: LayerTemplate}
	s.target = v1alpha1.TargetContainer
	if s.template.Spec.Container == nil && s.template.Spec.Host != nil {
		s.target = v1alpha1.TargetHost
	}
	for _, src := range sources {
		if src.values.Target != "" {
			s.target, value.Layer = src.values.Target, src.layer
		}
	}
	if s.template.Spec.Host != nil {
		value.Value = string(s.target)
		s.values = append(s.values, value)
	}
	if s.target == v1alpha1.TargetHost && s.template.Spec.Host == nil {
		// checkShape says so; until then there is something to look at.
		copied := s.template.DeepCopy()
		copied.Spec.Host = &v1alpha1.HostProcess{Exec: []string{"/bin/false"}}
		s.template, s.noHost = copied, true
	}
}

// checkHostShape refuses what a machine cannot do.
func (r *roster) checkHostShape(s *settled, template string, p *problems) {
	if s.noHost {
		p.add(s.field+": target", "add spec.host to it, or choose target container", "%s does not say how the service runs on a machine", template)
		return
	}
	spec := s.template.Spec
	checkPorts(template, spec.Ports, p)
	s.checkReadiness(template, p)
	r.checkExpose(s, p)
	if len(spec.Hooks) > 0 {
		p.add(template+" hooks", "run the hook as a service of its own, a Job in the cluster", "hooks do not run on machines")
	}
	if spec.Host.Notify && probes(spec.Readiness) {
		p.add(template+" host.notify", "keep one of them", "the service both tells that it is ready and is asked")
	}
	checkHandover(template, spec, p)
	s.checkContents(template, p)
	seen := map[string]string{}
	put := func(path, what string) {
		if first, ok := seen[path]; ok {
			p.add(template, "choose another path", "%s and %s are both at %s", first, what, path)
		}
		seen[path] = what
	}
	for _, file := range spec.Files {
		put(file.Path, "a file")
		if strings.ContainsAny(file.Path, " \t\n:%\"'\\") {
			p.add(template+" file "+file.Path, "give it a plain name", "a path with such characters cannot be mounted on a machine")
		}
	}
	for _, volume := range spec.Host.Volumes {
		put(volume.MountPath, fmt.Sprintf("volume %q", volume.Name))
	}
}

// checkHandover refuses a handover of nothing, and a readiness that it makes meaningless.
func checkHandover(template string, spec v1alpha1.ServiceTemplateSpec, p *problems) {
	if !spec.Host.Handover {
		return
	}
	field := template + " host.handover"
	if len(spec.Ports) == 0 {
		p.add(field, "name the ports, or leave it out", "there is no port to hand over")
	}
	if r := spec.Readiness; !spec.Host.Notify && (!probes(r) || r.TCP != nil) {
		p.add(field, "say by readiness http or exec, or by host.notify, when it can serve", "systemd listens before the program does, so that an open port says nothing")
	}
}

// checkContents refuses an image beside what it makes useless.
func (s *settled) checkContents(template string, p *problems) {
	host := s.template.Spec.Host
	if s.image != "" && (host.Archive != nil || host.Package != nil) {
		p.add(s.field+": image", "remove it, or host.archive and host.package of the template", "an image brings all that the program needs, and the template has an archive or a package")
	}
}

// place finds the machines of the services that run on some.
func (r *roster) place(services []*settled, p *problems) {
	var requests []placement.Request
	by := map[string]*settled{}
	for _, s := range services {
		if !s.onHost() {
			continue
		}
		h := s.template.Spec.Host
		limits := hostLimits(h.Limits)
		request := placement.Request{
			Service: s.service.Name, Instances: int(s.replicas), Selector: h.Selector, CPU: limits.CPU, Memory: limits.Memory,
			Now: r.in.On[s.service.Name], Bound: len(h.Volumes) > 0, Packages: h.Package != nil,
		}
		for _, port := range s.template.Spec.Ports {
			request.Ports = append(request.Ports, port.Port)
		}
		requests = append(requests, request)
		by[s.service.Name] = s
	}
	if len(requests) == 0 {
		return
	}
	places, refused := placement.Place(r.in.Hosts, requests)
	for _, e := range refused {
		p.add(by[e.Service].field, e.Remedy, "%s", e.Problem)
	}
	for name, hosts := range places {
		by[name].places = hosts
	}
	for _, s := range services {
		s.checkAddresses(p)
	}
}

// checkAddresses refuses a machine that pods cannot be pointed to.
func (s *settled) checkAddresses(p *problems) {
	for _, h := range s.places {
		if netutils.ParseIPSloppy(h.Address) == nil && len(s.template.Spec.Ports) > 0 {
			p.add(s.field, fmt.Sprintf("give host %q an IP address as spec.address", h.Name), "host %q has the address %q, and pods reach a machine by its IP address only", h.Name, h.Address)
		}
	}
}
