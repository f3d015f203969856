package render

import (
	"fmt"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/nearest"
)

// roster is the product's services, found by name, with what each layer says of them.
type roster struct {
	in      Input
	layers  layers
	members []*member
	byName  map[string]*member
	// groups says of each group whether any of its services runs.
	groups  map[string]bool
	secrets map[string][]string
	// only is nil when the environment has all services of the product.
	only map[string]bool
}

// member is a service at its place in the product.
type member struct {
	// field is its place, for errors.
	field    string
	group    string
	service  *v1alpha1.ProductService
	template *v1alpha1.ServiceTemplate
}

// newRoster finds the services and checks every name of them.
func newRoster(in Input, p *problems) *roster {
	r := &roster{in: in, layers: newLayers(in), byName: map[string]*member{}, groups: map[string]bool{}, secrets: map[string][]string{}}
	in.checkEnvironmentNames(p)
	for _, secret := range in.Product.Spec.Secrets {
		r.secrets[secret.Name] = secret.Keys
	}
	r.enroll(p)
	r.narrow(p)
	for _, m := range r.members {
		r.groups[m.group] = r.groups[m.group] || r.runs(m.service.Name)
	}
	for _, m := range r.members {
		r.checkMember(m, p)
	}
	r.layers.checkServices(r.names(), p)
	if parameters, complete := r.parameters(); complete {
		r.layers.checkParameters(parameters, p)
	}
	return r
}

func (r *roster) enroll(p *problems) {
	groups := r.in.Product.Spec.Groups
	if len(groups) == 0 {
		p.add("product.spec.groups", "add a group with a service", "the product %q has no groups", r.in.Product.Name)
	}
	for i := range groups {
		group := &groups[i]
		r.groups[group.Name] = false
		if len(group.Services) == 0 {
			p.add(fmt.Sprintf("product.spec.groups[%d] (%s)", i, group.Name), "add a service or remove the group", "the group has no services")
		}
		for j := range group.Services {
			service := &group.Services[j]
			r.add(&member{
				field:    fmt.Sprintf("product.spec.groups[%d].services[%d] (%s)", i, j, service.Name),
				group:    group.Name,
				service:  service,
				template: r.in.Templates[service.Template],
			}, p)
		}
	}
}

func (r *roster) add(m *member, p *problems) {
	name := m.service.Name
	if first, ok := r.byName[name]; ok {
		where := fmt.Sprintf("groups %q and %q", first.group, m.group)
		if first.group == m.group {
			where = fmt.Sprintf("group %q twice", m.group)
		}
		p.add(m.field, "rename one of them", "the service %q is in %s", name, where)
		return
	}
	checkServiceName(m.field, name, p)
	r.byName[name] = m
	r.members = append(r.members, m)
}

// narrow reads environment.spec.only.
func (r *roster) narrow(p *problems) {
	only := r.in.Environment.Spec.Only
	if len(only) == 0 {
		return
	}
	r.only = map[string]bool{}
	for i, name := range only {
		r.only[name] = true
		if r.byName[name] == nil {
			p.add(fmt.Sprintf("environment.spec.only[%d]", i), nearest.Hint(name, r.names(), ""), "the product has no service %q", name)
		}
	}
}

// runs says whether the environment has the service.
func (r *roster) runs(name string) bool { return r.only == nil || r.only[name] }

func (r *roster) names() []string {
	out := make([]string, 0, len(r.members))
	for _, m := range r.members {
		out = append(out, m.service.Name)
	}
	return out
}

// parameters are the names that any template of the product declares, also of services
// that the environment leaves out: narrowing an environment makes no value unknown. They
// are not complete while a template is missing.
func (r *roster) parameters() (names []string, complete bool) {
	seen := map[string]bool{}
	complete = true
	for _, m := range r.members {
		if m.template == nil {
			complete = false
			continue
		}
		for _, parameter := range m.template.Spec.Parameters {
			if !seen[parameter.Name] {
				seen[parameter.Name] = true
				names = append(names, parameter.Name)
			}
		}
	}
	return names, complete
}

// checkMember checks what a service of the environment names.
func (r *roster) checkMember(m *member, p *problems) {
	if !r.runs(m.service.Name) {
		return
	}
	if m.template == nil {
		known := make([]string, 0, len(r.in.Templates))
		for name := range r.in.Templates {
			known = append(known, name)
		}
		p.add(m.field, nearest.Hint(m.service.Template, known, "create it in the namespace of the product"),
			"there is no template %q", m.service.Template)
	}
	for i, need := range m.service.Needs {
		field := fmt.Sprintf("%s: needs[%d]", m.field, i)
		r.checkNeed(field, need, p)
		r.checkUntil(field, need, p)
	}
}

func (r *roster) checkNeed(field string, need v1alpha1.Need, p *problems) {
	runs, isGroup := r.groups[need.Group]
	switch {
	case (need.Service == "") == (need.Group == ""):
		p.add(field, "set exactly one", "the need has neither or both of service and group")
	case need.Group != "" && !isGroup:
		p.add(field, nearest.Hint(need.Group, r.groupNames(), ""), "the product has no group %q", need.Group)
	case need.Group != "" && !runs:
		p.add(field, "add one of its services to environment.spec.only", "all services of the group %q are left out by environment.spec.only", need.Group)
	case need.Service != "" && r.byName[need.Service] == nil:
		p.add(field, nearest.Hint(need.Service, r.names(), ""), "the product has no service %q", need.Service)
	case need.Service != "" && !r.runs(need.Service):
		p.add(field, fmt.Sprintf("add %q to environment.spec.only", need.Service), "the service %q is left out by environment.spec.only", need.Service)
	}
}

// checkUntil checks that a need can end: a job completes, a service that runs does not. The
// budget for rules in the CRD is used up by the rule that every need has one object.
func (r *roster) checkUntil(field string, need v1alpha1.Need, p *problems) {
	if need.Soft && need.Until != "" {
		p.add(field, "remove until or soft", "a soft need waits for nothing, and cannot say until when")
	}
	if need.Until != v1alpha1.UntilCompleted {
		return
	}
	for _, m := range r.members {
		needed := m.service.Name == need.Service || need.Group != "" && m.group == need.Group && r.runs(m.service.Name)
		if needed && !m.completes() {
			p.add(field+".until", "wait until Ready, or use a template whose container.kind is Job", "the service %q runs on and never completes", m.service.Name)
		}
	}
}

// completes says whether the service can complete. Manifests of a template's own may hold
// a job; a template that is not there is refused elsewhere.
func (m *member) completes() bool {
	if m.template != nil && m.template.Spec.Container == nil && m.template.Spec.Host != nil {
		return false
	}
	if m.template == nil || m.template.Spec.Container == nil || ownObjects(m.template.Spec.Container) {
		return true
	}
	return m.template.Spec.Container.Kind == v1alpha1.WorkloadJob
}

func (r *roster) groupNames() []string {
	var out []string
	for _, group := range r.in.Product.Spec.Groups {
		out = append(out, group.Name)
	}
	return out
}
