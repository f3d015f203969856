// Package host asks the machine whether a cluster can run on it, installs the
// packages it lacks, and runs its programs.
package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"runtime"
	"slices"
	"sort"
	"strings"
	"syscall"
)

// needs maps a file that must exist to the Debian package that brings it.
var needs = map[string]string{
	"/usr/bin/containerd":                "containerd",
	"/usr/sbin/runc":                     "runc",
	"/usr/lib/cni/bridge":                "containernetworking-plugins",
	"/usr/sbin/iptables":                 "iptables",
	"/usr/sbin/conntrack":                "conntrack",
	"/usr/sbin/ethtool":                  "ethtool",
	"/usr/bin/socat":                     "socat",
	"/usr/sbin/debootstrap":              "debootstrap",
	"/usr/bin/ip":                        "iproute2",
	"/usr/bin/mount":                     "mount",
	"/etc/ssl/certs/ca-certificates.crt": "ca-certificates",
}

// Busybox is where Debian's busybox-static puts its one program; the dynamic
// busybox has the same path, therefore the package is asked for by name.
const Busybox = "/bin/busybox"

// Check says in one sentence why no cluster can run here, or nil.
func Check() error {
	if runtime.GOOS != "linux" {
		return errors.New("the local cluster needs Linux: it is made of namespaces")
	}
	if os.Geteuid() != 0 {
		return errors.New("the local cluster needs root: run it with sudo, it creates namespaces, cgroups and a bridge")
	}
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return fmt.Errorf("reading the machine's mounts: %w", err)
	}
	if !strings.Contains(string(mounts), " /sys/fs/cgroup/pids cgroup ") {
		return errors.New("the local cluster needs cgroup v1 hierarchies under /sys/fs/cgroup; a machine with cgroup v2 only is not supported")
	}
	return nil
}

// Missing returns the Debian packages this machine lacks.
func Missing() []string {
	var out []string
	for path, pkg := range needs {
		if _, err := os.Stat(path); err != nil {
			out = append(out, pkg)
		}
	}
	if !static(Busybox) {
		out = append(out, "busybox-static")
	}
	sort.Strings(out)
	return out
}

// MissingFor returns which of some packages, all of them known by a file here, this machine lacks.
func MissingFor(packages ...string) []string {
	return slices.DeleteFunc(Missing(), func(pkg string) bool { return !slices.Contains(packages, pkg) })
}

// static says whether a program runs without shared libraries.
func static(path string) bool {
	raw, err := os.ReadFile(path)
	return err == nil && !bytes.Contains(raw, []byte("ld-linux"))
}

// Install installs Debian packages without asking anything.
func Install(ctx context.Context, packages []string) error {
	if len(packages) == 0 {
		return nil
	}
	if _, err := exec.LookPath("apt-get"); err != nil {
		return fmt.Errorf("packages %s are missing and this machine has no apt-get: install them by hand", strings.Join(packages, " "))
	}
	_, stale := Output(ctx, "apt-get", "update", "-qq") // one dead source of many is no reason to give up
	args := append([]string{"install", "-y", "-qq", "--no-install-recommends"}, packages...)
	cmd := exec.CommandContext(ctx, "apt-get", args...)
	cmd.Env = append(os.Environ(), "DEBIAN_FRONTEND=noninteractive")
	if _, err := Run(cmd); err != nil {
		return errors.Join(err, stale)
	}
	return nil
}

// Tied makes a prepared command end when this program ends in whatever way. As root, so
// does all that it starts and mounts: it gets pid and mount namespaces of its own.
func Tied(cmd *exec.Cmd) *exec.Cmd {
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if os.Geteuid() == 0 {
		cmd.SysProcAttr.Cloneflags = syscall.CLONE_NEWPID
		cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS // unlike the clone flag it also makes the mounts private
	}
	return cmd
}

// Output runs a program and returns what it printed; its error says what the program said.
func Output(ctx context.Context, name string, args ...string) (string, error) {
	return Run(exec.CommandContext(ctx, name, args...))
}

// Run runs a prepared command as Output does.
func Run(cmd *exec.Cmd) (string, error) {
	var out, problems bytes.Buffer
	cmd.Stdout = &out
	cmd.Stderr = io.Writer(&problems)
	if err := cmd.Run(); err != nil {
		said := strings.TrimSpace(problems.String())
		return out.String(), fmt.Errorf("%s: %w: %s", strings.Join(cmd.Args[:min(4, len(cmd.Args))], " "), err, said[max(0, len(said)-2000):])
	}
	return out.String(), nil
}
