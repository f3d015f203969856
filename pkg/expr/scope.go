package expr

import (
	"fmt"
	"sort"

	"github.com/google/cel-go/common/types"
	"github.com/google/cel-go/common/types/ref"
	"github.com/google/cel-go/common/types/traits"

	"spock.dev/spock/pkg/nearest"
)

// Address is what an expression may ask about a service.
type Address struct {
	// Host is the name under which the asking service reaches it; empty when it cannot.
	Host string
	// Ports by name.
	Ports map[string]int64
	// Port is the first port, 0 when there is none.
	Port int64
	// URL is the public address, empty when the service is not exposed.
	URL string
	// Image is empty when no layer gives one.
	Image string
}

// Directory holds the addresses of all services of an environment.
type Directory struct {
	services map[string]traits.Mapper
	names    []string
	leftOut  map[string]bool
	unknown  bool
}

// Unsettled returns the Directory of expressions that addresses themselves are made of:
// naming a service in them is an error.
func Unsettled() *Directory { return &Directory{unknown: true} }

// NewDirectory returns a Directory of the services by name, and of those that the
// product has but the environment leaves out.
func NewDirectory(services map[string]Address, leftOut []string) *Directory {
	d := &Directory{services: make(map[string]traits.Mapper, len(services)), leftOut: map[string]bool{}}
	for name, address := range services {
		d.services[name] = mapper(address.attributes())
		d.names = append(d.names, name)
	}
	sort.Strings(d.names)
	for _, name := range leftOut {
		d.leftOut[name] = true
	}
	return d
}

// attributes leaves out what the service does not have, so that has() tells.
func (a Address) attributes() map[string]any {
	out := map[string]any{"ports": a.Ports}
	if a.Host != "" {
		out["host"] = a.Host
	}
	if a.Ports == nil {
		out["ports"] = map[string]int64{}
	}
	if a.Port != 0 {
		out["port"] = a.Port
	}
	if a.URL != "" {
		out["url"] = a.URL
	}
	if a.Image != "" {
		out["image"] = a.Image
	}
	return out
}

// missing says what is wrong with a name that the directory does not have.
func (d *Directory) missing(name string) (problem, remedy string) {
	if d.unknown {
		return "an image cannot depend on services", "use params or environment"
	}
	if d.leftOut[name] {
		return fmt.Sprintf("service %q is left out by environment.spec.only", name), fmt.Sprintf("add %q to environment.spec.only", name)
	}
	return fmt.Sprintf("there is no service %q", name), nearest.Hint(name, d.names, "the product has no services")
}

// Scope is what the expressions of one service see. It is not for concurrent use.
type Scope struct {
	params    map[string]any
	directory *Directory
	values    map[string]any
	trace     trace
}

// trace is what one evaluation asked for by names that are no constants.
type trace struct {
	services        []string
	problem, remedy string
}

// NewScope returns the scope of a service. Parameters are string, int64 or bool; service
// has name, group and, when there is one, image; environment has name, namespace,
// class, product and domain.
func NewScope(params map[string]any, service, environment map[string]string, directory *Directory) *Scope {
	s := &Scope{params: params, directory: directory}
	s.values = map[string]any{
		"params": tracked{mapper(params), func(key string) {
			s.note(s.missingParameter(key))
		}, nil},
		"services":    services{tracked: tracked{mapper(map[string]any{}), nil, nil}, scope: s},
		"environment": environment,
		"service": tracked{mapper(service), func(string) {
			s.note("the service has no image", "set the image of the service, or do not use service.image")
		}, nil},
	}
	return s
}

func (s *Scope) note(problem, remedy string) {
	if s.trace.problem == "" {
		s.trace.problem, s.trace.remedy = problem, remedy
	}
}

func (s *Scope) missingParameter(name string) (problem, remedy string) {
	known := make([]string, 0, len(s.params))
	for k := range s.params {
		known = append(known, k)
	}
	return fmt.Sprintf("there is no parameter %q", name), nearest.Hint(name, known, "the template declares no parameters")
}

// check refuses a constant name that this scope does not have.
func (s *Scope) check(u use) (problem, remedy string, ok bool) {
	switch u.root {
	case "params":
		if _, ok := s.params[u.name]; !ok {
			problem, remedy = s.missingParameter(u.name)
			return problem, remedy, false
		}
	case "services":
		if _, ok := s.directory.services[u.name]; !ok {
			problem, remedy = s.directory.missing(u.name)
			return problem, remedy, false
		}
	}
	return "", "", true
}

func mapper(native any) traits.Mapper {
	return types.DefaultTypeAdapter.NativeToValue(native).(traits.Mapper)
}

// tracked is a map that notes the keys it was asked for and does not have.
type tracked struct {
	traits.Mapper
	missing func(key string)
	wrap    func(key string, value ref.Val) ref.Val
}

// Find implements traits.Mapper.
func (t tracked) Find(key ref.Val) (ref.Val, bool) {
	value, found := t.Mapper.Find(key)
	name, isText := key.(types.String)
	if !found && isText {
		t.missing(string(name))
	}
	if found && t.wrap != nil {
		value = t.wrap(string(name), value)
	}
	return value, found
}

// Get implements traits.Indexer.
func (t tracked) Get(key ref.Val) ref.Val {
	if value, found := t.Find(key); found {
		return value
	}
	return t.Mapper.Get(key)
}

// services is the directory as one evaluation sees it: it notes which services are asked for.
type services struct {
	tracked
	scope *Scope
}

// Find implements traits.Mapper.
func (s services) Find(key ref.Val) (ref.Val, bool) {
	name, ok := key.(types.String)
	if !ok {
		return types.NewErr("a service is named by text, not by %s", key.Type().TypeName()), false
	}
	found, ok := s.scope.directory.services[string(name)]
	if !ok {
		s.scope.note(s.scope.directory.missing(string(name)))
		return nil, false
	}
	s.scope.trace.services = append(s.scope.trace.services, string(name))
	return s.scope.address(string(name), found), true
}

// Get implements traits.Indexer.
func (s services) Get(key ref.Val) ref.Val {
	if value, found := s.Find(key); found || types.IsError(value) {
		return value
	}
	return types.NewErr("no such service: %v", key)
}

// address wraps the attributes of a service with the words for what it lacks.
func (s *Scope) address(service string, attributes traits.Mapper) traits.Mapper {
	missing := func(key string) {
		switch key {
		case "host":
			s.note(fmt.Sprintf("service %q runs in the cluster, where a machine cannot reach it by address", service),
				"expose it and use its url, or run both in the same place")
		case "port":
			s.note(fmt.Sprintf("service %q has no ports", service), "add ports to its template")
		case "url":
			s.note(fmt.Sprintf("service %q is not exposed, so it has no url", service),
				fmt.Sprintf("expose it in the product, or use http://${services['%s'].host}:${services['%s'].port}", service, service))
		case "image":
			s.note(fmt.Sprintf("service %q has no image", service), "set its image, or do not use it here")
		default:
			s.note(fmt.Sprintf("services.NAME has no %q", key), nearest.Hint(key, serviceAttributes, ""))
		}
	}
	ports := func(key string, value ref.Val) ref.Val {
		if key != "ports" {
			return value
		}
		return s.ports(service, value.(traits.Mapper))
	}
	return tracked{attributes, missing, ports}
}

func (s *Scope) ports(service string, ports traits.Mapper) traits.Mapper {
	return tracked{ports, func(key string) {
		s.note(fmt.Sprintf("service %q has no port %q", service, key), nearest.Hint(key, keys(ports), "add ports to its template"))
	}, nil}
}

func keys(m traits.Mapper) []string {
	var out []string
	for it := m.Iterator(); it.HasNext() == types.True; {
		if name, ok := it.Next().(types.String); ok {
			out = append(out, string(name))
		}
	}
	return out
}
