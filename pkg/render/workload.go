package render

import (
	"fmt"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/util/intstr"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/manifest"
)

// shared is what the service's pod and its hooks have in common.
type shared struct {
	env   []corev1.EnvVar
	files *files
}

// build makes all objects of the service.
func (b *builder) build() {
	if b.onHost() {
		b.hostServices()
		return
	}
	common := shared{env: b.variables(), files: b.configFiles()}
	b.hooks(common)
	if b.manifests() {
		before := len(b.problems.list)
		if b.ownManifests(); len(b.problems.list) == before { // else some containers are not known
			b.replaceImages()
		}
	} else {
		b.claims()
		b.workload(common)
	}
	b.network()
}

// workload makes the object that runs the service.
func (b *builder) workload(common shared) {
	field, c := b.templateField(), b.settled.template.Spec.Container
	p := process{
		role:    v1alpha1.RoleWorkload,
		command: b.texts(field+" container.command", c.Command),
		args:    b.texts(field+" container.args", c.Args),
		ports:   b.containerPorts(),
		volumes: c.Volumes,
	}
	var object runtime.Object
	switch b.kind() {
	case v1alpha1.WorkloadJob:
		object = b.job(b.out.Name, b.template(p, common))
	case v1alpha1.WorkloadStatefulSet:
		p.probe = b.probe()
		object = b.statefulSet(b.template(p, common))
	default:
		p.probe = b.probe()
		object = b.deployment(b.template(p, common))
	}
	b.out.Workloads = append(b.out.Workloads, b.object(object))
}

func (b *builder) deployment(template corev1.PodTemplateSpec) *appsv1.Deployment {
	strategy := appsv1.DeploymentStrategy{Type: appsv1.RecreateDeploymentStrategyType}
	if len(b.volumes()) == 0 {
		strategy = appsv1.DeploymentStrategy{Type: appsv1.RollingUpdateDeploymentStrategyType, RollingUpdate: &appsv1.RollingUpdateDeployment{
			MaxUnavailable: ptr.To(intstr.FromInt32(0)), MaxSurge: ptr.To(intstr.FromInt32(1)),
		}}
	}
	return &appsv1.Deployment{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"},
		ObjectMeta: b.meta(b.out.Name),
		Spec: appsv1.DeploymentSpec{
			Replicas:             ptr.To(b.replicas),
			Selector:             &metav1.LabelSelector{MatchLabels: b.selector()},
			Strategy:             strategy,
			RevisionHistoryLimit: ptr.To[int32](1),
			MinReadySeconds:      b.out.MinReadySeconds,
			Template:             template,
		},
	}
}

func (b *builder) statefulSet(template corev1.PodTemplateSpec) *appsv1.StatefulSet {
	out := &appsv1.StatefulSet{
		TypeMeta:   metav1.TypeMeta{APIVersion: "apps/v1", Kind: "StatefulSet"},
		ObjectMeta: b.meta(b.out.Name),
		Spec: appsv1.StatefulSetSpec{
			Replicas:             ptr.To(b.replicas),
			Selector:             &metav1.LabelSelector{MatchLabels: b.selector()},
			RevisionHistoryLimit: ptr.To[int32](1),
			MinReadySeconds:      b.out.MinReadySeconds,
			Template:             template,
		},
	}
	if len(b.settled.template.Spec.Ports) > 0 {
		out.Spec.ServiceName = b.out.Name
	}
	return out
}

// job makes a Job whose name follows its content, since a Job cannot change.
func (b *builder) job(base string, template corev1.PodTemplateSpec) *batchv1.Job {
	template.Spec.RestartPolicy = corev1.RestartPolicyNever
	hash, err := digest(template.Spec)
	if err != nil {
		b.problems.wrap(b.field, fmt.Errorf("hashing the pod of job %q: %w", base, err))
	}
	return &batchv1.Job{
		TypeMeta:   metav1.TypeMeta{APIVersion: "batch/v1", Kind: "Job"},
		ObjectMeta: b.meta(named(base, hash)),
		Spec:       batchv1.JobSpec{BackoffLimit: ptr.To[int32](0), Template: template},
	}
}

// hooks makes the jobs that run before the workload.
func (b *builder) hooks(common shared) {
	for _, hook := range b.settled.template.Spec.Hooks {
		field := fmt.Sprintf("%s hook %s", b.templateField(), hook.Name)
		template := b.template(process{
			role:    v1alpha1.RoleHook,
			command: b.texts(field+" command", hook.Command),
			args:    b.texts(field+" args", hook.Args),
		}, common)
		job := b.job(b.out.Name+"-"+hook.Name, template)
		b.out.Hooks = append(b.out.Hooks, Hook{Name: hook.Name, Job: b.object(job)})
	}
}

// adopt labels an object of the template's own and puts it where it belongs. The
// recommended labels stay as the template has them: its selectors may use them.
func (b *builder) adopt(field string, object *unstructured.Unstructured) {
	keep := func(key string) bool { return recommended[key] }
	if err := manifest.Label(object, b.labels(), b.podLabels(v1alpha1.RoleWorkload), keep); err != nil {
		b.problems.wrap(field, err)
		return
	}
	if manifest.Passive(object) {
		b.out.Passive = append(b.out.Passive, object)
		return
	}
	b.out.Workloads = append(b.out.Workloads, object)
}

// object turns a typed object into what is applied: without status, nulls and the empty
// structs that Go's types write although nobody set them.
func (b *builder) object(typed runtime.Object) *unstructured.Unstructured {
	content, err := runtime.DefaultUnstructuredConverter.ToUnstructured(typed)
	if err != nil {
		b.problems.wrap(b.field, fmt.Errorf("converting an object: %w", err))
		return &unstructured.Unstructured{Object: map[string]any{}}
	}
	delete(content, "status")
	prune(content)
	return &unstructured.Unstructured{Object: content}
}

// unset are the fields of struct type that are written even when empty.
var unset = map[string]bool{"resources": true, "strategy": true, "updateStrategy": true}

func prune(v any) {
	switch v := v.(type) {
	case map[string]any:
		for key, child := range v {
			inner, isMap := child.(map[string]any)
			if child == nil || isMap && len(inner) == 0 && unset[key] {
				delete(v, key)
				continue
			}
			prune(child)
		}
	case []any:
		for _, child := range v {
			prune(child)
		}
	}
}
