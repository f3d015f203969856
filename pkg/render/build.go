package render

import (
	"fmt"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/expr"
)

// build makes the objects of all services, whose addresses are settled now.
func (r *roster) build(services []*settled, p *problems) (*Rendered, error) {
	compiler, err := expr.NewCompiler()
	if err != nil {
		return nil, err
	}
	environment := r.environment()
	directories := map[v1alpha1.Target]*expr.Directory{}
	for _, asker := range []v1alpha1.Target{v1alpha1.TargetContainer, v1alpha1.TargetHost} {
		directories[asker] = r.directory(services, asker)
	}
	out := &Rendered{Services: make([]Service, 0, len(services))}
	for _, s := range services {
		b := &builder{
			settled:  s,
			in:       r.in,
			compiler: compiler,
			scope:    expr.NewScope(s.params, r.self(s), environment, directories[s.target]),
			problems: p,
			told:     p,
			out:      r.service(s),
		}
		if s.open {
			b.leave()
		}
		b.build()
		out.Services = append(out.Services, b.out)
	}
	return out, nil
}

// service is what is known of a service without its expressions.
func (r *roster) service(s *settled) Service {
	out := Service{
		Name:   s.service.Name,
		Group:  s.group,
		Image:  s.image,
		Needs:  s.service.Needs,
		Values: s.values,
	}
	if c := s.template.Spec.Container; c != nil && !s.onHost() {
		out.Ready = c.Ready
	}
	if s.service.Expose != nil {
		out.URL = r.in.url(s.service.Name)
	}
	out.MinReadySeconds = stable(s.template.Spec.Readiness)
	return out
}

// withoutProbe is how long a process must run to count as ready when nothing asks it: one
// that exits at once must not open a gate on its way out.
const withoutProbe = 2

func stable(readiness *v1alpha1.Readiness) int32 {
	if readiness == nil {
		return withoutProbe
	}
	return readiness.MinReadySeconds
}

// directory is what the expressions of a service may ask about the others: how it reaches
// them depends on where it runs itself.
func (r *roster) directory(services []*settled, asker v1alpha1.Target) *expr.Directory {
	addresses := make(map[string]expr.Address, len(services))
	for _, s := range services {
		address := expr.Address{Host: s.hostFor(asker), Image: s.image, Ports: map[string]int64{}}
		for i, port := range s.template.Spec.Ports {
			address.Ports[port.Name] = int64(port.Port)
			if i == 0 {
				address.Port = int64(port.Port)
			}
		}
		if s.service.Expose != nil {
			address.URL = r.in.url(s.service.Name)
		}
		addresses[s.service.Name] = address
	}
	var leftOut []string
	for _, name := range r.names() {
		if !r.runs(name) {
			leftOut = append(leftOut, name)
		}
	}
	return expr.NewDirectory(addresses, leftOut)
}

func (r *roster) environment() map[string]string {
	return map[string]string{
		"name":      r.in.Environment.Name,
		"namespace": r.in.Namespace,
		"class":     r.in.Environment.Spec.Class,
		"product":   r.in.Product.Name,
		"domain":    r.in.Class.Spec.Domain,
	}
}

func (r *roster) self(s *settled) map[string]string {
	out := map[string]string{"name": s.service.Name, "group": s.group}
	if s.image != "" {
		out["image"] = s.image
	}
	return out
}

// builder makes the objects of one service.
type builder struct {
	*settled
	in       Input
	compiler *expr.Compiler
	scope    *expr.Scope
	problems *problems
	// told are the problems that are told, also of a service that is open.
	told *problems
	out  Service
}

// text evaluates text at a field, and records the services it names.
func (b *builder) text(field, text string) string {
	result, err := b.evaluate(field, text)
	if err != nil {
		b.problems.wrap(field, err)
	}
	return result.Text()
}

func (b *builder) evaluate(field, text string) (expr.Result, error) {
	compiled, err := b.compiler.Compile(text)
	if err != nil {
		if b.open { // else who asked tells of it, who may know more of where it stands
			b.told.wrap(field, err)
		}
		return expr.Result{}, err
	}
	result, err := compiled.Eval(b.scope)
	for _, name := range result.Services {
		b.refer(name, field)
	}
	return result, err
}

func (b *builder) refer(name, field string) {
	if name == b.out.Name {
		return
	}
	for _, known := range b.out.References {
		if known.Service == name {
			return
		}
	}
	b.out.References = append(b.out.References, Reference{Service: name, Field: field})
}

func (b *builder) texts(field string, list []string) []string {
	var out []string
	for i, text := range list {
		out = append(out, b.text(fmt.Sprintf("%s[%d]", field, i), text))
	}
	return out
}

// refuseConflicts refuses two writers of one object.
func refuseConflicts(out *Rendered, r *roster, p *problems) {
	type key struct {
		kind schema.GroupKind
		name string
	}
	writers := map[key]string{}
	for i := range out.Services {
		s := &out.Services[i]
		for _, object := range s.objects() {
			k := key{object.GroupVersionKind().GroupKind(), object.GetName()}
			first, ok := writers[k]
			if !ok {
				writers[k] = s.Name
				continue
			}
			what := object.GetKind() + "/" + object.GetName()
			if first == s.Name {
				p.add(r.byName[s.Name].field, "rename one of the objects", "the service %q writes %s twice", s.Name, what)
				continue
			}
			p.add(r.byName[s.Name].field, "rename one of the services, or the object in its manifests",
				"the services %q and %q both write %s", first, s.Name, what)
		}
	}
}

// objects are all objects of the service.
func (s *Service) objects() []*unstructured.Unstructured {
	out := append([]*unstructured.Unstructured(nil), s.Passive...)
	out = append(out, s.Workloads...)
	for _, hook := range s.Hooks {
		out = append(out, hook.Job)
	}
	return out
}
