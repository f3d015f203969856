package v1alpha1

import (
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// EnvironmentRun is one attempt to bring an Environment to a spec: the frozen plan,
// what happened when, and how it ended. It is history: written by the engine, owned by
// no PipelineRun; the last ones of an Environment are kept.
//
// +genclient
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:resource:categories={spock},shortName=senvrun
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Environment",type=string,JSONPath=`.spec.environment`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Services",type=string,JSONPath=`.status.progress`
// +kubebuilder:printcolumn:name="Started",type=date,JSONPath=`.status.startTime`
// +kubebuilder:printcolumn:name="Completed",type=date,JSONPath=`.status.completionTime`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.message`
type EnvironmentRun struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what was attempted; it never changes.
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="an EnvironmentRun is history and cannot change"
	Spec EnvironmentRunSpec `json:"spec"`
	// Status is what happened.
	// +optional
	Status EnvironmentRunStatus `json:"status,omitempty"`
}

// EnvironmentRunSpec is the frozen plan of an attempt.
type EnvironmentRunSpec struct {
	// Environment the run belongs to, in the run's namespace.
	Environment string `json:"environment"`
	// EnvironmentUID of it.
	EnvironmentUID string `json:"environmentUID"`
	// Generation of the Environment that was read.
	Generation int64 `json:"generation"`
	// Number counts the runs of the Environment from 1.
	Number int64 `json:"number"`
	// Source says what was deployed.
	// +optional
	Source string `json:"source,omitempty"`
	// PlanDigest is the digest of everything the run writes.
	PlanDigest string `json:"planDigest"`
	// Nodes of the plan, in an order in which they can be written.
	// +optional
	// +listType=atomic
	Nodes []PlanNode `json:"nodes,omitempty"`
	// Sources are what manifests were read from that stand outside of the templates. What was
	// made of them is in the snapshot.
	// +optional
	// +listType=atomic
	Sources []RunSource `json:"sources,omitempty"`
	// MadeFrom stands for the objects that the plan was made from, in their versions. While it
	// is the same, the snapshot is what the spec asks for, whether or not its sources can be
	// fetched again.
	// +optional
	MadeFrom string `json:"madeFrom,omitempty"`
	// Rollback says what the run goes back to; absent when it brings what the spec asks for.
	// +optional
	Rollback *Rollback `json:"rollback,omitempty"`
	// Snapshot is all that the run writes, packed, to go back to it later. It is absent when
	// it would take more than 384 KiB. It holds no secrets.
	//
	// The schema does not say format byte: an API server with the CEL rule of this type would
	// then refuse every later write.
	// +optional
	// +kubebuilder:validation:Format=""
	Snapshot []byte `json:"snapshot,omitempty"`
}

// RunSource is something that manifests were read from.
type RunSource struct {
	// Name is `configmap/NAME`, of the run's namespace, or `oci/REGISTRY/PATH`.
	Name string `json:"name"`
	// Digest of what was read.
	Digest string `json:"digest"`
}

// PlanNode is a service, hook or group join of a plan.
type PlanNode struct {
	// Name of the node: a service, `service/hook`, or `group:NAME`.
	Name string `json:"name"`
	// Group of the node.
	// +optional
	Group string `json:"group,omitempty"`
	// After are the nodes that gate it.
	// +optional
	// +listType=atomic
	After []string `json:"after,omitempty"`
	// Image of a service, with digest when it was given with one.
	// +optional
	Image string `json:"image,omitempty"`
}

// EnvironmentRunStatus is what happened in an attempt.
type EnvironmentRunStatus struct {
	// Phase in one word.
	// +optional
	Phase Phase `json:"phase,omitempty"`
	// Message says in one sentence why the phase is what it is.
	// +optional
	Message string `json:"message,omitempty"`
	// Progress is "ready/all" services.
	// +optional
	Progress string `json:"progress,omitempty"`
	// StartTime of the attempt.
	// +optional
	StartTime *metav1.Time `json:"startTime,omitempty"`
	// CompletionTime when it ended: all ready, failed with nothing left to do, or superseded.
	// +optional
	CompletionTime *metav1.Time `json:"completionTime,omitempty"`
	// SupersededBy is the run that took over before this one ended.
	// +optional
	SupersededBy string `json:"supersededBy,omitempty"`
	// Writes counts the objects this run created, changed or deleted.
	// +optional
	Writes int64 `json:"writes,omitempty"`
	// Services is the state of each service at the end of the attempt.
	// +optional
	// +listType=atomic
	Services []ServiceStatus `json:"services,omitempty"`
}

// Done says whether the attempt has ended.
func (r *EnvironmentRun) Done() bool { return r.Status.CompletionTime != nil }

// EnvironmentRunList is a list of EnvironmentRuns.
//
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
type EnvironmentRunList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []EnvironmentRun `json:"items"`
}
