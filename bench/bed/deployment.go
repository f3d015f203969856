package bed

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"

	appsv1 "k8s.io/api/apps/v1"
	authenticationv1 "k8s.io/api/authentication/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes"
)

// RunDeployment runs the one container of a Deployment as a process of this user: with its
// arguments and variables, the rights of its service account, and further variables, which
// win. Its objects but the Deployment itself must be there. What it prints goes to a file
// of the Deployment's name.
func (b *Bed) RunDeployment(ctx context.Context, o *unstructured.Unstructured, program string, env ...string) (*Process, error) {
	d := &appsv1.Deployment{}
	if err := runtime.DefaultUnstructuredConverter.FromUnstructured(o.Object, d); err != nil {
		return nil, fmt.Errorf("read deployment %s: %w", o.GetName(), err)
	}
	container, settings, err := process(d)
	if err != nil {
		return nil, err
	}
	kubeconfig, err := b.accountKubeconfig(ctx, d.Namespace, d.Spec.Template.Spec.ServiceAccountName)
	if err != nil {
		return nil, err
	}
	settings = append(append(settings, "KUBECONFIG="+kubeconfig), env...)
	return Run(d.Name, b.path(d.Name+".log"), settings, slices.Concat([]string{program}, container.Args)...)
}

// process is how the container of a Deployment runs outside of a pod: as one that is
// started again in the same pod, each time.
func process(d *appsv1.Deployment) (corev1.Container, []string, error) {
	if n := len(d.Spec.Template.Spec.Containers); n != 1 {
		return corev1.Container{}, nil, fmt.Errorf("deployment %s has %d containers: it cannot run as one process", d.Name, n)
	}
	c := d.Spec.Template.Spec.Containers[0]
	var env []string
	for _, v := range c.Env {
		value := v.Value
		if v.ValueFrom != nil {
			if value = source(d, c, v.ValueFrom); value == "" {
				return c, nil, fmt.Errorf("variable %s of deployment %s: a process has no such source", v.Name, d.Name)
			}
		}
		env = append(env, v.Name+"="+value)
	}
	return c, env, nil
}

// source is the value of a variable that is taken from the pod; empty when a process has
// no such thing.
func source(d *appsv1.Deployment, c corev1.Container, from *corev1.EnvVarSource) string {
	switch {
	case from.FieldRef != nil:
		fields := map[string]string{"metadata.namespace": d.Namespace, "metadata.name": d.Name + "-0", "metadata.uid": d.Name + "-0"}
		return fields[from.FieldRef.FieldPath]
	case from.ResourceFieldRef != nil && from.ResourceFieldRef.Resource == "limits.memory":
		return strconv.FormatInt(c.Resources.Limits.Memory().Value(), 10)
	}
	return ""
}

// KnativePorts are variables that give a controller made with knative its own ports on
// loopback, for its metrics and its profiles.
func KnativePorts(metrics, profiles int) []string {
	return []string{"METRICS_PROMETHEUS_HOST=127.0.0.1", fmt.Sprintf("METRICS_PROMETHEUS_PORT=%d", metrics), fmt.Sprintf("PROFILING_PORT=%d", profiles)}
}

// tenYears is longer than any bed stands.
const tenYears = int64(10 * 365 * 24 * 3600)

// accountKubeconfig makes a kubeconfig for a service account.
func (b *Bed) accountKubeconfig(ctx context.Context, namespace, account string) (string, error) {
	client, err := kubernetes.NewForConfig(b.Config("bench"))
	if err != nil {
		return "", fmt.Errorf("make a client: %w", err)
	}
	expires := tenYears
	token, err := client.CoreV1().ServiceAccounts(namespace).CreateToken(ctx, account,
		&authenticationv1.TokenRequest{Spec: authenticationv1.TokenRequestSpec{ExpirationSeconds: &expires}}, metav1.CreateOptions{})
	if err != nil {
		return "", fmt.Errorf("get a token for service account %s/%s: %w", namespace, account, err)
	}
	path := filepath.Join(b.Dir, account+".kubeconfig")
	if err := os.WriteFile(path, []byte(b.Kubeconfig(token.Status.Token)), 0o600); err != nil {
		return "", fmt.Errorf("write the kubeconfig of service account %s/%s: %w", namespace, account, err)
	}
	return path, nil
}
