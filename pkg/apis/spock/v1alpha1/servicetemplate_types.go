package v1alpha1

import (
	corev1 "k8s.io/api/core/v1"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/intstr"
)

// ServiceTemplate says how one kind of service runs: its parameters, config files,
// ports, readiness, and the workload it becomes. Products refer to it by name.
//
// +genclient
// +genclient:noStatus
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
// +kubebuilder:resource:categories={spock},shortName=svct
// +kubebuilder:printcolumn:name="Description",type=string,JSONPath=`.spec.description`
// +kubebuilder:printcolumn:name="Age",type=date,JSONPath=`.metadata.creationTimestamp`
type ServiceTemplate struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ObjectMeta `json:"metadata,omitempty"`

	// Spec is the wanted shape of the services made from this template.
	Spec ServiceTemplateSpec `json:"spec"`
}

// ServiceTemplateSpec describes the services made from a template. Every string in
// env, files, container.command, container.args, container.manifests, host.exec and
// host.args may hold expressions: `${params.size}`, `${services.db.host}`; `$${` is a literal `${`.
type ServiceTemplateSpec struct {
	// Description is one sentence for people who choose a template.
	// +optional
	Description string `json:"description,omitempty"`

	// Parameters are the values a product, class or environment may set. A value of an
	// unknown parameter is refused.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=100
	Parameters []Parameter `json:"parameters,omitempty"`

	// Ports the service listens on. The first one is the default of `${services.NAME.port}`.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=20
	Ports []Port `json:"ports,omitempty"`

	// Env is the environment of the service's process.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=200
	Env []EnvVar `json:"env,omitempty"`

	// Files are config files put into the service's file system, read-only.
	// +optional
	// +listType=map
	// +listMapKey=path
	// +kubebuilder:validation:MaxItems=50
	Files []ConfigFile `json:"files,omitempty"`

	// Readiness tells when an instance can serve. Without it, an instance is ready when
	// its process has run for two seconds: one that exits at once was never ready.
	// +optional
	Readiness *Readiness `json:"readiness,omitempty"`

	// Hooks are jobs that run with the service's image before its workload is written,
	// once per content (a database migration, for instance).
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=10
	Hooks []Hook `json:"hooks,omitempty"`

	// Container says how the service runs in a cluster.
	// +optional
	Container *Container `json:"container,omitempty"`

	// Host says how the service runs on a machine.
	// +optional
	Host *HostProcess `json:"host,omitempty"`
}

// ParameterType is the type of a parameter's value.
// +kubebuilder:validation:Enum=string;integer;boolean;quantity;enum;image
type ParameterType string

// The parameter types.
const (
	ParameterString   ParameterType = "string"
	ParameterInteger  ParameterType = "integer"
	ParameterBoolean  ParameterType = "boolean"
	ParameterQuantity ParameterType = "quantity"
	ParameterEnum     ParameterType = "enum"
	ParameterImage    ParameterType = "image"
)

// Parameter is one typed value of a template.
// +kubebuilder:validation:XValidation:rule="self.type != 'enum' || (has(self.values) && self.values.size() > 0)",message="a parameter of type enum needs values"
type Parameter struct {
	// Name as used in `${params.NAME}`.
	// +kubebuilder:validation:Pattern=`^[a-zA-Z_][a-zA-Z0-9_]{0,62}$`
	Name string `json:"name"`
	// Type of the value; string when absent.
	// +optional
	// +kubebuilder:default=string
	Type ParameterType `json:"type,omitempty"`
	// Description is one sentence for who sets it.
	// +optional
	Description string `json:"description,omitempty"`
	// Values are the allowed values of an enum.
	// +optional
	// +listType=set
	// +kubebuilder:validation:MaxItems=100
	Values []string `json:"values,omitempty"`
	// Default is used when no layer sets the parameter. A parameter without a default
	// must be set.
	// +optional
	Default *apiextensionsv1.JSON `json:"default,omitempty"`
}

// Port is a named TCP or UDP port.
type Port struct {
	// Name as used in `${services.NAME.ports.PORT}`.
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]{0,13}[a-z0-9])?$`
	Name string `json:"name"`
	// Port the process listens on, and the cluster address offers.
	// +kubebuilder:validation:Minimum=1
	// +kubebuilder:validation:Maximum=65535
	Port int32 `json:"port"`
	// Protocol is TCP when absent.
	// +optional
	// +kubebuilder:validation:Enum=TCP;UDP
	Protocol corev1.Protocol `json:"protocol,omitempty"`
}

// EnvVar is one variable of a process: a value with expressions, or a key of a Secret.
// +kubebuilder:validation:XValidation:rule="has(self.value) != has(self.secret)",message="set exactly one of value and secret"
type EnvVar struct {
	// Name of the variable.
	// +kubebuilder:validation:Pattern=`^[A-Za-z_][A-Za-z0-9_]{0,127}$`
	Name string `json:"name"`
	// Value, with expressions. `$(OTHER)` refers to a variable above it, as in a pod.
	// +optional
	Value *string `json:"value,omitempty"`
	// Secret takes the value from a Secret of the environment; it never passes through
	// a plan, a status or a log.
	// +optional
	Secret *SecretKey `json:"secret,omitempty"`
}

// SecretKey is a key of a Secret in the environment's namespace.
type SecretKey struct {
	// Name of a secret that the product declares.
	// +kubebuilder:validation:MinLength=1
	Name string `json:"name"`
	// Key in it.
	// +kubebuilder:validation:MinLength=1
	Key string `json:"key"`
}

// ConfigFile is a file made from a template and mounted read-only.
type ConfigFile struct {
	// Path is absolute, and the file's name in the container.
	// +kubebuilder:validation:Pattern=`^/[^:]*[^/:]$`
	Path string `json:"path"`
	// Content of the file.
	Content string `json:"content"`
	// Literal switches expressions off: the content is used as it is.
	// +optional
	Literal bool `json:"literal,omitempty"`
}

// Readiness is the probe of an instance and what counts as stable. Exactly one of
// http, tcp and exec.
// +kubebuilder:validation:XValidation:rule="(has(self.http)?1:0)+(has(self.tcp)?1:0)+(has(self.exec)?1:0) <= 1",message="set at most one of http, tcp and exec"
type Readiness struct {
	// HTTP is ready when a GET answers 200 to 399.
	// +optional
	HTTP *HTTPProbe `json:"http,omitempty"`
	// TCP is ready when a connection opens.
	// +optional
	TCP *TCPProbe `json:"tcp,omitempty"`
	// Exec is ready when the command exits 0.
	// +optional
	Exec *ExecProbe `json:"exec,omitempty"`
	// PeriodSeconds between probes; 2 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	PeriodSeconds int32 `json:"periodSeconds,omitempty"`
	// MinReadySeconds an instance must stay ready before the gate opens; 0 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=0
	MinReadySeconds int32 `json:"minReadySeconds,omitempty"`
}

// HTTPProbe asks a path of a port.
type HTTPProbe struct {
	// Path to GET; `/` when absent.
	// +optional
	Path string `json:"path,omitempty"`
	// Port by name or number; the first port when absent.
	// +optional
	Port *intstr.IntOrString `json:"port,omitempty"`
}

// TCPProbe opens a port.
type TCPProbe struct {
	// Port by name or number; the first port when absent.
	// +optional
	Port *intstr.IntOrString `json:"port,omitempty"`
}

// ExecProbe runs a command in the instance.
type ExecProbe struct {
	// Command and its arguments; no shell.
	// +kubebuilder:validation:MinItems=1
	Command []string `json:"command"`
}

// Hook is a job that runs before the workload is written.
type Hook struct {
	// Name is unique in the template.
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$`
	Name string `json:"name"`
	// Command of the job; the image's entrypoint when absent.
	// +optional
	Command []string `json:"command,omitempty"`
	// Args of the job, with expressions.
	// +optional
	Args []string `json:"args,omitempty"`
}

// WorkloadKind is the kind of object a service without own manifests becomes.
// +kubebuilder:validation:Enum=Deployment;StatefulSet;Job
type WorkloadKind string

// The workload kinds.
const (
	WorkloadDeployment  WorkloadKind = "Deployment"
	WorkloadStatefulSet WorkloadKind = "StatefulSet"
	WorkloadJob         WorkloadKind = "Job"
)

// Container says how a service runs in a cluster: by default a Deployment, a Service
// and a ConfigMap made from the template; or the template's own manifests.
// +kubebuilder:validation:XValidation:rule="[has(self.manifests), has(self.manifestsFrom), has(self.kustomize), has(self.chart)].filter(x, x).size() <= 1",message="at most one of manifests, manifestsFrom, kustomize and chart may be set"
type Container struct {
	// Kind of the workload; Deployment when absent. Not used with manifests.
	// +optional
	Kind WorkloadKind `json:"kind,omitempty"`
	// Image, with expressions; a product or environment usually sets it.
	// +optional
	Image string `json:"image,omitempty"`
	// Command replaces the image's entrypoint.
	// +optional
	Command []string `json:"command,omitempty"`
	// Args of the command, with expressions.
	// +optional
	Args []string `json:"args,omitempty"`
	// Replicas wanted; 1 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=0
	Replicas *int32 `json:"replicas,omitempty"`
	// Resources of the container; the class's limits apply when absent.
	// +optional
	Resources corev1.ResourceRequirements `json:"resources,omitempty"`
	// Volumes that keep data for the life of the environment. A workload with volumes is
	// replaced instead of rolled, since its volumes serve one instance at a time.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=10
	Volumes []Volume `json:"volumes,omitempty"`
	// RunAsUser is the numeric user of the process; the image's user when absent.
	// +optional
	RunAsUser *int64 `json:"runAsUser,omitempty"`
	// Writable lets the process write to its image's file system; off when absent.
	// `/tmp` is always writable.
	// +optional
	Writable bool `json:"writable,omitempty"`
	// NodeSelector restricts the nodes the service may run on.
	// +optional
	NodeSelector map[string]string `json:"nodeSelector,omitempty"`
	// Manifests are Kubernetes objects in YAML, with expressions, used instead of the
	// default workload. Namespaced kinds only; namespace and ownership are set by Spock.
	// +optional
	// +kubebuilder:validation:MaxItems=50
	Manifests []string `json:"manifests,omitempty"`
	// ManifestsFrom reads manifests from files elsewhere.
	// +optional
	ManifestsFrom *ManifestsFrom `json:"manifestsFrom,omitempty"`
	// Kustomize is a directory that Kustomize builds the objects from, instead of
	// manifests. What holds for manifests holds for them.
	// +optional
	Kustomize *Kustomize `json:"kustomize,omitempty"`
	// Chart is a Helm chart that renders the objects, instead of manifests. What holds for
	// manifests holds for them, but for expressions, which stand in its values.
	// +optional
	Chart *Chart `json:"chart,omitempty"`
	// Ready gives, for kinds that Kubernetes has no rule for, a CEL expression over
	// `object` that is true when the object is ready.
	// +optional
	// +listType=map
	// +listMapKey=kind
	// +kubebuilder:validation:MaxItems=20
	Ready []ReadyRule `json:"ready,omitempty"`
}

// ReadyRule is the readiness of a kind of object.
type ReadyRule struct {
	// APIVersion of the object, `group/version`.
	// +kubebuilder:validation:MinLength=1
	APIVersion string `json:"apiVersion"`
	// Kind of the object.
	// +kubebuilder:validation:MinLength=1
	Kind string `json:"kind"`
	// Expression over `object`: true when ready. `true` declares that the kind has no status.
	// +kubebuilder:validation:MinLength=1
	Expression string `json:"expression"`
}

// Volume is storage that lives as long as the environment.
type Volume struct {
	// Name is unique in the template.
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$`
	Name string `json:"name"`
	// MountPath in the container.
	// +kubebuilder:validation:Pattern=`^/.+`
	MountPath string `json:"mountPath"`
	// Size asked for.
	Size resource.Quantity `json:"size"`
}

// ServiceTemplateList is a list of ServiceTemplates.
//
// +k8s:deepcopy-gen:interfaces=k8s.io/apimachinery/pkg/runtime.Object
type ServiceTemplateList struct {
	metav1.TypeMeta `json:",inline"`
	// +optional
	metav1.ListMeta `json:"metadata,omitempty"`

	Items []ServiceTemplate `json:"items"`
}
