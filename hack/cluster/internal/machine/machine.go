// Package machine boots machines to deploy to: a real systemd as process 1 and a real
// sshd, from a tree of Debian packages, in namespaces of their own with an address of
// their own. What is done to one, a cut network, a full disk, a sudden end, is real.
package machine

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"spock.dev/spock/hack/cluster/internal/cache"
	"spock.dev/spock/hack/cluster/internal/cgroup"
	"spock.dev/spock/hack/cluster/internal/debian"
	"spock.dev/spock/hack/cluster/internal/host"
	"spock.dev/spock/hack/cluster/internal/plan"
)

// bridge joins this machine and all machines of no cluster; it has the last address of
// their network.
const bridge = "spockhosts0"

// last is the number of this machine's own address on the bridge.
const last = 254

// patience is how long a machine may take to answer on its port 22.
const patience = time.Minute

// tools are the packages that this machine needs to boot one.
var tools = []string{"debootstrap", "iproute2", "mount"}

// packages of a machine. What Spock needs on one is in every one of them: a shell,
// coreutils, tar, util-linux, systemd and sshd.
const packages = "systemd systemd-sysv dbus libpam-systemd openssh-server iproute2 procps curl sudo python3-minimal"

// prepare runs in the tree before its packages are there.
const prepare = `mkdir -p /etc/systemd/system
for unit in systemd-udevd.service systemd-udevd-kernel.socket systemd-udevd-control.socket getty.target \
  console-getty.service systemd-networkd.service systemd-resolved.service systemd-timesyncd.service \
  apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer fstrim.timer dpkg-db-backup.timer; do
  ln -sf /dev/null /etc/systemd/system/$unit
done
useradd -m -s /bin/bash deploy
mkdir -p /etc/sudoers.d
echo 'deploy ALL=(root) NOPASSWD: ALL' > /etc/sudoers.d/deploy
chmod 0440 /etc/sudoers.d/deploy`

// Machine is one machine: its number gives name and address.
type Machine struct {
	// Number of the machine, 1 to 200.
	Number int
	// State is the folder of its keys, its console and its process id.
	State string
	// DiskMB is the size of its disk.
	DiskMB int
	// Offers are packages that its apt installs from a repository on its own disk.
	Offers string
	// Cluster whose pods reach it, and it them; nil for a machine that only this one reaches.
	Cluster *plan.Plan
}

// Facts are what a client needs to reach a machine.
type Facts struct {
	Number  int    `json:"number"`
	Name    string `json:"name"`
	Address string `json:"address"`
	// HostKey as in known_hosts, without the name.
	HostKey string `json:"hostKey"`
	// Key is the path of a private key that root and deploy accept.
	Key string `json:"key"`
	// Link is this machine's end of its cable: taken down, the network is cut.
	Link string `json:"link"`
	// Pid of its process 1, as this machine counts.
	Pid int `json:"pid"`
}

// Name is its host name, and that of its network namespace and its cgroup.
func (m Machine) Name() string { return fmt.Sprintf("spockhost%d", m.Number) }

// Address is where its sshd listens.
func (m Machine) Address() string {
	if m.Cluster != nil {
		return m.Cluster.MachineIP(m.Number).String()
	}
	return fmt.Sprintf("198.19.255.%d", m.Number)
}

func (m Machine) link() string { return fmt.Sprintf("spockh%d", m.Number) }

func (m Machine) path(name string) string { return filepath.Join(m.State, name) }

// Up boots the machine and returns when its sshd answers.
func (m Machine) Up(ctx context.Context, say func(string, ...any)) (Facts, error) {
	if err := host.Check(); err != nil {
		return Facts{}, err
	}
	if err := host.Install(ctx, host.MissingFor(tools...)); err != nil {
		return Facts{}, err
	}
	if m.Number < 1 || m.Number > most {
		return Facts{}, fmt.Errorf("a machine has a number from 1 to %d, not %d", most, m.Number)
	}
	lower, err := trees(ctx, m.Offers, say)
	if err != nil {
		return Facts{}, err
	}
	if err := m.end(ctx); err != nil {
		return Facts{}, fmt.Errorf("remove what an earlier run left: %w", err)
	}
	facts, err := m.keys()
	if err != nil {
		return Facts{}, err
	}
	for _, step := range []func() error{
		func() error { return allowMany(watchers) },
		func() error { return m.connect(ctx) },
		func() error { return cgroup.Create(m.Name()) },
		func() error { return m.start(ctx, lower) },
		func() error { return m.answers(ctx) },
	} {
		if err := step(); err != nil {
			return Facts{}, errors.Join(fmt.Errorf("boot %s: %w", m.Name(), err), m.Down(context.WithoutCancel(ctx)))
		}
	}
	facts.Pid, err = m.pid()
	return facts, err
}

// trees returns the folders a machine's disk lies over, the uppermost first.
func trees(ctx context.Context, offers string, say func(string, ...any)) ([]string, error) {
	store, err := cache.Open()
	if err != nil {
		return nil, err
	}
	base, err := debian.Base(ctx, store, say)
	if err != nil {
		return nil, err
	}
	own := debian.Diff{Name: "machine", Packages: packages, Before: prepare}
	upper, err := own.Install(ctx, store, base, say)
	if err != nil || offers == "" {
		return []string{upper, base}, err
	}
	top, err := debian.Offer(own, offers).Install(ctx, store, upper+":"+base, say)
	return []string{top, upper, base}, err
}

// answers waits until the machine's sshd greets.
func (m Machine) answers(ctx context.Context) error {
	ctx, stop := context.WithTimeout(ctx, patience)
	defer stop()
	for {
		err := greets(ctx, net.JoinHostPort(m.Address(), "22"))
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("its sshd does not answer after %s, %s tells more: %w", patience, m.path("console.log"), err)
		case <-time.After(20 * time.Millisecond):
		}
	}
}

func greets(ctx context.Context, address string) error {
	conn, err := (&net.Dialer{Timeout: time.Second}).DialContext(ctx, "tcp", address)
	if err != nil {
		return err
	}
	defer conn.Close()
	_ = conn.SetReadDeadline(time.Now().Add(5 * time.Second))
	greeting := make([]byte, 4)
	if _, err := conn.Read(greeting); err != nil {
		return err
	}
	if string(greeting) != "SSH-" {
		return fmt.Errorf("it says %q", greeting)
	}
	return nil
}

// Cut ends the machine as a power cut would. Its disk goes with it, which was memory, but Up
// boots it with the keys it had.
func (m Machine) Cut(ctx context.Context) error {
	if err := m.end(ctx); err != nil {
		return err
	}
	return os.WriteFile(m.path(same), nil, 0o600)
}

// Down ends the machine as a power cut would, and leaves nothing of it. It is no error
// when nothing is there.
func (m Machine) Down(ctx context.Context) error {
	return errors.Join(m.end(ctx), os.RemoveAll(m.State))
}

// end ends the machine; its state stays, by which its number is taken.
func (m Machine) end(ctx context.Context) error {
	if err := cgroup.Remove(ctx, m.Name()); err != nil {
		return err
	}
	return m.disconnect(ctx)
}

// pid of its process 1.
func (m Machine) pid() (int, error) {
	raw, err := os.ReadFile(m.path("pid"))
	if err != nil {
		return 0, fmt.Errorf("read the process id of %s: %w", m.Name(), err)
	}
	var pid int
	_, err = fmt.Sscan(strings.TrimSpace(string(raw)), &pid)
	return pid, err
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// order is what the processes on the way to the machine's first one are given.
type order struct {
	Machine Machine
	Lower   []string
}

func (o order) save() (string, error) {
	raw, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	file := o.Machine.path("order.json")
	return file, os.WriteFile(file, raw, 0o600)
}

func load(file string) (order, error) {
	var o order
	raw, err := os.ReadFile(file)
	if err != nil {
		return o, fmt.Errorf("read the order: %w", err)
	}
	return o, json.Unmarshal(raw, &o)
}
