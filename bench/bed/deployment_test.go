package bed

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

func TestAContainerRunsAsAProcess(t *testing.T) {
	t.Parallel()
	field := func(path string) *corev1.EnvVarSource {
		return &corev1.EnvVarSource{FieldRef: &corev1.ObjectFieldSelector{FieldPath: path}}
	}
	tests := map[string]struct {
		containers []corev1.Container
		env        []string
		err        string
	}{
		"variables have their values, and the namespace and name of the pod it would be": {
			containers: []corev1.Container{{Env: []corev1.EnvVar{
				{Name: "LEVEL", Value: "info"}, {Name: "WHERE", ValueFrom: field("metadata.namespace")}, {Name: "WHO", ValueFrom: field("metadata.name")},
			}}},
			env: []string{"LEVEL=info", "WHERE=system", "WHO=controller-0"},
		},
		"what only a pod has is refused": {
			containers: []corev1.Container{{Env: []corev1.EnvVar{{Name: "IP", ValueFrom: field("status.podIP")}}}},
			err:        "variable IP of deployment controller: a process has no such source",
		},
		"two containers are not one process": {
			containers: make([]corev1.Container, 2),
			err:        "deployment controller has 2 containers: it cannot run as one process",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &appsv1.Deployment{ObjectMeta: metav1.ObjectMeta{Name: "controller", Namespace: "system"}}
			d.Spec.Template.Spec.Containers = tc.containers
			_, env, err := process(d)
			got := ""
			if err != nil {
				got, env = err.Error(), nil
			}
			if diff := cmp.Diff(tc.err, got); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tc.env, env); diff != "" {
				t.Errorf("variables (-want +got):\n%s", diff)
			}
		})
	}
}
