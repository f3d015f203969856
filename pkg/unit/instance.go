package unit

// Instance is one service on one machine as a plan wants it. It holds no secret: those
// are named, and read when it is brought to the machine.
type Instance struct {
	// Host by name.
	Host string `json:"host"`
	// HostNamespace is that of the Host; the environment's when empty.
	HostNamespace string `json:"hostNamespace,omitempty"`
	// Image whose files the process sees as its root; the machine's own when empty.
	Image string `json:"image,omitempty"`
	// ImageSecret holds the credentials of its registry; the controller's own when empty.
	ImageSecret string `json:"imageSecret,omitempty"`
	// Insecure asks its registry over plain HTTP.
	Insecure bool `json:"insecure,omitempty"`
	// Archive whose files the process sees below App, beside the machine's own.
	Archive *Archive `json:"archive,omitempty"`
	// Package is installed before.
	Package *Package `json:"package,omitempty"`
	// Exec and Args are the command line; the image's when both are empty.
	Exec []string `json:"exec,omitempty"`
	Args []string `json:"args,omitempty"`
	// Env is added to the image's.
	Env []Variable `json:"env,omitempty"`
	// Secrets are variables that are read from Secrets of the environment.
	Secrets []SecretVariable `json:"secrets,omitempty"`
	// User and WorkDir as in Service; the image's working directory when empty.
	User    string `json:"user,omitempty"`
	WorkDir string `json:"workDir,omitempty"`
	// Volumes keep data for as long as the service is on the machine.
	Volumes []Volume `json:"volumes,omitempty"`
	// Files by the path at which the process sees them.
	Files []Content `json:"files,omitempty"`
	// Ports it listens on.
	Ports []int32 `json:"ports,omitempty"`
	// Sockets that systemd keeps for it, from one process of it to the next.
	Sockets []Socket `json:"sockets,omitempty"`
	// Limits of it.
	Limits Limits `json:"limits"`
	// Notify and Ready say how it shows that it can serve: by itself, or for how many seconds
	// it must, and `none`, `tcp PORT`, `http PORT PATH` or `exec COMMAND...`.
	Notify bool     `json:"notify,omitempty"`
	Ready  []string `json:"ready,omitempty"`
	// StartSeconds and StopSeconds are the longest times to start and to stop.
	StartSeconds int32 `json:"startSeconds"`
	StopSeconds  int32 `json:"stopSeconds"`
	// StopSignal asks it to end.
	StopSignal string `json:"stopSignal,omitempty"`
	// Running is what is wanted, and Intact: a service that somebody has stopped, or whose
	// unit somebody has edited, is seen without.
	Running bool `json:"running"`
	Intact  bool `json:"intact"`
}

// App is where a process sees the files of its archive.
const App = "/app"

// Archive is a plain one, by its content.
type Archive struct {
	URL    string `json:"url"`
	SHA256 string `json:"sha256"`
	Strip  int    `json:"strip,omitempty"`
	// Secret has the name and password for its server.
	Secret string `json:"secret,omitempty"`
}

// Package is how something is installed on a machine, and removed.
type Package struct {
	Install []string `json:"install"`
	Remove  []string `json:"remove"`
}

// SecretVariable is a variable whose value is a key of a Secret.
type SecretVariable struct {
	Name   string `json:"name"`
	Secret string `json:"secret"`
	Key    string `json:"key"`
}

// Volume is a directory of a service.
type Volume struct {
	Name string `json:"name"`
	Path string `json:"path"`
}

// Content is a file of a service.
type Content struct {
	Path    string `json:"path"`
	Content string `json:"content"`
}
