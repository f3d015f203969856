// Package scaffold says what an environment's namespace is made of before any service
// is in it: the namespace itself, who may deploy into it, its quota, its limits, and
// who may reach it. It is pure; the reconciler writes what it says.
package scaffold

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// DefaultDeployerRole is the ClusterRole that an environment's service account gets in
// its namespace when the class names none.
const DefaultDeployerRole = "spock-environment-deployer"

// AnnotationHash on the namespace says which scaffold stands there.
const AnnotationHash = "spock.dev/scaffold"

// Scaffold is what stands in a namespace before any service.
type Scaffold struct {
	// Namespace to create. It carries AnnotationHash only when all else is written.
	Namespace *corev1.Namespace
	// Objects in it, to be applied.
	Objects []*unstructured.Unstructured
	// Secrets to make once with random values.
	Secrets []v1alpha1.GeneratedSecret
	// Hash over all of it.
	Hash string
}

// NamespaceOf is the name of the namespace an environment's services run in.
func NamespaceOf(env *v1alpha1.Environment) string {
	return env.Namespace + "-" + env.Name
}

// ServiceAccountOf is the account as which an environment's objects are written.
func ServiceAccountOf(env *v1alpha1.Environment) string {
	if env.Spec.ServiceAccountName == "" {
		return "default"
	}
	return env.Spec.ServiceAccountName
}

// Labels tie an object to an environment.
func Labels(env *v1alpha1.Environment) map[string]string {
	return map[string]string{
		"app.kubernetes.io/managed-by":     "spock",
		v1alpha1.LabelEnvironment:          env.Name,
		v1alpha1.LabelEnvironmentNamespace: env.Namespace,
	}
}

// For returns the scaffold of an environment of a class.
func For(env *v1alpha1.Environment, class *v1alpha1.EnvironmentClass, secrets []v1alpha1.GeneratedSecret) (*Scaffold, error) {
	s := &Scaffold{
		Namespace: &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{
			Name: NamespaceOf(env), Labels: Labels(env),
			Annotations: map[string]string{v1alpha1.AnnotationEnvironmentUID: string(env.UID)},
		}},
		Secrets: secrets,
	}
	typed := []runtime.Object{binding(env, class)}
	if len(class.Spec.Quota) > 0 {
		typed = append(typed, quota(env, class))
	}
	if len(class.Spec.DefaultLimits)+len(class.Spec.DefaultRequests) > 0 {
		typed = append(typed, limits(env, class))
	}
	if class.Spec.Isolated {
		typed = append(typed, isolation(env, class))
	}
	for _, t := range typed {
		o, err := runtime.DefaultUnstructuredConverter.ToUnstructured(t)
		if err != nil {
			return nil, fmt.Errorf("convert %T: %w", t, err)
		}
		unstructured.RemoveNestedField(o, "metadata", "creationTimestamp")
		unstructured.RemoveNestedField(o, "status")
		s.Objects = append(s.Objects, &unstructured.Unstructured{Object: o})
	}
	return s, s.seal()
}

func (s *Scaffold) seal() error {
	b, err := json.Marshal([]any{s.Namespace.Labels, s.Objects, s.Secrets})
	if err != nil {
		return fmt.Errorf("encode the scaffold: %w", err)
	}
	sum := sha256.Sum256(b)
	s.Hash = hex.EncodeToString(sum[:16])
	return nil
}

func meta(env *v1alpha1.Environment, name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Name: name, Namespace: NamespaceOf(env), Labels: Labels(env)}
}

func binding(env *v1alpha1.Environment, class *v1alpha1.EnvironmentClass) *rbacv1.RoleBinding {
	role := class.Spec.DeployerRole
	if role == "" {
		role = DefaultDeployerRole
	}
	// A binding's role cannot change, so its name is the role's.
	return &rbacv1.RoleBinding{
		TypeMeta:   metav1.TypeMeta{APIVersion: rbacv1.SchemeGroupVersion.String(), Kind: "RoleBinding"},
		ObjectMeta: meta(env, role),
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: role},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: ServiceAccountOf(env), Namespace: env.Namespace}},
	}
}

func quota(env *v1alpha1.Environment, class *v1alpha1.EnvironmentClass) *corev1.ResourceQuota {
	return &corev1.ResourceQuota{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "ResourceQuota"},
		ObjectMeta: meta(env, "environment"),
		Spec:       corev1.ResourceQuotaSpec{Hard: class.Spec.Quota},
	}
}

func limits(env *v1alpha1.Environment, class *v1alpha1.EnvironmentClass) *corev1.LimitRange {
	return &corev1.LimitRange{
		TypeMeta:   metav1.TypeMeta{APIVersion: "v1", Kind: "LimitRange"},
		ObjectMeta: meta(env, "environment"),
		Spec: corev1.LimitRangeSpec{Limits: []corev1.LimitRangeItem{{
			Type: corev1.LimitTypeContainer, Default: class.Spec.DefaultLimits, DefaultRequest: class.Spec.DefaultRequests,
		}}},
	}
}

// isolation lets in what comes from the environment itself and from the namespaces of
// the ingress, and nothing else.
func isolation(env *v1alpha1.Environment, class *v1alpha1.EnvironmentClass) *networkingv1.NetworkPolicy {
	from := []networkingv1.NetworkPolicyPeer{{PodSelector: &metav1.LabelSelector{}}}
	if len(class.Spec.IngressNamespaces) > 0 {
		from = append(from, networkingv1.NetworkPolicyPeer{NamespaceSelector: &metav1.LabelSelector{
			MatchExpressions: []metav1.LabelSelectorRequirement{{
				Key: corev1.LabelMetadataName, Operator: metav1.LabelSelectorOpIn, Values: class.Spec.IngressNamespaces,
			}},
		}})
	}
	return &networkingv1.NetworkPolicy{
		TypeMeta:   metav1.TypeMeta{APIVersion: networkingv1.SchemeGroupVersion.String(), Kind: "NetworkPolicy"},
		ObjectMeta: meta(env, "environment"),
		Spec: networkingv1.NetworkPolicySpec{
			PolicyTypes: []networkingv1.PolicyType{networkingv1.PolicyTypeIngress},
			Ingress:     []networkingv1.NetworkPolicyIngressRule{{From: from}},
		},
	}
}
