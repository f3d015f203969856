package v1alpha1

import (
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	duckv1 "knative.dev/pkg/apis/duck/v1"
)

// Environment is an instance of a product: a namespace in which its services run,
// brought up group by group. It is the only thing the engine drives: every command,
// Task and custom task ends in one of these.
//
// +genclient
// +genreconciler
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:resource:categories={spock},shortName=senv
// +kubebuilder:subresource:status
// +kubebuilder:printcolumn:name="Product",type=string,JSONPath=`.spec.product`
// +kubebuilder:printcolumn:name="Class",type=string,JSONPath=`.spec.class`
// +kubebuilder:printcolumn:name="Phase",type=string,JSONPath=`.status.phase`
// +kubebuilder:printcolumn:name="Services",type=string,JSONPath=`.status.progress`
// +kubebuilder:printcolumn:name="URL",type=string,JSONPath=`.status.url`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
// +kubebuilder:printcolumn:name="Message",type=string,priority=1,JSONPath=`.status.message`
type Environment struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is what the environment should be.
	Spec EnvironmentSpec `json:"spec"`
	// Status is what it is.
	// +optional
	Status EnvironmentStatus `json:"status,omitempty"`
}

// EnvironmentSpec is what an environment should be.
type EnvironmentSpec struct {
	// Product is the name of a Product in the Environment's namespace.
	// +kubebuilder:validation:MinLength=1
	Product string `json:"product"`
	// Class is the name of an EnvironmentClass.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:XValidation:rule="self == oldSelf",message="the class of an environment cannot change: delete the environment and create it in the other class"
	Class string `json:"class"`
	// ServiceAccountName is the account, in the Environment's namespace, as which the
	// product's objects are written; `default` when absent.
	// +optional
	ServiceAccountName string `json:"serviceAccountName,omitempty"`
	// Parameters that hold for every service whose template has them.
	// +optional
	Parameters map[string]apiextensionsv1.JSON `json:"parameters,omitempty"`
	// Services holds images and values for services by name.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=1000
	Services []ServiceOverride `json:"services,omitempty"`
	// Only restricts the environment to these services of the product.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	Only []string `json:"only,omitempty"`
	// Suspend stops the engine before the next write: what is written stays, nothing more
	// is. A cancelled deploy sets it, the next deploy clears it.
	// +optional
	Suspend bool `json:"suspend,omitempty"`
	// OnFailure says what a failed service does to the others; the class's when absent.
	// +optional
	OnFailure OnFailure `json:"onFailure,omitempty"`
	// RollbackScope says what is rolled back with onFailure Rollback; the class's when absent.
	// +optional
	RollbackScope RollbackScope `json:"rollbackScope,omitempty"`
	// Drift says what is done when somebody changes or deletes an object of the
	// environment; the class's when absent.
	// +optional
	Drift DriftPolicy `json:"drift,omitempty"`
	// Run is the layer of one deploy: what the pipeline that asked for it sets on top of
	// everything else. The next deploy replaces it as a whole.
	// +optional
	Run *RunLayer `json:"run,omitempty"`
}

// OnFailure is what a failed service does to the environment.
// +kubebuilder:validation:Enum=Isolate;Stop;Rollback
type OnFailure string

// The answers to a failure.
const (
	// OnFailureIsolate lets independent services go on; dependants are blocked.
	OnFailureIsolate OnFailure = "Isolate"
	// OnFailureStop starts nothing new; what is on its way goes on.
	OnFailureStop OnFailure = "Stop"
	// OnFailureRollback brings back, once nothing is on its way any more, what the last run
	// wrote that ended Ready. What was asked for is not tried again until it changes.
	OnFailureRollback OnFailure = "Rollback"
)

// RollbackScope is what a failure rolls back.
// +kubebuilder:validation:Enum=Environment;Service
type RollbackScope string

// The scopes of a rollback.
const (
	// RollbackEnvironment brings all services back, and starts nothing new once one failed.
	RollbackEnvironment RollbackScope = "Environment"
	// RollbackService brings the failed services back; all others go on to what was asked for.
	RollbackService RollbackScope = "Service"
)

// DriftPolicy is what is done when somebody else changes a field that Spock has set, or
// deletes an object that it has written. Fields that Spock does not set are never meant.
// +kubebuilder:validation:Enum=Heal;Warn;Ignore
type DriftPolicy string

// The answers to drift.
const (
	// DriftHeal writes the object as it should be. Where that does not last, it is tried
	// less and less often, and told.
	DriftHeal DriftPolicy = "Heal"
	// DriftWarn writes nothing and tells objects and fields in the condition Drifted.
	DriftWarn DriftPolicy = "Warn"
	// DriftIgnore writes nothing and does not look at fields.
	DriftIgnore DriftPolicy = "Ignore"
)

// ServiceOverride sets an image and values of one service in a layer.
type ServiceOverride struct {
	// Name of a service of the product.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`
	// Image replaces the image of weaker layers.
	// +optional
	Image string `json:"image,omitempty"`
	// Images of containers, by the names that these have in the template's own manifests; a
	// container that weaker layers name keeps theirs.
	// +optional
	// +kubebuilder:validation:MaxProperties=50
	Images map[string]string `json:"images,omitempty"`
	// Target replaces where the service runs: `container` or `host`.
	// +optional
	Target Target `json:"target,omitempty"`
	// Parameters of the service's template.
	// +optional
	Parameters map[string]apiextensionsv1.JSON `json:"parameters,omitempty"`
	// Env adds to or replaces variables, by name.
	// +optional
	// +listType=map
	// +listMapKey=name
	Env []EnvVar `json:"env,omitempty"`
	// Replicas wanted.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`
}

// RunLayer is the strongest layer, written by a deploy.
type RunLayer struct {
	// Attempt names the attempt: a new value asks for a new EnvironmentRun although
	// nothing else changed.
	// +optional
	Attempt string `json:"attempt,omitempty"`
	// Source says what is deployed, a commit for instance; for people and traces.
	// +optional
	Source string `json:"source,omitempty"`
	// PlanDigest is the plan that was looked at before: when what would be written is another
	// one, because product, template, class or files have changed meanwhile, the deploy is
	// refused and nothing is written. It holds for the deploy, not for what changes later.
	// +optional
	// +kubebuilder:validation:Pattern=`^sha256:[0-9a-f]{64}$`
	PlanDigest string `json:"planDigest,omitempty"`
	// Services holds images and values for services by name.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=1000
	Services []ServiceOverride `json:"services,omitempty"`
	// Rollback asks for what an earlier run wrote, instead of what the spec says. It holds
	// until the spec changes, whatever becomes of product and templates; the next deploy
	// takes it away.
	// +optional
	Rollback *RollbackRequest `json:"rollback,omitempty"`
}

// RollbackRequest asks for what an earlier run wrote.
type RollbackRequest struct {
	// To is an EnvironmentRun of this Environment that ended Ready.
	// +kubebuilder:validation:MinLength=1
	To string `json:"to"`
	// Services that go back; all others stay what the spec says. All go back when empty.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=1000
	Services []string `json:"services,omitempty"`
}

// Phase is the state of an environment or of a run in one word.
type Phase string

// The phases.
const (
	// PhasePending waits for its first step, or for files that its plan is made from.
	PhasePending Phase = "Pending"
	// PhaseProgressing has services that are not ready yet and may become so.
	PhaseProgressing Phase = "Progressing"
	// PhaseReady has all services ready at the wanted revision.
	PhaseReady Phase = "Ready"
	// PhaseFailed has a failed service, or was refused, and nothing else to do.
	PhaseFailed Phase = "Failed"
	// PhaseSuspended is stopped until spec.suspend is cleared.
	PhaseSuspended Phase = "Suspended"
	// PhaseTerminating is being torn down.
	PhaseTerminating Phase = "Terminating"
)

// EnvironmentStatus is what an environment is.
type EnvironmentStatus struct {
	duckv1.Status `json:",inline"`

	// Phase in one word.
	// +optional
	Phase Phase `json:"phase,omitempty"`
	// Message says in one sentence why the phase is what it is.
	// +optional
	Message string `json:"message,omitempty"`
	// Progress is "ready/all" services.
	// +optional
	Progress string `json:"progress,omitempty"`
	// Namespace in which the services run.
	// +optional
	Namespace string `json:"namespace,omitempty"`
	// HostNamespace of the Hosts that it uses, when that is not its own namespace.
	// +optional
	HostNamespace string `json:"hostNamespace,omitempty"`
	// URL of the first exposed service.
	// +optional
	URL string `json:"url,omitempty"`
	// Run is the name of the newest EnvironmentRun.
	// +optional
	Run string `json:"run,omitempty"`
	// RunNumber counts the EnvironmentRuns.
	// +optional
	RunNumber int64 `json:"runNumber,omitempty"`
	// Rollback says what is rolled back, and why, while the environment is not what its spec
	// asks for.
	// +optional
	Rollback *Rollback `json:"rollback,omitempty"`
	// Services is the state of each service, in plan order. Nobody else writes it: that the
	// list is one field for the API server makes a write of many services cheap.
	// +optional
	// +listType=atomic
	Services []ServiceStatus `json:"services,omitempty"`
}

// Rollback is a return to what an earlier run wrote.
type Rollback struct {
	// From is the run that failed, or the one before that was asked to be rolled back.
	// +optional
	From string `json:"from,omitempty"`
	// To is the run whose objects are written again.
	To string `json:"to"`
	// Services that are rolled back; all when empty.
	// +optional
	// +listType=set
	Services []string `json:"services,omitempty"`
	// PlanDigest of the run that failed: while the spec asks for this plan, it is not tried
	// again.
	// +optional
	PlanDigest string `json:"planDigest,omitempty"`
	// Service that failed.
	// +optional
	Service string `json:"service,omitempty"`
	// Cause of its failure; absent when somebody asked for the rollback. The whole log is
	// kept by the run that failed.
	// +optional
	Cause *Cause `json:"cause,omitempty"`
}

// Asked says that somebody asked for the rollback, and no failure caused it.
func (r *Rollback) Asked() bool { return r != nil && r.Cause == nil }

// ServiceState is the state of a service in one word.
type ServiceState string

// The service states.
const (
	// ServiceWaiting waits for what it needs.
	ServiceWaiting ServiceState = "Waiting"
	// ServiceProgressing is written and not ready yet.
	ServiceProgressing ServiceState = "Progressing"
	// ServiceReady is ready at the generation of our own write.
	ServiceReady ServiceState = "Ready"
	// ServiceFailed cannot become ready without a change.
	ServiceFailed ServiceState = "Failed"
	// ServiceBlocked waits for something that failed.
	ServiceBlocked ServiceState = "Blocked"
)

// ServiceStatus is the state of one service.
type ServiceStatus struct {
	// Name of the service.
	Name string `json:"name"`
	// Group it belongs to.
	// +optional
	Group string `json:"group,omitempty"`
	// State in one word.
	State ServiceState `json:"state"`
	// Image wanted.
	// +optional
	Image string `json:"image,omitempty"`
	// URL when the service is exposed.
	// +optional
	URL string `json:"url,omitempty"`
	// WaitingFor are the services it waits for, or is blocked by.
	// +optional
	// +listType=atomic
	WaitingFor []string `json:"waitingFor,omitempty"`
	// StartedAt is since when this run waits for the service: its first write, or when it
	// was found not ready.
	// +optional
	StartedAt *metav1.MicroTime `json:"startedAt,omitempty"`
	// ReadyAt is when this run saw it ready.
	// +optional
	ReadyAt *metav1.MicroTime `json:"readyAt,omitempty"`
	// ProgressAt is when it last moved.
	// +optional
	ProgressAt *metav1.MicroTime `json:"progressAt,omitempty"`
	// Message says what it waits for, or is doing.
	// +optional
	Message string `json:"message,omitempty"`
	// Cause of a failure; of a service that is progressing, what keeps it from being ready and
	// may yet pass, like a probe that fails.
	// +optional
	Cause *Cause `json:"cause,omitempty"`
}

// CauseClass is the class of a failure.
type CauseClass string

// The classes of failures.
const (
	CauseImage         CauseClass = "ImageNotPullable"
	CauseConfig        CauseClass = "InvalidConfig"
	CauseCrashLoop     CauseClass = "CrashLoop"
	CauseOutOfMemory   CauseClass = "OutOfMemory"
	CauseProbe         CauseClass = "ProbeFailing"
	CauseUnschedulable CauseClass = "Unschedulable"
	CauseQuota         CauseClass = "QuotaExceeded"
	CauseRefused       CauseClass = "Refused"
	CauseForbidden     CauseClass = "Forbidden"
	CauseImmutable     CauseClass = "ImmutableField"
	CauseConflict      CauseClass = "ForeignOwner"
	CauseJobFailed     CauseClass = "JobFailed"
	CauseNoProgress    CauseClass = "NoProgress"
	CauseDeadline      CauseClass = "DeadlineExceeded"
	CauseDrifted       CauseClass = "Drifted"
)

// Cause says why a service failed, or what keeps it from being ready.
type Cause struct {
	// Class of the failure.
	Class CauseClass `json:"class"`
	// Message is the cause in one sentence.
	Message string `json:"message"`
	// Answer is what the failing probe got, in the words of the node, or what of a resource
	// that is short would fit.
	// +optional
	Answer string `json:"answer,omitempty"`
	// Object that shows it, `kind/name`.
	// +optional
	Object string `json:"object,omitempty"`
	// Hint is the next step for a person.
	// +optional
	Hint string `json:"hint,omitempty"`
	// ExitCode of the dead container.
	// +optional
	ExitCode *int32 `json:"exitCode,omitempty"`
	// Log holds the last lines of the dead container.
	// +optional
	Log string `json:"log,omitempty"`
}

// Sentence is the message with the answer, if one is known.
func (c *Cause) Sentence() string {
	if c.Answer == "" {
		return c.Message
	}
	return c.Message + "; " + c.Answer
}

// EnvironmentList is a list of Environments.
//
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
type EnvironmentList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []Environment `json:"items"`
}
