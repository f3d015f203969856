package render

import (
	"cmp"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"

	corev1 "k8s.io/api/core/v1"
	discoveryv1 "k8s.io/api/discovery/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/util/intstr"
	netutils "k8s.io/utils/net"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/unit"
)

const (
	hostStartSeconds = 60
	hostStopSeconds  = 10
)

func (s *settled) onHost() bool { return s.target == v1alpha1.TargetHost }

// hostFor is where a service in asker's place reaches this one; empty when it cannot.
func (s *settled) hostFor(asker v1alpha1.Target) string {
	switch {
	case asker != v1alpha1.TargetHost:
		return s.service.Name
	case s.onHost() && len(s.places) > 0:
		return s.places[0].Address
	default:
		return ""
	}
}

// ownImage is the template's own, for the target that the service runs in.
func (s *settled) ownImage() string {
	switch {
	case s.onHost():
		return s.template.Spec.Host.Image
	case s.template.Spec.Container != nil:
		return s.template.Spec.Container.Image
	}
	return ""
}

// ownProgram says that the template names a program that no image brings.
func (s *settled) ownProgram() bool {
	return s.onHost() && s.template.Spec.Host.Image == "" && len(s.template.Spec.Host.Exec) > 0
}

// hostServices makes an object per instance, and the address under which pods reach them.
func (b *builder) hostServices() {
	want := b.instance()
	if b.in.Class != nil && b.in.Class.Spec.HostNamespace != b.in.Environment.Namespace {
		want.HostNamespace = b.in.Class.Spec.HostNamespace
	}
	for i, place := range b.places {
		want.Host = place.Name
		raw, err := json.Marshal(want)
		spec := map[string]any{}
		if err == nil {
			err = json.Unmarshal(raw, &spec)
		}
		if err != nil {
			b.problems.wrap(b.field, fmt.Errorf("encode instance %d: %w", i, err))
			return
		}
		o := &unstructured.Unstructured{Object: map[string]any{"spec": wholeNumbers(spec)}}
		o.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.KindHostService))
		o.SetName(fmt.Sprintf("%s-%d", b.out.Name, i))
		o.SetNamespace(b.in.Namespace)
		o.SetLabels(b.labels())
		b.out.Workloads = append(b.out.Workloads, o)
	}
	b.hostAddress()
}

// wholeNumbers are what Kubernetes' objects hold instead of floats.
func wholeNumbers(v any) any {
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			v[key] = wholeNumbers(child)
		}
	case []any:
		for i, child := range v {
			v[i] = wholeNumbers(child)
		}
	case float64:
		return int64(v)
	}
	return v
}

// instance is what all instances have in common.
func (b *builder) instance() unit.Instance {
	field, h := b.templateField(), b.settled.template.Spec.Host
	out := unit.Instance{
		Image: b.image, Exec: b.texts(field+" host.exec", h.Exec), Args: b.texts(field+" host.args", h.Args),
		User: h.User, WorkDir: h.WorkDir, Notify: h.Notify, StopSignal: h.Stop.Signal,
		StartSeconds: cmp.Or(h.StartSeconds, hostStartSeconds), StopSeconds: cmp.Or(h.Stop.Seconds, hostStopSeconds),
		Limits: hostLimits(h.Limits), Ready: b.hostReadiness(), Running: true, Intact: true,
	}
	for _, v := range h.Volumes {
		out.Volumes = append(out.Volumes, unit.Volume{Name: v.Name, Path: v.MountPath})
	}
	for _, port := range b.settled.template.Spec.Ports {
		out.Ports = append(out.Ports, port.Port)
	}
	b.hostContents(&out, h)
	if h.Handover {
		for _, port := range b.settled.template.Spec.Ports {
			out.Sockets = append(out.Sockets, unit.Socket{Port: port.Port, Datagram: protocol(port) == corev1.ProtocolUDP})
		}
	}
	for _, file := range b.settled.template.Spec.Files {
		content := file.Content
		if !file.Literal {
			content = b.text(fmt.Sprintf("%s file %s", field, file.Path), content)
		}
		out.Files = append(out.Files, unit.Content{Path: file.Path, Content: content})
	}
	b.hostVariables(&out)
	return out
}

// hostContents is what an instance is made of besides its image.
func (b *builder) hostContents(out *unit.Instance, h *v1alpha1.HostProcess) {
	field := b.templateField()
	out.Insecure = h.Insecure && b.image != ""
	if h.SecretRef != nil && b.image != "" {
		out.ImageSecret = h.SecretRef.Name
	}
	if a := h.Archive; a != nil {
		out.Archive = &unit.Archive{URL: b.text(field+" host.archive.url", a.URL), SHA256: strings.ToLower(b.text(field+" host.archive.sha256", a.SHA256)), Strip: int(a.Strip)}
		if a.SecretRef != nil {
			out.Archive.Secret = a.SecretRef.Name
		}
		out.WorkDir = cmp.Or(out.WorkDir, unit.App)
		b.checkArchive(out.Archive)
	}
	if p := h.Package; p != nil {
		out.Package = &unit.Package{Install: b.texts(field+" host.package.install", p.Install), Remove: b.texts(field+" host.package.remove", p.Remove)}
	}
}

var sha256Hex = regexp.MustCompile(`^[0-9a-f]{64}$`)

// checkArchive refuses values that no archive can be got by. In a draft they may be open.
func (b *builder) checkArchive(a *unit.Archive) {
	if b.in.Draft {
		return
	}
	field := b.templateField() + " host.archive"
	switch u, err := url.Parse(a.URL); {
	case err == nil && u.User != nil:
		b.problems.add(field+".url", "put them into a Secret, and name it in host.archive.secretRef", "the URL for %q holds a name or password", u.Host)
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		b.problems.add(field+".url", "write it as https://example.com/name.tar.gz", "%q is no URL of an archive", a.URL)
	}
	if !sha256Hex.MatchString(a.SHA256) {
		b.problems.add(field+".sha256", "write the 64 digits that sha256sum prints", "%q is no SHA-256", a.SHA256)
	}
}

func hostLimits(l v1alpha1.HostLimits) unit.Limits {
	out := unit.Limits{Tasks: l.Tasks, OpenFiles: l.OpenFiles}
	if l.CPU != nil {
		out.CPU = l.CPU.MilliValue()
	}
	if l.Memory != nil {
		out.Memory = l.Memory.Value()
	}
	return out
}

// hostVariables evaluates the variables. What a kubelet does for a pod, `$(OTHER)`, is done
// here; a secret is not known here, so that no other variable can hold it.
func (b *builder) hostVariables(out *unit.Instance) {
	known := map[string]string{}
	for _, v := range b.variables() {
		if v.ValueFrom != nil {
			ref := v.ValueFrom.SecretKeyRef
			out.Secrets = append(out.Secrets, unit.SecretVariable{Name: v.Name, Secret: ref.Name, Key: ref.Key})
			continue
		}
		value := dependent.ReplaceAllStringFunc(v.Value, func(match string) string {
			if match == "$$" {
				return "$"
			}
			name := match[2 : len(match)-1]
			if slices.ContainsFunc(out.Secrets, func(s unit.SecretVariable) bool { return s.Name == name }) {
				b.problems.add(fmt.Sprintf("%s env %s", b.templateField(), v.Name), "have the program read both variables, or run the service in a container",
					"it is made of the secret variable %q, which only the process may see on a machine", name)
			}
			if text, ok := known[name]; ok {
				return text
			}
			return match
		})
		known[v.Name] = value
		out.Env = append(out.Env, unit.Variable{Name: v.Name, Value: value})
	}
}

// dependent is a reference to another variable, or an escaped dollar.
var dependent = regexp.MustCompile(`\$\$|\$\([A-Za-z_][A-Za-z0-9_]*\)`)

// hostReadiness is how a machine sees that an instance is ready: for how many seconds it
// must be, and what is asked.
func (b *builder) hostReadiness() []string {
	if b.settled.template.Spec.Host.Notify {
		return nil
	}
	stable, r := strconv.Itoa(int(b.out.MinReadySeconds)), b.settled.template.Spec.Readiness
	switch {
	case r == nil || !probes(r):
		return []string{stable, "none"}
	case r.HTTP != nil:
		return []string{stable, "http", b.hostPort(r.HTTP.Port), cmp.Or(r.HTTP.Path, "/")}
	case r.TCP != nil:
		return []string{stable, "tcp", b.hostPort(r.TCP.Port)}
	default:
		return append([]string{stable, "exec"}, r.Exec.Command...)
	}
}

func (b *builder) hostPort(port *intstr.IntOrString) string {
	ports := b.settled.template.Spec.Ports
	if port != nil && port.Type == intstr.Int {
		return strconv.Itoa(port.IntValue())
	}
	for i, p := range ports {
		if port == nil && i == 0 || port != nil && p.Name == port.StrVal {
			return strconv.Itoa(int(p.Port))
		}
	}
	return ""
}

// hostAddress makes a Service without pods, and the machines as its endpoints.
func (b *builder) hostAddress() {
	ports := b.settled.template.Spec.Ports
	if len(ports) == 0 {
		return
	}
	service := &corev1.Service{TypeMeta: metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}, ObjectMeta: b.meta(b.out.Name)}
	slice := &discoveryv1.EndpointSlice{
		TypeMeta:   metav1.TypeMeta{APIVersion: discoveryv1.SchemeGroupVersion.String(), Kind: "EndpointSlice"},
		ObjectMeta: b.meta(b.out.Name + "-hosts"), AddressType: discoveryv1.AddressTypeIPv4,
	}
	slice.Labels[discoveryv1.LabelServiceName] = b.out.Name
	slice.Labels[discoveryv1.LabelManagedBy] = "spock"
	for _, port := range ports {
		service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{Name: port.Name, Port: port.Port, TargetPort: intstr.FromInt32(port.Port), Protocol: protocol(port)})
		slice.Ports = append(slice.Ports, discoveryv1.EndpointPort{Name: ptr.To(port.Name), Port: ptr.To(port.Port), Protocol: ptr.To(protocol(port))})
	}
	for _, place := range b.places {
		slice.Endpoints = append(slice.Endpoints, discoveryv1.Endpoint{Addresses: []string{place.Address}, Conditions: discoveryv1.EndpointConditions{Ready: ptr.To(true)}})
		if netutils.IsIPv6String(place.Address) {
			slice.AddressType = discoveryv1.AddressTypeIPv6
		}
	}
	b.out.Passive = append(b.out.Passive, b.object(service), b.object(slice))
	if b.service.Expose != nil {
		b.out.Passive = append(b.out.Passive, b.object(b.ingress()))
	}
}
