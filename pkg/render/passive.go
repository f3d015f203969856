package render

import (
	"encoding/json"
	"fmt"
	"path"
	"regexp"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// The labels that Kubernetes recommends.
const (
	labelName      = "app.kubernetes.io/name"
	labelPartOf    = "app.kubernetes.io/part-of"
	labelManagedBy = "app.kubernetes.io/managed-by"
)

var recommended = map[string]bool{labelName: true, labelPartOf: true, labelManagedBy: true}

// labels are on every object.
func (b *builder) labels() map[string]string {
	return map[string]string{
		labelName:                          b.out.Name,
		labelPartOf:                        b.in.Product.Name,
		labelManagedBy:                     "spock",
		v1alpha1.LabelEnvironment:          b.in.Environment.Name,
		v1alpha1.LabelEnvironmentNamespace: b.in.Environment.Namespace,
		v1alpha1.LabelService:              b.out.Name,
	}
}

func (b *builder) podLabels(role string) map[string]string {
	out := b.labels()
	out[v1alpha1.LabelRole] = role
	return out
}

// selector finds the pods that are the service, not those of its hooks.
func (b *builder) selector() map[string]string {
	return map[string]string{
		v1alpha1.LabelEnvironment: b.in.Environment.Name,
		v1alpha1.LabelService:     b.out.Name,
		v1alpha1.LabelRole:        v1alpha1.RoleWorkload,
	}
}

func (b *builder) meta(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: b.in.Namespace, Labels: b.labels()}
}

// maxConfigMap is the most that Kubernetes stores in one ConfigMap.
const maxConfigMap = 1 << 20

// files is the ConfigMap of the config files, and how they are mounted.
type files struct {
	name   string
	mounts []corev1.VolumeMount
}

var notKey = regexp.MustCompile(`[^-._a-zA-Z0-9]+`)

// configFiles makes the ConfigMap of the service's files, nil when it has none. Its name
// follows its content, so that a change of a file is a change of the pod.
func (b *builder) configFiles() *files {
	out, data, size := &files{}, map[string]string{}, 0
	for i, file := range b.settled.template.Spec.Files {
		content := file.Content
		if !file.Literal {
			content = b.text(fmt.Sprintf("%s file %s", b.templateField(), file.Path), content)
		}
		base := notKey.ReplaceAllString(path.Base(file.Path), "_")
		key := fmt.Sprintf("%d-%s", i, base[:min(len(base), 200)])
		data[key] = content
		size += len(key) + len(content)
		out.mounts = append(out.mounts, corev1.VolumeMount{Name: "files", MountPath: file.Path, SubPath: key, ReadOnly: true})
	}
	if len(data) == 0 {
		return nil
	}
	if over := size - maxConfigMap; over > 0 {
		b.problems.add(b.templateField()+" files", "make them smaller, or put them into the image",
			"the files are %d bytes together, %d more than the %d a ConfigMap may hold", size, over, maxConfigMap)
	}
	content, err := json.Marshal(data)
	if err != nil {
		b.problems.wrap(b.templateField()+" files", err)
	}
	out.name = named(b.out.Name+"-files", hash8(content))
	b.out.Passive = append(b.out.Passive, b.object(&corev1.ConfigMap{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ConfigMap"},
		ObjectMeta: b.meta(out.name),
		Immutable:  ptr.To(true),
		Data:       data,
	}))
	return out
}

func (b *builder) claimName(volume v1alpha1.Volume) string { return b.out.Name + "-" + volume.Name }

// claims makes a claim for every volume.
func (b *builder) claims() {
	for _, volume := range b.volumes() {
		b.out.Passive = append(b.out.Passive, b.object(&corev1.PersistentVolumeClaim{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "PersistentVolumeClaim"},
			ObjectMeta: b.meta(b.claimName(volume)),
			Spec: corev1.PersistentVolumeClaimSpec{
				AccessModes: []corev1.PersistentVolumeAccessMode{corev1.ReadWriteOnce},
				Resources:   corev1.VolumeResourceRequirements{Requests: corev1.ResourceList{corev1.ResourceStorage: volume.Size}},
			},
		}))
	}
}

// network makes the Service, unless the template brings one of that name, and the Ingress.
func (b *builder) network() {
	ports := b.settled.template.Spec.Ports
	if len(ports) > 0 && !b.hasService() {
		service := &corev1.Service{
			TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "Service"},
			ObjectMeta: b.meta(b.out.Name),
			Spec:       corev1.ServiceSpec{Selector: b.selector()},
		}
		for _, port := range ports {
			service.Spec.Ports = append(service.Spec.Ports, corev1.ServicePort{
				Name: port.Name, Port: port.Port, TargetPort: intstr.FromString(port.Name), Protocol: protocol(port),
			})
			if b.manifests() {
				// The pods of own manifests need not name their ports.
				service.Spec.Ports[len(service.Spec.Ports)-1].TargetPort = intstr.FromInt32(port.Port)
			}
		}
		b.out.Passive = append(b.out.Passive, b.object(service))
	}
	if b.service.Expose != nil {
		b.out.Passive = append(b.out.Passive, b.object(b.ingress()))
	}
}

func (b *builder) hasService() bool {
	for _, object := range b.out.Passive {
		if object.GetKind() == "Service" && object.GetAPIVersion() == "v1" && object.GetName() == b.out.Name {
			return true
		}
	}
	return false
}

// ingress makes the public address.
func (b *builder) ingress() *networkingv1.Ingress {
	port := b.service.Expose.Port
	if port == "" {
		port = b.settled.template.Spec.Ports[0].Name
	}
	out := &networkingv1.Ingress{
		TypeMeta:   metav1.TypeMeta{APIVersion: "networking.k8s.io/v1", Kind: "Ingress"},
		ObjectMeta: b.meta(b.out.Name),
		Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{
			Host: b.in.host(b.out.Name),
			IngressRuleValue: networkingv1.IngressRuleValue{HTTP: &networkingv1.HTTPIngressRuleValue{
				Paths: []networkingv1.HTTPIngressPath{{
					Path:     "/",
					PathType: ptr.To(networkingv1.PathTypePrefix),
					Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{
						Name: b.out.Name, Port: networkingv1.ServiceBackendPort{Name: port},
					}},
				}},
			}},
		}}},
	}
	if class := b.in.Class.Spec.IngressClassName; class != "" {
		out.Spec.IngressClassName = ptr.To(class)
	}
	return out
}
