package render

import (
	"encoding/json"
	"maps"
	"slices"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

const (
	gracePeriodSeconds = 10
	probePeriod        = 2
	probeTimeout       = 2
	// A readiness probe kills nothing, so a slow start needs no patience of it; three
	// misses in a row keep one slow answer from taking an instance out.
	probeFailures = 3
)

// process is what differs between a service's own pod and those of its hooks.
type process struct {
	role          string
	command, args []string
	probe         *corev1.Probe
	ports         []corev1.ContainerPort
	volumes       []v1alpha1.Volume
}

// template is the pod template of a process.
func (b *builder) template(p process, shared shared) corev1.PodTemplateSpec {
	container := b.settled.template.Spec.Container
	volumes, mounts := b.storage(p, shared.files)
	return corev1.PodTemplateSpec{
		ObjectMeta: metav1.ObjectMeta{Labels: b.podLabels(p.role)},
		Spec: corev1.PodSpec{
			Containers: []corev1.Container{{
				Name:            b.out.Name,
				Image:           b.image,
				Command:         p.command,
				Args:            p.args,
				Env:             shared.env,
				Ports:           p.ports,
				Resources:       *container.Resources.DeepCopy(),
				VolumeMounts:    mounts,
				ReadinessProbe:  p.probe,
				SecurityContext: confined(container),
			}},
			Volumes:                       volumes,
			NodeSelector:                  maps.Clone(container.NodeSelector),
			SecurityContext:               identity(container, len(p.volumes) > 0),
			TerminationGracePeriodSeconds: ptr.To[int64](gracePeriodSeconds),
			AutomountServiceAccountToken:  ptr.To(false),
			EnableServiceLinks:            ptr.To(false),
		},
	}
}

func confined(c *v1alpha1.Container) *corev1.SecurityContext {
	return &corev1.SecurityContext{
		AllowPrivilegeEscalation: ptr.To(false),
		Capabilities:             &corev1.Capabilities{Drop: []corev1.Capability{"ALL"}},
		ReadOnlyRootFilesystem:   ptr.To(!c.Writable),
	}
}

// identity says as whom the pod runs. Volumes belong to the user's group.
func identity(c *v1alpha1.Container, volumes bool) *corev1.PodSecurityContext {
	out := &corev1.PodSecurityContext{SeccompProfile: &corev1.SeccompProfile{Type: corev1.SeccompProfileTypeRuntimeDefault}}
	if c.RunAsUser == nil {
		return out
	}
	out.RunAsUser = ptr.To(*c.RunAsUser)
	if *c.RunAsUser != 0 {
		out.RunAsNonRoot = ptr.To(true)
	}
	if volumes {
		out.FSGroup = ptr.To(*c.RunAsUser)
	}
	return out
}

// storage mounts the files, the volumes and a writable /tmp.
func (b *builder) storage(p process, files *files) ([]corev1.Volume, []corev1.VolumeMount) {
	var volumes []corev1.Volume
	var mounts []corev1.VolumeMount
	for _, volume := range p.volumes {
		name := "volume-" + volume.Name
		volumes = append(volumes, corev1.Volume{Name: name, VolumeSource: corev1.VolumeSource{
			PersistentVolumeClaim: &corev1.PersistentVolumeClaimVolumeSource{ClaimName: b.claimName(volume)},
		}})
		mounts = append(mounts, corev1.VolumeMount{Name: name, MountPath: volume.MountPath})
	}
	if !slices.ContainsFunc(p.volumes, func(v v1alpha1.Volume) bool { return v.MountPath == "/tmp" }) {
		volumes = append(volumes, corev1.Volume{Name: "tmp", VolumeSource: corev1.VolumeSource{EmptyDir: &corev1.EmptyDirVolumeSource{}}})
		mounts = append(mounts, corev1.VolumeMount{Name: "tmp", MountPath: "/tmp"})
	}
	if files == nil {
		return volumes, mounts
	}
	volumes = append(volumes, corev1.Volume{Name: "files", VolumeSource: corev1.VolumeSource{
		ConfigMap: &corev1.ConfigMapVolumeSource{LocalObjectReference: corev1.LocalObjectReference{Name: files.name}},
	}})
	return volumes, append(mounts, files.mounts...)
}

// variables evaluates the variables, and lists them among the values.
func (b *builder) variables() []corev1.EnvVar {
	var out []corev1.EnvVar
	for _, v := range b.env {
		value := Value{Name: "env." + v.Name, Layer: v.layer}
		if v.Secret != nil {
			value.Value = "secret " + v.Secret.Name + "/" + v.Secret.Key
			out = append(out, corev1.EnvVar{Name: v.Name, ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{
				LocalObjectReference: corev1.LocalObjectReference{Name: v.Secret.Name}, Key: v.Secret.Key,
			}}})
		} else {
			text := b.text(v.field, *v.Value)
			value.Value = text
			out = append(out, corev1.EnvVar{Name: v.Name, Value: text})
		}
		b.out.Values = append(b.out.Values, value)
	}
	return out
}

// probe is the readiness probe, nil when the template has none.
func (b *builder) probe() *corev1.Probe {
	r := b.settled.template.Spec.Readiness
	if r == nil {
		return nil
	}
	out := &corev1.Probe{PeriodSeconds: probePeriod, TimeoutSeconds: probeTimeout, FailureThreshold: probeFailures}
	if r.PeriodSeconds > 0 {
		out.PeriodSeconds = r.PeriodSeconds
	}
	switch {
	case r.HTTP != nil:
		out.HTTPGet = &corev1.HTTPGetAction{Path: r.HTTP.Path, Port: b.probePort(r.HTTP.Port)}
		if out.HTTPGet.Path == "" {
			out.HTTPGet.Path = "/"
		}
	case r.TCP != nil:
		out.TCPSocket = &corev1.TCPSocketAction{Port: b.probePort(r.TCP.Port)}
	case r.Exec != nil:
		out.Exec = &corev1.ExecAction{Command: r.Exec.Command}
	default:
		return nil
	}
	return out
}

func (b *builder) probePort(port *intstr.IntOrString) intstr.IntOrString {
	if port != nil {
		return *port
	}
	return intstr.FromString(b.settled.template.Spec.Ports[0].Name)
}

func (b *builder) containerPorts() []corev1.ContainerPort {
	var out []corev1.ContainerPort
	for _, port := range b.settled.template.Spec.Ports {
		out = append(out, corev1.ContainerPort{Name: port.Name, ContainerPort: port.Port, Protocol: protocol(port)})
	}
	return out
}

func protocol(port v1alpha1.Port) corev1.Protocol {
	if port.Protocol == "" {
		return corev1.ProtocolTCP
	}
	return port.Protocol
}

// digest follows everything that a pod runs.
func digest(spec corev1.PodSpec) (string, error) {
	content, err := json.Marshal(spec)
	if err != nil {
		return "", err
	}
	return hash8(content), nil
}
