package v1alpha1

import "k8s.io/apimachinery/pkg/api/resource"

// KindHostService is the kind of the objects that a plan has for services on machines, one
// per instance. The API server does not know it: they are kept on the machines.
const KindHostService = "HostService"

// Target is a place that a service runs in.
// +kubebuilder:validation:Enum=container;host
type Target string

// The targets.
const (
	// TargetContainer runs a service in the cluster.
	TargetContainer Target = "container"
	// TargetHost runs it on machines.
	TargetHost Target = "host"
)

// HostProcess says how a service runs on a machine: a process under systemd, which sees
// the files of its image and nothing of the machine's, or a program of the machine's own.
type HostProcess struct {
	// Image, with expressions; a product or environment usually sets it. Without any, exec
	// is a program of the machine's.
	// +optional
	Image string `json:"image,omitempty"`
	// Exec is the program, with its first arguments: an absolute path or a name to look up.
	// The image's entrypoint when absent.
	// +optional
	// +kubebuilder:validation:MaxItems=100
	Exec []string `json:"exec,omitempty"`
	// Args follow exec, with expressions. The image's command when both are absent.
	// +optional
	// +kubebuilder:validation:MaxItems=200
	Args []string `json:"args,omitempty"`
	// User of the machine as which it runs. When absent it has a user of its own, which exists
	// as long as it runs.
	// +optional
	// +kubebuilder:validation:Pattern=`^[a-z_][-a-z0-9_]{0,31}$`
	User string `json:"user,omitempty"`
	// WorkDir is the working directory, as the process sees it; the image's when absent.
	// +optional
	// +kubebuilder:validation:Pattern=`^/[A-Za-z0-9_./-]*$`
	WorkDir string `json:"workDir,omitempty"`
	// Volumes are directories of its own that stay while the service is on the machine. All
	// else that it sees is read-only, but for `/tmp`.
	// +optional
	// +listType=map
	// +listMapKey=name
	// +kubebuilder:validation:MaxItems=10
	Volumes []HostVolume `json:"volumes,omitempty"`
	// Limits of an instance, and what it takes of the machine's capacity.
	// +optional
	Limits HostLimits `json:"limits,omitempty"`
	// Notify says that the program tells by itself when it is ready, as systemd's
	// `Type=notify` wants it. Instead of a readiness probe.
	// +optional
	Notify bool `json:"notify,omitempty"`
	// Selector are labels that a Host must have to run it; any Host of the environment's
	// namespace when absent.
	// +optional
	Selector map[string]string `json:"selector,omitempty"`
	// StartSeconds is the longest time from its start to ready; 60 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	StartSeconds int32 `json:"startSeconds,omitempty"`
	// Stop says how it is stopped.
	// +optional
	Stop HostStop `json:"stop,omitempty"`
}

// HostVolume is a directory of a service on a machine.
type HostVolume struct {
	// Name is unique in the template.
	// +kubebuilder:validation:Pattern=`^[a-z]([-a-z0-9]{0,18}[a-z0-9])?$`
	Name string `json:"name"`
	// MountPath at which the process sees it.
	// +kubebuilder:validation:Pattern=`^/[A-Za-z0-9_./-]+$`
	MountPath string `json:"mountPath"`
}

// HostLimits bound an instance; what is absent is not bounded.
type HostLimits struct {
	// CPU time.
	// +optional
	CPU *resource.Quantity `json:"cpu,omitempty"`
	// Memory; a process that wants more is killed.
	// +optional
	Memory *resource.Quantity `json:"memory,omitempty"`
	// Tasks are processes and threads.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Tasks int64 `json:"tasks,omitempty"`
	// OpenFiles of one process.
	// +optional
	// +kubebuilder:validation:Minimum=1
	OpenFiles int64 `json:"openFiles,omitempty"`
}

// HostStop says how an instance is stopped.
type HostStop struct {
	// Signal asks it to end; SIGTERM when absent.
	// +optional
	// +kubebuilder:validation:Pattern=`^SIG[A-Z0-9]{2,10}$`
	Signal string `json:"signal,omitempty"`
	// Seconds after which it is killed; 10 when absent.
	// +optional
	// +kubebuilder:validation:Minimum=1
	Seconds int32 `json:"seconds,omitempty"`
}
