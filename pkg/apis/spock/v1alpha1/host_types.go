package v1alpha1

import (
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	duckv1 "knative.dev/pkg/apis/duck/v1"
)

// Host is a physical or virtual machine that services can run on: where it is, who it
// is, how to log in, and how much of it may be used. Spock needs SSH and systemd there,
// and installs nothing. Its labels are what services are placed by.
//
// +genclient
// +genreconciler
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:resource:categories={spock},shortName=shost
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Address",type=string,JSONPath=`.spec.address`
// +kubebuilder:printcolumn:name="Ready",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].status`
// +kubebuilder:printcolumn:name="Reason",type=string,JSONPath=`.status.conditions[?(@.type=="Ready")].reason`
// +kubebuilder:printcolumn:name="OS",type=string,JSONPath=`.status.facts.os`
// +kubebuilder:printcolumn:name="CPUs",type=integer,JSONPath=`.status.facts.cpus`
// +kubebuilder:printcolumn:name="Memory",type=string,JSONPath=`.status.facts.memory`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.conditions[?(@.type=="Ready")].message`
type Host struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is where the machine is and how it may be used.
	Spec HostSpec `json:"spec"`
	// Status is how it is.
	// +optional
	Status HostStatus `json:"status,omitempty"`
}

// HostSpec is where a machine is and how it may be used.
type HostSpec struct {
	// Address of the machine: a name or an IP address, without a port. Other services
	// reach what runs there by it, too.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=253
	// +kubebuilder:validation:Pattern=`^[A-Za-z0-9]([-A-Za-z0-9.:]*[A-Za-z0-9])?$`
	Address string `json:"address"`
	// Port of its SSH server; 22 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port,omitempty"`
	// User to log in as; root when absent. Another one must be allowed to become root with
	// sudo, without a password.
	// +optional
	// +kubebuilder:validation:Pattern=`^[a-z_][-a-z0-9_]{0,31}$`
	User string `json:"user,omitempty"`
	// HostKey is the machine's public key, as its file `ssh_host_*_key.pub` has it. A machine
	// that shows another one is refused, and nothing is sent to it.
	// +kubebuilder:validation:MaxLength=2000
	// +kubebuilder:validation:Pattern=`^(ssh-ed25519|ssh-rsa|ecdsa-sha2-nistp(256|384|521)) [A-Za-z0-9+/]+={0,2}( .*)?$`
	HostKey string `json:"hostKey"`
	// Credentials to log in with.
	Credentials HostCredentials `json:"credentials"`
	// Capacity that services of all environments together may use; what is absent is not
	// counted.
	// +optional
	Capacity HostCapacity `json:"capacity,omitempty"`
	// AllowPackages lets services install packages: run commands of their templates as root.
	// Who may write a ServiceTemplate in the namespace is root on the machine then.
	// +optional
	AllowPackages bool `json:"allowPackages,omitempty"`
	// Drain keeps new services away, and moves those that are there to other hosts.
	// +optional
	Drain bool `json:"drain,omitempty"`
}

// HostCredentials name a Secret in the Host's namespace.
type HostCredentials struct {
	// SecretName is the Secret's name. The private key is its key `ssh-privatekey`, in PEM and
	// without a passphrase; a certificate of it, if there is one, `ssh-certificate`.
	// +kubebuilder:validation:MinLength=1
	SecretName string `json:"secretName"`
	// ServiceAccountName is the account, in the Host's namespace, as which the Secret is
	// read: the controller itself may read none. `spock-hosts` when absent.
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
}

// HostCapacity is how much of a machine services may use.
type HostCapacity struct {
	// CPU that the limits of services may add up to.
	// +optional
	CPU *resource.Quantity `json:"cpu,omitempty"`
	// Memory that the limits of services may add up to.
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`
	// Slots are how many services may run there.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Slots *int32 `json:"slots,omitempty"`
}

// HostStatus is how a machine is.
type HostStatus struct {
	duckv1.Status `json:",inline"`

	// Fingerprint of the pinned key, as `ssh-keygen -l` prints it.
	// +optional
	Fingerprint string `json:"fingerprint,omitempty"`
	// Facts are what the machine said of itself when it was reached last.
	// +optional
	Facts *HostFacts `json:"facts,omitempty"`
	// Allocations are the services that run there.
	// +optional
	// +listType=atomic
	Allocations []HostAllocation `json:"allocations,omitempty"`
}

// HostFacts are what a machine is.
type HostFacts struct {
	// OS by its full name.
	// +optional
	OS string `json:"os,omitempty"`
	// Arch as `uname -m` says it.
	// +optional
	Arch string `json:"arch,omitempty"`
	// Kernel is its release.
	// +optional
	Kernel string `json:"kernel,omitempty"`
	// Systemd is its version.
	// +optional
	Systemd int64 `json:"systemd,omitempty"`
	// CPUs it has.
	// +optional
	CPUs int64 `json:"cpus,omitempty"`
	// Memory it has.
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`
	// Disk on which releases lie.
	// +optional
	Disk *resource.Quantity `json:"disk,omitempty"`
	// DiskFree is what was left of it when the machine was reached last.
	// +optional
	DiskFree *resource.Quantity `json:"diskFree,omitempty"`
}

// HostAllocation is a service on a machine.
type HostAllocation struct {
	// Environment it belongs to, `namespace/name`.
	Environment string `json:"environment"`
	// Service of the product.
	Service string `json:"service"`
	// State in one word: Starting, Running, Failed or Stopped.
	// +optional
	State string `json:"state,omitempty"`
	// CPU and Memory that it may use.
	// +optional
	CPU *resource.Quantity `json:"cpu,omitempty"`
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`
	// Ports that it has.
	// +optional
	// +listType=atomic
	Ports []int32 `json:"ports,omitempty"`
}

// HostList is a list of Hosts.
//
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
type HostList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Host `json:"items"`
}
