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
// the files of its image and nothing of the machine's, or those of an archive beside the
// machine's programs, or a program of the machine's own.
// +kubebuilder:validation:XValidation:rule="!has(self.image) || !has(self.archive) && !has(self.package)",message="an image brings all that the program needs; remove archive and package, or image"
// +kubebuilder:validation:XValidation:rule="!has(self.archive) && !has(self.package) || has(self.exec)",message="say in exec which program of the archive or package runs"
type HostProcess struct {
	// Image, with expressions; a product or environment usually sets it. Without any, exec
	// is a program of the machine's.
	// +optional
	Image string `json:"image,omitempty"`
	// SecretRef is a Secret of the template's namespace with the credentials of the image's
	// registry, of type kubernetes.io/dockerconfigjson. It is read as the environment's
	// service account. Without it the registry is asked with the controller's own.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`
	// Insecure asks the image's registry over plain HTTP.
	// +optional
	Insecure bool `json:"insecure,omitempty"`
	// Archive is run where there is no image: the process sees its files below `/app`, and
	// the programs and libraries of the machine, read-only.
	// +optional
	Archive *HostArchive `json:"archive,omitempty"`
	// Package is installed on the machine before the service starts, where the Host allows it.
	// +optional
	Package *HostPackage `json:"package,omitempty"`
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
	// WorkDir is the working directory, as the process sees it; the image's when absent,
	// `/app` with an archive.
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
	// Handover says that systemd opens the template's ports and hands them to the program,
	// which takes them as sd_listen_fds(3) tells: file descriptors from 3 on, in the order of
	// the ports. They stay open while one process follows another, so that an update
	// refuses no connection.
	// +optional
	Handover bool `json:"handover,omitempty"`
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

// HostArchive is a tar archive, packed with gzip or not. Links, devices and rights in it are
// handled as those of an image are.
type HostArchive struct {
	// URL to get it from, over HTTP or HTTPS, with expressions.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=2048
	URL string `json:"url"`
	// SHA256 that it must have, in 64 hexadecimal digits, with expressions.
	// +kubebuilder:validation:MinLength=1
	// +kubebuilder:validation:MaxLength=256
	SHA256 string `json:"sha256"`
	// Strip is how many leading directories of each name are left out, as with tar's
	// --strip-components.
	// +optional
	// +kubebuilder:validation:Minimum=0
	// +kubebuilder:validation:Maximum=20
	Strip int32 `json:"strip,omitempty"`
	// SecretRef is a Secret of the template's namespace with `username` and `password` for
	// the URL's server, of type kubernetes.io/basic-auth. It is read as the environment's
	// service account.
	// +optional
	SecretRef *SecretReference `json:"secretRef,omitempty"`
}

// HostPackage are the commands that install and remove a package. They run as root on the
// machine, without a terminal, and must do no harm when there is nothing to do.
type HostPackage struct {
	// Install is run before the service starts, each time it is changed; with expressions.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Install []string `json:"install"`
	// Remove is run when the service has gone from the machine, unless another service there
	// is removed by the same command; with expressions.
	// +kubebuilder:validation:MinItems=1
	// +kubebuilder:validation:MaxItems=100
	Remove []string `json:"remove"`
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
