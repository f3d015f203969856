//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"io/fs"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target/host"
)

// machine is a physical host beside the cluster, as the file of MACHINES_FILE has it.
type machine struct {
	l       *lab
	Number  int    `json:"number"`
	Name    string `json:"name"`
	Address string `json:"address"`
	HostKey string `json:"hostKey"`
	Key     string `json:"key"`
	// Link is this machine's end of its cable.
	Link string `json:"link"`
}

// onMachine is held by the test that has the machine.
var onMachine sync.Mutex

// machineLab makes a lab and finds a machine that is no Host, which this test has alone until
// the lab is gone. It skips the test when there is none.
func machineLab(t *testing.T) (*lab, *machine) {
	t.Helper()
	onMachine.Lock()
	t.Cleanup(onMachine.Unlock)
	l := newLab(t)
	return l, l.machine()
}

func (l *lab) machine() *machine {
	l.Helper()
	raw, err := os.ReadFile(l.setting(l.T, "MACHINES_FILE"))
	if errors.Is(err, fs.ErrNotExist) {
		l.Skip("no machine stands beside the cluster: boot some with cluster up -machines 2, in hack/cluster")
	}
	l.must(err)
	var all []*machine
	l.must(json.Unmarshal(raw, &all))
	hosts, err := l.spock.SpockV1alpha1().Hosts(metav1.NamespaceAll).List(l.ctx, metav1.ListOptions{})
	l.must(err)
	taken := map[string]bool{}
	for i := range hosts.Items {
		taken[hosts.Items[i].Spec.Address] = true
	}
	for _, m := range all {
		if !taken[m.Address] {
			m.l = l
			return m
		}
	}
	l.Skipf("all %d machines beside the cluster are Hosts already: boot more with cluster up -machines %d, in hack/cluster", len(all), len(all)+1)
	return nil
}

// add makes the machine a Host of the lab, as a person does, and waits until it is connected.
func (m *machine) add(name string) {
	m.l.Helper()
	fingerprint, err := host.Fingerprint(m.HostKey)
	m.l.must(err)
	m.l.spockCommand("host", "add", name, "-n", m.l.name, "--address", m.Address, "--user", "deploy", "--key", m.Key, "--fingerprint", fingerprint)
	m.is(name, corev1.ConditionTrue, "Reachable", soon)
}

// is waits until the Host tells of the machine as expected.
func (m *machine) is(name string, ready corev1.ConditionStatus, reason string, within time.Duration) *v1alpha1.Host {
	m.l.Helper()
	hosts := v1alpha1.SchemeGroupVersion.WithResource("hosts")
	return await(m.l, ref{hosts, m.l.name, name}, within, "it is "+reason, func(h *v1alpha1.Host) bool {
		if h == nil {
			return false
		}
		c := h.Status.GetCondition(apis.ConditionReady)
		return c != nil && c.Status == ready && c.Reason == reason
	})
}

// ask runs a script on the machine as root, over a connection of the test's own.
func (m *machine) ask(script string) string {
	m.l.Helper()
	key, err := os.ReadFile(m.Key)
	m.l.must(err)
	ctx, stop := context.WithTimeout(context.Background(), soon)
	defer stop()
	conn, err := host.Dial(ctx, host.Login{Name: m.Name, Address: net.JoinHostPort(m.Address, "22"), User: "root", HostKey: m.HostKey, Key: key})
	m.l.must(err)
	defer conn.Close()
	out, err := conn.Run(ctx, script, nil)
	if err != nil {
		m.l.Fatalf("on machine %s: %v\n%s", m.Name, err, out)
	}
	return strings.TrimSpace(out)
}

// cable cuts the machine's network, or joins it again: down or up.
func (m *machine) cable(state string) {
	m.l.Helper()
	if out, err := exec.Command("ip", "link", "set", m.Link, state).CombinedOutput(); err != nil {
		m.l.Fatalf("set the cable of %s %s: %v: %s", m.Name, state, err, out)
	}
}

// power cuts the machine's power, or boots it again, with what its disk had gone: cut or up.
func (m *machine) power(state string) {
	m.l.Helper()
	beside, err := filepath.Abs(filepath.Dir(m.l.setting(m.l.T, "MACHINES_FILE")))
	m.l.must(err)
	cmd := exec.Command("go", "run", "./cmd/machine", state, "-number", strconv.Itoa(m.Number), "-cluster", beside, "-disk", "2048")
	cmd.Dir = filepath.Join(root, "hack", "cluster")
	if out, err := cmd.CombinedOutput(); err != nil {
		m.l.Fatalf("power of %s %s: %v\n%s", m.Name, state, err, out)
	}
}

// rekey gives the machine another host key, and returns what gives it the old one back.
func (m *machine) rekey() (back func()) {
	m.l.Helper()
	set := func(script string) string {
		return m.ask("set -e; cd /etc/ssh; " + script + "; systemctl reload ssh; cut -d' ' -f1,2 ssh_host_ed25519_key.pub")
	}
	pinned := m.HostKey
	m.HostKey = set("mkdir old; mv ssh_host_ed25519_key* old; ssh-keygen -q -t ed25519 -N '' -f ssh_host_ed25519_key")
	return func() {
		m.l.Helper()
		set("mv old/* .; rmdir old")
		m.HostKey = pinned
	}
}

// Scripts that tell of a machine.
const (
	// leftovers lists all that Spock could leave there, but for its lock and epoch.
	leftovers = `find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /dev -o -path /var/log -o -path /var/tmp \) -prune -o \
  \( -iname '*spock*' ! -path '/etc/spock' ! -path '/etc/ssh/*' -o -path '/etc/spock/services/*' \) -print | sort
ls -d /run/spock* 2>/dev/null || true; systemctl list-units --all --no-legend 'spock-*'; getent passwd | wc -l`
	// standing tells what is there of each service, and changes with every write and every start.
	standing = `find /etc/spock/services /var/lib/spock -printf '%p %C@\n' | sort
systemctl show --property=Id,InvocationID,NRestarts $(ls /etc/systemd/system | grep '^spock-')`
	// units names the units, a line each.
	units = `systemctl list-units --all --plain --no-legend 'spock-*' | cut -d' ' -f1`
	// received is how many bytes came over the network since the boot.
	received = `sed -n 's/^ *eth0: *\([0-9]*\).*/\1/p' /proc/net/dev`
)
