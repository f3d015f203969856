package render

import (
	"fmt"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/expr"
	"spock.dev/spock/pkg/nearest"
	"spock.dev/spock/pkg/placement"
)

// settled is a service whose values no layer changes any more.
type settled struct {
	*member
	params map[string]any
	image  string
	// images of single containers, by their names.
	images map[string]layered
	// replicas is 1 for a Job.
	replicas int32
	env      []variable
	values   []Value
	// target it runs in, and its hosts when that is one of them.
	target v1alpha1.Target
	places []placement.Host
	// open: a parameter of it has no value in a draft.
	open bool
	// noHost: it is to run on a machine, and its template does not say how.
	noHost bool
}

// variable is a variable of the process, with the layer that won and its field.
type variable struct {
	v1alpha1.EnvVar
	layer Layer
	field string
}

// settle settles the services of the environment, in product order.
func (r *roster) settle(p *problems) []*settled {
	compiler, err := expr.NewCompiler()
	if err != nil {
		p.wrap("expressions", err)
		return nil
	}
	var out []*settled
	for _, m := range r.members {
		if !r.runs(m.service.Name) || m.template == nil {
			continue
		}
		s := &settled{member: m}
		sources := r.layers.of(m)
		s.settleTarget(sources)
		s.parameters(sources, r.in.Draft, p)
		r.settleImage(s, sources, compiler, p)
		s.settleImages(sources, p)
		s.settleReplicas(sources, p)
		s.settleEnv(sources)
		r.checkSecrets(s, p)
		r.checkShape(s, p)
		out = append(out, s)
	}
	return out
}

// settleImage takes the strongest image. Only the template's may hold expressions, and
// those see no other service: addresses are made of images.
func (r *roster) settleImage(s *settled, sources []source, compiler *expr.Compiler, p *problems) {
	value, field := Value{Name: "image", Layer: LayerTemplate}, s.templateField()+" container.image"
	image := ""
	for _, src := range sources {
		if src.values.Image != "" {
			image, value.Layer, field = src.values.Image, src.layer, src.field+": image"
		}
	}
	if own := s.ownImage(); image == "" && own != "" {
		scope := expr.NewScope(s.params, r.self(s), r.environment(), expr.Unsettled())
		result, err := evaluate(compiler, own, scope)
		if err != nil && !s.open {
			p.wrap(field, err)
			return
		}
		image = result.Text()
	}
	if r.in.Draft && !s.ownProgram() && (image == "" || s.open) {
		image = draftImage // a template's may depend on what is open
	}
	switch {
	case image != "":
		if problem := badImage(image); problem != "" {
			p.add(field, "write "+wanted(v1alpha1.ParameterImage), "%s", problem)
		}
		s.image, value.Value = image, image
		s.values = append(s.values, value)
	case s.onHost() && len(s.template.Spec.Host.Exec) > 0: // a program of the machine's
	case !s.manifests() || len(s.template.Spec.Hooks) > 0:
		p.add(s.field+": image", "set it in the product or environment, or pass it with the deploy", "no layer gives the service an image")
	}
}

func evaluate(compiler *expr.Compiler, text string, scope *expr.Scope) (expr.Result, error) {
	compiled, err := compiler.Compile(text)
	if err != nil {
		return expr.Result{}, err
	}
	return compiled.Eval(scope)
}

// settleReplicas takes the strongest number of instances, where the workload has one.
func (s *settled) settleReplicas(sources []source, p *problems) {
	s.replicas = 1
	value, field, given := Value{Name: "replicas", Layer: LayerTemplate}, s.templateField()+" container.replicas", false
	if container := s.template.Spec.Container; container != nil && container.Replicas != nil {
		s.replicas, given = *container.Replicas, true
	}
	for _, src := range sources {
		if src.values.Replicas != nil {
			s.replicas, value.Layer, field, given = *src.values.Replicas, src.layer, src.field+": replicas", true
		}
	}
	switch {
	case given && s.manifests():
		p.add(field, "make it a parameter of the template, and remove replicas", "the template brings its own manifests, so replicas are not used")
	case given && s.kind() == v1alpha1.WorkloadJob:
		p.add(field, "remove replicas", "a Job runs once and has no replicas")
	case s.replicas < 0:
		p.add(field, "write 0 or more", "%d replicas cannot run", s.replicas)
	case s.replicas > 1 && len(s.volumes()) > 0 && !s.onHost():
		p.add(field, "set replicas to 1, or remove the volumes", "%d replicas cannot share volumes, which serve one instance at a time", s.replicas)
	case !s.manifests() && s.kind() != v1alpha1.WorkloadJob:
		value.Value = int64(s.replicas)
		s.values = append(s.values, value)
	}
}

// settleEnv merges the variables by name; the order is that of first appearance.
func (s *settled) settleEnv(sources []source) {
	at := map[string]int{}
	set := func(v variable) {
		if i, ok := at[v.Name]; ok {
			s.env[i] = v
			return
		}
		at[v.Name] = len(s.env)
		s.env = append(s.env, v)
	}
	for _, v := range s.template.Spec.Env {
		set(variable{v, LayerTemplate, s.templateField() + " env " + v.Name})
	}
	for _, src := range sources {
		for _, v := range src.values.Env {
			set(variable{v, src.layer, src.field + ": env " + v.Name})
		}
	}
}

// checkSecrets refuses variables from Secrets that the product does not declare.
func (r *roster) checkSecrets(s *settled, p *problems) {
	names := make([]string, 0, len(r.secrets))
	for name := range r.secrets {
		names = append(names, name)
	}
	for _, v := range s.env {
		if (v.Value == nil) == (v.Secret == nil) {
			p.add(v.field, "set exactly one", "the variable has neither or both of value and secret")
			continue
		}
		if v.Secret == nil {
			continue
		}
		keys, ok := r.secrets[v.Secret.Name]
		if !ok {
			p.add(v.field, nearest.Hint(v.Secret.Name, names, "declare it under product.spec.secrets"), "the product declares no secret %q", v.Secret.Name)
			continue
		}
		if len(unknown(map[string]bool{v.Secret.Key: true}, keys)) > 0 {
			p.add(v.field, nearest.Hint(v.Secret.Key, keys, "add the key under product.spec.secrets"), "the secret %q has no key %q", v.Secret.Name, v.Secret.Key)
		}
	}
}

// templateField is where a field of the template is, as used by this service.
func (s *settled) templateField() string {
	return fmt.Sprintf("%s: template %q", s.field, s.template.Name)
}

func (s *settled) manifests() bool {
	return !s.onHost() && ownObjects(s.template.Spec.Container)
}

func (s *settled) kind() v1alpha1.WorkloadKind {
	if c := s.template.Spec.Container; c != nil && c.Kind != "" {
		return c.Kind
	}
	return v1alpha1.WorkloadDeployment
}

func (s *settled) volumes() []v1alpha1.Volume {
	if c := s.template.Spec.Container; c != nil {
		return c.Volumes
	}
	return nil
}
