package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	duckv1 "knative.dev/pkg/apis/duck/v1"
)

// Product is the template of a whole product: ordered groups of services, a tier
// each, and how they are wired. An Environment is an instance of it.
//
// +genclient
// +genreconciler
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:resource:categories={spock},shortName=prod
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Groups",type=string,JSONPath=`.spec.groups[*].name`
// +kubebuilder:printcolumn:name="Description",type=string,JSONPath=`.spec.description`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type Product struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is the wanted shape of the product's environments.
	Spec ProductSpec `json:"spec"`
	// Status says whether environments can be made of it.
	// +optional
	Status ProductStatus `json:"status,omitempty"`
}

// ProductStatus says whether environments can be made of a product. Its condition Ready is
// False when no class and no environment could make up for what is wrong with the product
// or its templates; the message says all of it, a sentence each.
type ProductStatus struct {
	duckv1.Status `json:",inline"`
}

// Order is what holds a service back besides its own needs.
// +kubebuilder:validation:Enum=Groups;Needs
type Order string

// The orders of a product.
const (
	// OrderGroups makes every service wait for all services of the group before.
	OrderGroups Order = "Groups"
	// OrderNeeds makes a service wait only for what it needs or refers to.
	OrderNeeds Order = "Needs"
)

// ProductSpec describes a product.
type ProductSpec struct {
	// Description is one sentence for people who choose a product.
	// +optional
	Description string `json:"description,omitempty"`
	// Order is what gates a service: the whole group before it (Groups, the default) or
	// only its needs and references (Needs).
	// +optional
	// +kubebuilder:default=Groups
	Order Order `json:"order,omitempty"`
	// Groups are the tiers, first one first. Services of a group have no order among
	// themselves unless they need each other.
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=32
	Groups []Group `json:"groups"`
	// Secrets that every environment of this product gets, made once with random values.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=50
	Secrets []GeneratedSecret `json:"secrets,omitempty"`
}

// Group is a tier of services.
type Group struct {
	// Name of the tier.
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$`
	Name string `json:"name"`
	// Services of the tier. (Names are unique in the whole product.)
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=1000
	Services []ProductService `json:"services"`
}

// ProductService is one service of a product.
type ProductService struct {
	// Name is unique in the product and, in an environment, the service's DNS name.
	// +kubebuilder:validation:MaxLength=253
	Name string `json:"name"`
	// Template is the name of a ServiceTemplate in the product's namespace.
	// +kubebuilder:validation:MinLength=1
	Template string `json:"template"`
	// Image of the service; an environment may replace it.
	// +optional
	Image string `json:"image,omitempty"`
	// Images of containers, by the names that these have in the template's own manifests.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	Images map[string]string `json:"images,omitempty"`
	// Target is where the service runs: `container` or `host`. What the template has when it
	// has one part; `container` when it has both.
	// +optional
	Target Target `json:"target,omitempty"`
	// Parameters of the template.
	// +optional
	Parameters map[string]apiextensionsv1.JSON `json:"parameters,omitempty"`
	// Env adds to or replaces the template's variables, by name.
	// +optional
	// +listType=map
	// +listMapKey=name
	Env []EnvVar `json:"env,omitempty"`
	// Replicas wanted; the template's when absent.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`
	// Needs are services or groups that must be ready before this service is written.
	// +optional
	// +listType=atomic
	// +kubebuilder:validation:MaxItems=50
	Needs []Need `json:"needs,omitempty"`
	// Expose makes a port reachable at `<service>.<environment>.<class domain>`.
	// +optional
	Expose *Expose `json:"expose,omitempty"`
}

// Until is how far a needed service must have come.
// +kubebuilder:validation:Enum=Started;Ready;Completed
type Until string

// The steps to wait for.
const (
	// UntilStarted waits until the objects of the service are written.
	UntilStarted Until = "Started"
	// UntilReady waits until it is ready.
	UntilReady Until = "Ready"
	// UntilCompleted waits until its job has completed.
	UntilCompleted Until = "Completed"
)

// Need is a service or group that must come first.
// +kubebuilder:validation:XValidation:rule="has(self.service) != has(self.group)",message="set exactly one of service and group"
type Need struct {
	// Service of the product.
	// +optional
	Service string `json:"service,omitempty"`
	// Group of the product.
	// +optional
	Group string `json:"group,omitempty"`
	// Until is how far it must have come, every service of it for a group: Ready when
	// absent. Completed is for services that are jobs. Started makes a reference to the
	// service in a config wait no longer than that.
	// +optional
	Until Until `json:"until,omitempty"`
	// Soft orders without gating: the service does not wait for it. It cuts a cycle.
	// +optional
	Soft bool `json:"soft,omitempty"`
}

// Expose is the public address of a service.
type Expose struct {
	// Port by name; the first port when absent.
	// +optional
	Port string `json:"port,omitempty"`
}

// GeneratedSecret is a Secret with random values, made once per environment. Its
// values are never read back by Spock.
type GeneratedSecret struct {
	// Name of the Secret.
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]{0,38}[a-z0-9])?$`
	Name string `json:"name"`
	// Keys that get a random value of 32 letters and digits each.
	// +listType=set
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=50
	Keys []string `json:"keys"`
}

// ProductList is a list of Products.
//
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
type ProductList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Product `json:"items"`
}
