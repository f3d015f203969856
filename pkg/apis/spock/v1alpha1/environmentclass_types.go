package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EnvironmentClass says what an environment of this class may be: its domain, its
// quota and limits, and values that hold for every environment of the class.
//
// +genclient
// +genclient:nonNamespaced
// +genclient:noStatus
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:resource:scope=Cluster,categories={spock},shortName=envc
// +kubebuilder:printcolumn:name="Domain",type=string,JSONPath=`.spec.domain`
// +kubebuilder:printcolumn:name="Description",type=string,JSONPath=`.spec.description`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type EnvironmentClass struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what holds for every environment of the class.
	Spec EnvironmentClassSpec `json:"spec"`
}

// EnvironmentClassSpec describes a class of environments.
type EnvironmentClassSpec struct {
	// Description is one sentence for people who choose a class.
	// +optional
	Description string `json:"description,omitempty"`
	// Domain under which environments of the class are reachable, as
	// `<service>.<environment>.<domain>`. It may end in `:port` when the ingress does not
	// listen on the scheme's own port.
	// +kubebuilder:validation:Pattern=`^[a-z0-9]([-a-z0-9.]*[a-z0-9])?(:[0-9]{1,5})?$`
	Domain string `json:"domain"`
	// IngressClassName of the Ingresses; the cluster's default class when absent.
	// +optional
	IngressClassName string `json:"ingressClassName,omitempty"`
	// DeployerRole is the ClusterRole that an environment's service account gets in the
	// environment's namespace, and only there; `spock-environment-deployer` when absent.
	// The controller must be allowed to bind it.
	// +optional
	DeployerRole string `json:"deployerRole,omitempty"`
	// HostNamespace is the namespace of the Hosts that environments of the class share; each
	// environment's own when absent. Who may make environments of the class runs services on
	// those machines.
	// +optional
	HostNamespace string `json:"hostNamespace,omitempty"`
	// Parameters that hold for every service whose template has them, in every
	// environment of the class.
	// +optional
	Parameters map[string]apiextensionsv1.JSON `json:"parameters,omitempty"`
	// Services holds values for services by name.
	// +optional
	// +listType=map
	// +listMapKey=name
	Services []ServiceOverride `json:"services,omitempty"`
	// Quota of an environment's namespace.
	// +optional
	Quota corev1.ResourceList `json:"quota,omitempty"`
	// DefaultRequests of containers that ask for nothing.
	// +optional
	DefaultRequests corev1.ResourceList `json:"defaultRequests,omitempty"`
	// DefaultLimits of containers that limit nothing.
	// +optional
	DefaultLimits corev1.ResourceList `json:"defaultLimits,omitempty"`
	// Isolated denies traffic into the environment's namespace except from itself and
	// from the namespaces of `ingressNamespaces`.
	// +optional
	Isolated bool `json:"isolated,omitempty"`
	// IngressNamespaces may reach isolated environments.
	// +optional
	// +listType=set
	IngressNamespaces []string `json:"ingressNamespaces,omitempty"`
	// NoProgressSeconds is the longest time a service may show no progress. When absent
	// it follows from past runs, and is 120 for a service that none knows.
	// +optional
	// +kubebuilder:validation:Minimum=1
	NoProgressSeconds int32 `json:"noProgressSeconds,omitempty"`
	// DeadlineSeconds is the longest time a service may take from its first write to
	// ready. When absent it follows from past runs, and is 600 for a service that none knows.
	// +optional
	// +kubebuilder:validation:Minimum=1
	DeadlineSeconds int32 `json:"deadlineSeconds,omitempty"`
	// OnFailure says what a failed service does to the others in environments that do not
	// say it themselves; Isolate when absent.
	// +optional
	OnFailure OnFailure `json:"onFailure,omitempty"`
	// RollbackScope says what is rolled back with onFailure Rollback in environments that do
	// not say it themselves; Environment when absent.
	// +optional
	RollbackScope RollbackScope `json:"rollbackScope,omitempty"`
	// Drift says what is done when somebody changes or deletes an object of an environment
	// that does not say it itself; Heal when absent.
	// +optional
	Drift DriftPolicy `json:"drift,omitempty"`
}

// EnvironmentClassList is a list of EnvironmentClasses.
//
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
type EnvironmentClassList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []EnvironmentClass `json:"items"`
}
