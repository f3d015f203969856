package machine

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"spock.dev/spock/hack/cluster/internal/cgroup"
)

// Init makes the machine's file systems and becomes its systemd.
func Init(file string) error {
	o, err := load(file)
	if err != nil {
		return err
	}
	root := o.Machine.path("disk/root")
	for _, step := range []func() error{
		func() error { return syscall.Sethostname([]byte(o.Machine.Name())) },
		func() error { return mount("", "/", "", syscall.MS_REC|syscall.MS_PRIVATE, "") },
		func() error { return o.disk(root) },
		func() error { return system(root) },
		func() error { return devices(root) },
		func() error { return o.Machine.identity(root) },
		func() error { return pivot(root) },
	} {
		if err := step(); err != nil {
			return fmt.Errorf("make the machine: %w", err)
		}
	}
	return syscall.Exec("/lib/systemd/systemd", []string{"/lib/systemd/systemd", "--show-status=1"},
		[]string{"container=spock", "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"})
}

// disk lays an empty disk over the trees.
func (o order) disk(root string) error {
	disk := o.Machine.path("disk")
	if err := os.MkdirAll(disk, 0o755); err != nil {
		return err
	}
	if err := mount("tmpfs", disk, "tmpfs", 0, fmt.Sprintf("mode=755,size=%dm", o.Machine.DiskMB)); err != nil {
		return err
	}
	for _, d := range []string{"up", "work", "root"} {
		if err := os.Mkdir(filepath.Join(disk, d), 0o755); err != nil {
			return err
		}
	}
	return mount("overlay", root, "overlay", 0, fmt.Sprintf("lowerdir=%s,upperdir=%s,workdir=%s",
		strings.Join(o.Lower, ":"), filepath.Join(disk, "up"), filepath.Join(disk, "work")))
}

// system mounts proc, sys and the cgroup hierarchies. Seen from the new cgroup namespace
// the machine's own cgroup is the root.
func system(root string) error {
	for _, err := range []error{
		mount("proc", filepath.Join(root, "proc"), "proc", 0, ""),
		mount("sysfs", filepath.Join(root, "sys"), "sysfs", syscall.MS_RDONLY, ""),
		mount("cgroup", filepath.Join(root, "sys/fs/cgroup"), "tmpfs", 0, "mode=755,size=1m"),
		mount("tmpfs", filepath.Join(root, "run"), "tmpfs", 0, "mode=755"),
		mount("tmpfs", filepath.Join(root, "tmp"), "tmpfs", 0, "mode=1777"),
	} {
		if err != nil {
			return err
		}
	}
	hierarchies, err := cgroup.Hierarchies()
	if err != nil {
		return err
	}
	for _, h := range hierarchies {
		name := filepath.Base(h)
		dir := filepath.Join(root, "sys/fs/cgroup", name)
		if err := os.Mkdir(dir, 0o755); err != nil {
			return err
		}
		options := name
		if name == "systemd" {
			options = "none,name=systemd"
		}
		if err := mount("cgroup", dir, "cgroup", 0, options); err != nil {
			return err
		}
	}
	return nil
}

// devices shows the machine the few devices that everything needs.
func devices(root string) error {
	dev := filepath.Join(root, "dev")
	if err := mount("tmpfs", dev, "tmpfs", 0, "mode=755,size=1m"); err != nil {
		return err
	}
	for _, name := range []string{"null", "zero", "full", "random", "urandom", "tty"} {
		if err := os.WriteFile(filepath.Join(dev, name), nil, 0o666); err != nil {
			return err
		}
		if err := mount(filepath.Join("/dev", name), filepath.Join(dev, name), "", syscall.MS_BIND, ""); err != nil {
			return err
		}
	}
	for _, name := range []string{"pts", "shm", "mqueue"} {
		if err := os.Mkdir(filepath.Join(dev, name), 0o755); err != nil {
			return err
		}
	}
	if err := mount("devpts", filepath.Join(dev, "pts"), "devpts", 0, "newinstance,ptmxmode=666,gid=5"); err != nil {
		return err
	}
	if err := mount("tmpfs", filepath.Join(dev, "shm"), "tmpfs", 0, "mode=1777"); err != nil {
		return err
	}
	for name, to := range map[string]string{
		"ptmx": "pts/ptmx", "fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1", "stderr": "/proc/self/fd/2",
	} {
		if err := os.Symlink(to, filepath.Join(dev, name)); err != nil {
			return err
		}
	}
	return nil
}

// identity is what distinguishes a machine from its siblings, and who may log in.
func (m Machine) identity(root string) error {
	sum := sha256.Sum256([]byte(m.Name()))
	hostKey, err := os.ReadFile(m.path("hostkey"))
	if err != nil {
		return err
	}
	login, err := os.ReadFile(m.path("key.pub"))
	if err != nil {
		return err
	}
	hostPublic, err := os.ReadFile(m.path("hostkey.pub"))
	if err != nil {
		return err
	}
	files := []file{
		{"etc/hostname", m.Name() + "\n", 0o644, 0},
		{"etc/hosts", "127.0.0.1 localhost\n127.0.1.1 " + m.Name() + "\n", 0o644, 0},
		{"etc/machine-id", hex.EncodeToString(sum[:16]) + "\n", 0o444, 0},
		{"etc/ssh/ssh_host_ed25519_key", string(hostKey), 0o600, 0},
		{"etc/ssh/ssh_host_ed25519_key.pub", string(hostPublic), 0o644, 0},
		{"etc/ssh/sshd_config.d/spock.conf", "HostKey /etc/ssh/ssh_host_ed25519_key\nPasswordAuthentication no\nMaxSessions 100\n", 0o644, 0},
		{"root/.ssh/authorized_keys", string(login), 0o600, 0},
		{"home/deploy/.ssh/authorized_keys", string(login), 0o600, 1000},
	}
	if m.Cluster != nil {
		files = append(files, file{"etc/resolv.conf", "nameserver " + m.Cluster.NodeIP().String() + "\n", 0o644, 0})
	}
	for _, f := range files {
		if err := put(filepath.Join(root, f.name), f.content, f.mode, f.owner); err != nil {
			return err
		}
	}
	return nil
}

type file struct {
	name, content string
	mode          os.FileMode
	owner         int
}

func put(file, content string, mode os.FileMode, owner int) error {
	dir := filepath.Dir(file)
	if !exists(dir) {
		if err := os.Mkdir(dir, 0o700); err != nil {
			return err
		}
		if err := os.Chown(dir, owner, owner); err != nil {
			return err
		}
	}
	_ = os.Remove(file)
	if err := os.WriteFile(file, []byte(content), mode); err != nil {
		return err
	}
	return os.Chown(file, owner, owner)
}

// pivot makes root the only file system that is seen.
func pivot(root string) error {
	if err := os.Chdir(root); err != nil {
		return err
	}
	if err := os.MkdirAll(".old", 0o700); err != nil {
		return err
	}
	if err := syscall.PivotRoot(".", ".old"); err != nil {
		return fmt.Errorf("pivot into the machine's root: %w", err)
	}
	if err := os.Chdir("/"); err != nil {
		return err
	}
	if err := syscall.Unmount("/.old", syscall.MNT_DETACH); err != nil {
		return fmt.Errorf("detach the outer root: %w", err)
	}
	return os.Remove("/.old")
}

func mount(source, target, kind string, flags uintptr, options string) error {
	if err := syscall.Mount(source, target, kind, flags, options); err != nil {
		return fmt.Errorf("mount %s on %s: %w", source, target, err)
	}
	return nil
}
