package manifest

import (
	"fmt"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/util/validation"
)

const (
	rbac      = "rbac.authorization.k8s.io"
	admission = "admissionregistration.k8s.io"
)

// clusterScoped are the well-known kinds outside any namespace.
var clusterScoped = map[schema.GroupKind]bool{
	{Kind: "Namespace"}:                                               true,
	{Kind: "Node"}:                                                    true,
	{Kind: "PersistentVolume"}:                                        true,
	{Group: rbac, Kind: "ClusterRole"}:                                true,
	{Group: rbac, Kind: "ClusterRoleBinding"}:                         true,
	{Group: admission, Kind: "MutatingWebhookConfiguration"}:          true,
	{Group: admission, Kind: "ValidatingWebhookConfiguration"}:        true,
	{Group: admission, Kind: "MutatingAdmissionPolicy"}:               true,
	{Group: admission, Kind: "MutatingAdmissionPolicyBinding"}:        true,
	{Group: admission, Kind: "ValidatingAdmissionPolicy"}:             true,
	{Group: admission, Kind: "ValidatingAdmissionPolicyBinding"}:      true,
	{Group: "apiextensions.k8s.io", Kind: "CustomResourceDefinition"}: true,
	{Group: "apiregistration.k8s.io", Kind: "APIService"}:             true,
	{Group: "certificates.k8s.io", Kind: "CertificateSigningRequest"}: true,
	{Group: "networking.k8s.io", Kind: "IngressClass"}:                true,
	{Group: "node.k8s.io", Kind: "RuntimeClass"}:                      true,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"}:               true,
	{Group: "storage.k8s.io", Kind: "CSIDriver"}:                      true,
	{Group: "storage.k8s.io", Kind: "StorageClass"}:                   true,
	{Group: "storage.k8s.io", Kind: "VolumeAttachment"}:               true,
}

// forbidden are namespaced kinds that an environment may not bring, and what to do instead.
var forbidden = map[schema.GroupKind]string{
	{Kind: "Secret"}:                          "declare it under product.spec.secrets",
	{Group: rbac, Kind: "Role"}:               "let the platform team grant rights through class.spec.deployerRole",
	{Group: rbac, Kind: "RoleBinding"}:        "let the platform team grant rights through class.spec.deployerRole",
	{Kind: "List"}:                            "write its items as documents of their own, separated by `---`",
	{Kind: "ResourceQuota"}:                   "set class.spec.quota",
	{Kind: "LimitRange"}:                      "set class.spec.defaultRequests and class.spec.defaultLimits",
	{Group: "spock.dev", Kind: "Environment"}: "create it beside the environment, not in it",
}

// Refuse returns why an environment whose namespace is given may not hold the object, or nil.
func Refuse(object *unstructured.Unstructured, namespace string) error {
	if err := unnamed(object); err != nil {
		return err
	}
	group := object.GroupVersionKind().GroupKind()
	where := object.GetKind() + "/" + object.GetName()
	switch remedy, bad := forbidden[group]; {
	case clusterScoped[group]:
		return &Error{Where: where, Problem: fmt.Sprintf("kind %s belongs to the whole cluster, an environment holds namespaced kinds only", group.Kind),
			Remedy: "remove it and let the platform team install it"}
	case bad:
		return &Error{Where: where, Problem: fmt.Sprintf("kind %s is not allowed in manifests", group.Kind), Remedy: remedy}
	}
	if ns := object.GetNamespace(); ns != "" && ns != namespace {
		return &Error{Where: where, Problem: fmt.Sprintf("namespace %q is not the environment's (%q)", ns, namespace),
			Remedy: "remove metadata.namespace"}
	}
	return nil
}

// unnamed refuses an object that server-side apply could not address.
func unnamed(object *unstructured.Unstructured) error {
	where := describe(object.Object, "object")
	if object.GetAPIVersion() == "" || object.GetKind() == "" {
		return &Error{Where: where, Problem: "apiVersion or kind is missing", Remedy: "set both"}
	}
	if _, err := schema.ParseGroupVersion(object.GetAPIVersion()); err != nil {
		return &Error{Where: where, Problem: fmt.Sprintf("apiVersion %q is not group/version", object.GetAPIVersion()), Remedy: "correct it"}
	}
	name := object.GetName()
	if name == "" {
		return &Error{Where: where, Problem: "metadata.name is missing", Remedy: "set it; generateName is not supported"}
	}
	if problems := validation.IsDNS1123Subdomain(name); len(problems) > 0 || strings.Contains(name, "/") {
		return &Error{Where: where, Problem: fmt.Sprintf("metadata.name %q is not a valid object name", name),
			Remedy: "use lower case letters, digits, '-' and '.'"}
	}
	return nil
}
