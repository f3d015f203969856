package node

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"spock.dev/spock/hack/cluster/internal/cgroup"
)

const (
	volumes  = "/tmp/hostpath_pv" // fixed in the host-path provisioner
	etcdData = "/run/etcd/data"
)

// diskPaths maps paths that the node's programs write to folders of the node's disk.
var diskPaths = map[string]string{
	"/var/lib/containerd": "containerd",
	"/var/lib/kubelet":    "kubelet",
	"/var/lib/cni":        "cni",
	"/var/log/pods":       "pod-logs",
	"/var/log/containers": "container-logs",
	volumes:               "volumes",
}

// kubeletSysctls are machine-wide settings that the kubelet insists on. It finds
// them as it wants them, because files of the node lie over them, and leaves the
// machine's alone.
var kubeletSysctls = map[string]string{
	"kernel/panic":             "10",
	"kernel/panic_on_oops":     "1",
	"kernel/keys/root_maxkeys": "1000000", "kernel/keys/root_maxbytes": "25000000",
	"vm/overcommit_memory": "1",
	"vm/panic_on_oom":      "0",
}

// mounts makes the node's view of the file system.
func (s Spec) mounts() error {
	hierarchies, err := cgroup.Hierarchies()
	if err != nil {
		return err
	}
	steps := []func() error{
		func() error { return mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "") },
		func() error { return mount("proc", "/proc", "proc", 0, "") },
		func() error { return mountCgroups(hierarchies) },
		func() error { return mount("tmpfs", "/run", "tmpfs", 0, "mode=755,size=3g") },
		makeRunDirs,
		s.mountDisk,
		mountSysctls,
		func() error { return mount("", "/", "", syscall.MS_REC|syscall.MS_SHARED, "") },
	}
	for _, step := range steps {
		if err := step(); err != nil {
			return err
		}
	}
	return nil
}

// mountCgroups mounts every hierarchy again: seen from the new cgroup namespace
// the node's own cgroup is the root, so that a kubelet finds only its own.
func mountCgroups(hierarchies []string) error {
	const top = "/sys/fs/cgroup"
	if err := syscall.Unmount(top, syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("detaching %s: %w", top, err)
	}
	if err := mount("sysfs", "/sys", "sysfs", 0, ""); err != nil {
		return err
	}
	if err := mount("cgroup", top, "tmpfs", 0, "mode=755,size=1m"); err != nil {
		return err
	}
	for _, h := range hierarchies {
		if err := mountHierarchy(top, filepath.Base(h)); err != nil {
			return err
		}
	}
	return nil
}

func mountHierarchy(top, name string) error {
	dir := filepath.Join(top, name)
	if err := os.Mkdir(dir, 0o755); err != nil {
		return fmt.Errorf("creating a cgroup mount point: %w", err)
	}
	options := name
	if name == "systemd" {
		options = "none,name=systemd"
	}
	if err := mount("cgroup", dir, "cgroup", 0, options); err != nil {
		return err
	}
	parts := strings.Split(name, ",")
	for _, part := range parts[:len(parts)*min(1, len(parts)-1)] { // "cpu,cpuacct" is known as cpu and as cpuacct too
		if err := os.Symlink(name, filepath.Join(top, part)); err != nil {
			return fmt.Errorf("naming a cgroup hierarchy: %w", err)
		}
	}
	return nil
}

func makeRunDirs() error {
	for _, d := range []string{"/run/netns", "/run/containerd", "/run/kubernetes", "/run/etcd", "/run/lock"} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("creating the node's run folders: %w", err)
		}
	}
	return nil
}

func (s Spec) mountDisk() error {
	for path, name := range diskPaths {
		if err := bind(s.disk(name), path); err != nil {
			return err
		}
	}
	if err := os.Chmod(volumes, 0o711); err != nil {
		return fmt.Errorf("opening the volumes' folder: %w", err)
	}
	return bind(s.conf("cni"), "/etc/cni/net.d")
}

func mountSysctls() error {
	for name, value := range kubeletSysctls {
		over := filepath.Join("/run/sysctl", name)
		if err := os.MkdirAll(filepath.Dir(over), 0o755); err != nil {
			return fmt.Errorf("creating the node's settings: %w", err)
		}
		if err := os.WriteFile(over, []byte(value+"\n"), 0o644); err != nil {
			return fmt.Errorf("creating the node's settings: %w", err)
		}
		if err := mount(over, filepath.Join("/proc/sys", name), "", syscall.MS_BIND, ""); err != nil {
			return err
		}
	}
	return nil
}

// bind shows a folder of the node under another path; both are made if missing.
func bind(from, to string) error {
	for _, d := range []string{from, to} {
		if err := os.MkdirAll(d, 0o755); err != nil {
			return fmt.Errorf("creating a mount point: %w", err)
		}
	}
	return mount(from, to, "", syscall.MS_BIND, "")
}

func mount(source, target, kind string, flags uintptr, options string) error {
	if err := syscall.Mount(source, target, kind, flags, options); err != nil {
		return fmt.Errorf("mounting %s on %s: %w", source, target, err)
	}
	return nil
}
