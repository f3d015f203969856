// Package unit writes the systemd unit of a service that runs on a machine. Whatever a
// unit does not say is closed: the process has no rights, no devices, no home folders
// and no way to get more, sees the machine's files read-only or not at all, and has a
// user of its own.
//
// It renders text and starts nothing. What is given to it becomes words of the unit,
// never directives: a value that cannot be written so is refused.
package unit

import (
	"fmt"
	"strings"
	"time"
)

// Service is what a unit is made of.
type Service struct {
	// Description is one line for people who look at the machine.
	Description string
	// Exec is the program and its arguments: an absolute path, or a name to look up.
	Exec []string
	// Env are variables that everybody on the machine may see.
	Env []Variable
	// EnvFile is a file with variables that nobody but root may see; empty when there are
	// none.
	EnvFile string
	// User the process runs as; a user of its own that exists as long as it runs when
	// empty.
	User string
	// WorkDir is the working directory, as the process sees it; the root when empty.
	WorkDir string
	// Root is the directory that the process sees as its root; the machine's when empty.
	Root string
	// Shared says that the process sees the machine's programs, libraries and settings in its
	// Root, too.
	Shared bool
	// State are directories that are the service's own, and stay when it stops.
	State []State
	// Files are put over the files that the process sees, read-only.
	Files []File
	// Ports the service listens on.
	Ports []int32
	// Sockets is the name of the unit with the sockets that the process gets from systemd
	// when it starts; empty when it opens its own.
	Sockets string
	// Limits of the process and its children.
	Limits Limits
	// Notify says that the program tells by itself when it is ready.
	Notify bool
	// Prepare is a command, run with the rights of root outside of Root, before it starts.
	Prepare []string
	// Runtime is the name of a directory in /run that is the service's own while it runs.
	Runtime string
	// Ready is a command, run with the rights of root outside of Root, that returns 0 when
	// the service is ready.
	Ready []string
	// Start is the longest time until it is ready, Stop the longest time to stop.
	Start, Stop time.Duration
	// StopSignal asks the process to end; SIGTERM when empty.
	StopSignal string
}

// Variable is a variable of a process's environment.
type Variable struct {
	Name  string `json:"name"`
	Value string `json:"value"`
}

// State is a directory of a service: its name below the directory of all of them, and
// where the process sees it.
type State struct{ Name, Path string }

// File is a file of the machine, and where the process sees it. One that Prepare makes is
// not there yet when Prepare itself is started.
type File struct {
	From, Path string
	Prepared   bool
}

// Limits bound what a service may use; zero bounds nothing.
type Limits struct {
	// CPU in thousandths of a core.
	CPU int64 `json:"cpu,omitempty"`
	// Memory in bytes: a process that wants more is killed.
	Memory int64 `json:"memory,omitempty"`
	// Tasks are processes and threads.
	Tasks int64 `json:"tasks,omitempty"`
	// OpenFiles of one process.
	OpenFiles int64 `json:"openFiles,omitempty"`
}

// How often a process that ends is started again, before it is given up.
const (
	restartAfter = time.Second
	startsWithin = time.Minute
	starts       = 5
)

// Render writes the unit. The same service is the same text.
func (s Service) Render() (string, error) {
	w := &writer{}
	w.section("Unit")
	w.line("Description", w.plain(s.Description))
	w.line("After", "network-online.target")
	if s.Sockets != "" {
		w.line("Requires", w.word(s.Sockets))
		w.line("After", w.word(s.Sockets))
	}
	w.line("StartLimitIntervalSec", seconds(startsWithin))
	w.line("StartLimitBurst", fmt.Sprint(starts))
	w.section("Service")
	s.process(w)
	s.life(w)
	s.view(w)
	s.limits(w)
	w.text.WriteString(closed)
	s.capabilities(w)
	if w.err != nil {
		return "", fmt.Errorf("write the unit of %q: %w", s.Description, w.err)
	}
	return w.text.String(), nil
}

func (s Service) process(w *writer) {
	kind := "exec"
	if s.Notify {
		kind = "notify"
	}
	w.line("Type", kind)
	w.line("ExecStart", w.command(s.Exec))
	for _, v := range s.Env {
		w.variable(v)
	}
	if s.EnvFile != "" {
		w.line("EnvironmentFile", w.path(s.EnvFile))
	}
	if s.User == "" {
		w.line("DynamicUser", "yes")
	} else {
		w.line("User", w.word(s.User))
	}
	if s.WorkDir != "" {
		w.line("WorkingDirectory", w.path(s.WorkDir))
	}
}

func (s Service) life(w *writer) {
	if len(s.Prepare) > 0 {
		w.line("ExecStartPre", "+"+w.command(s.Prepare))
	}
	if len(s.Ready) > 0 {
		w.line("ExecStartPost", "+"+w.command(s.Ready))
	}
	w.line("TimeoutStartSec", seconds(s.Start))
	w.line("TimeoutStopSec", seconds(s.Stop))
	if s.StopSignal != "" {
		w.line("KillSignal", w.word(s.StopSignal))
	}
	w.line("Restart", "always")
	w.line("RestartSec", seconds(restartAfter))
	w.line("SyslogLevelPrefix", "no")
}

// view is what the process sees of the machine.
func (s Service) view(w *writer) {
	if s.Root != "" {
		w.line("RootDirectory", w.path(s.Root))
		w.line("RootDirectoryStartOnly", "yes") // Ready is a program of the machine's
		w.line("MountAPIVFS", "yes")
		seen := "-/etc/resolv.conf -/etc/hosts"
		if s.Shared {
			seen = shared
		}
		w.line("BindReadOnlyPaths", seen)
	}
	if s.Runtime != "" {
		w.line("RuntimeDirectory", w.word(s.Runtime))
	}
	for _, d := range s.State {
		w.line("StateDirectory", w.word(d.Name))
	}
	if len(s.State) > 0 {
		w.line("StateDirectoryMode", "0700")
	}
	for _, d := range s.State {
		w.line("BindPaths", "/var/lib/"+private(s.User)+w.path(d.Name)+":"+w.path(d.Path))
	}
	for _, f := range s.Files {
		late := ""
		if f.Prepared {
			late = "-"
		}
		w.line("BindReadOnlyPaths", late+w.path(f.From)+":"+w.path(f.Path))
	}
}

// shared is what programs of the machine are made of.
const shared = "-/usr -/bin -/sbin -/lib -/lib32 -/lib64 -/etc -/opt"

// Folders are those that a Root with Shared must have, without the leading slash.
func Folders() []string {
	folders := []string{"dev", "proc", "sys", "run", "tmp", "var", "var/tmp"}
	for f := range strings.FieldsSeq(shared) {
		folders = append(folders, strings.TrimPrefix(f, "-/"))
	}
	return folders
}

// Mounts are the paths at which something is put before the process. systemd makes what
// is missing of them: in Root, and, since commands outside of Root get the same mounts, on
// the machine.
func (s Service) Mounts() []string {
	var paths []string
	for _, d := range s.State {
		paths = append(paths, d.Path)
	}
	for _, f := range s.Files {
		paths = append(paths, f.Path)
	}
	return paths
}

// private is where systemd keeps the state of users that come and go.
func private(user string) string {
	if user == "" {
		return "private/"
	}
	return ""
}

func (s Service) limits(w *writer) {
	if s.Limits.CPU > 0 {
		w.line("CPUQuota", fmt.Sprintf("%d%%", (s.Limits.CPU+9)/10))
	}
	if s.Limits.Memory > 0 {
		w.line("MemoryMax", fmt.Sprint(s.Limits.Memory))
		w.line("OOMPolicy", "kill")
	}
	if s.Limits.Tasks > 0 {
		w.line("TasksMax", fmt.Sprint(s.Limits.Tasks))
	}
	if s.Limits.OpenFiles > 0 {
		w.line("LimitNOFILE", fmt.Sprint(s.Limits.OpenFiles))
	}
}

// closed is what every service is denied.
const closed = `NoNewPrivileges=yes
PrivateTmp=yes
PrivateDevices=yes
DevicePolicy=closed
ProtectSystem=strict
ProtectHome=yes
ProtectClock=yes
ProtectHostname=yes
ProtectControlGroups=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
ProtectProc=invisible
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RemoveIPC=yes
LockPersonality=yes
KeyringMode=private
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
UMask=0077
`

// capabilities are none, but for the one that a low port needs.
func (s Service) capabilities(w *writer) {
	const lowest = 1024
	bind := ""
	for _, p := range s.Ports {
		if p < lowest && s.Sockets == "" {
			bind = "CAP_NET_BIND_SERVICE"
		}
	}
	w.line("CapabilityBoundingSet", bind)
	w.line("AmbientCapabilities", bind)
}

func seconds(d time.Duration) string {
	return strings.TrimSuffix(fmt.Sprintf("%.3f", d.Seconds()), ".000")
}
