package machine

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"os"
	"path/filepath"
	"strings"

	"spock.dev/spock/hack/cluster/internal/host"
)

func (m Machine) namespace() string { return filepath.Join("/run/netns", m.Name()) }

// hardware is the address of the network card, which stays when the machine boots again: its
// neighbours send to the one that they know for up to a minute.
func hardware(address string) string {
	ip := netip.MustParseAddr(address).As4()
	return net.HardwareAddr(append([]byte{2, 0}, ip[:]...)).String()
}

// connect gives the machine a network namespace and a cable to a bridge: that of its
// cluster, whose node then is its way to pods and services.
func (m Machine) connect(ctx context.Context) error {
	to := bridge
	if m.Cluster != nil {
		to = m.Cluster.Bridge()
	} else if err := bridged(ctx); err != nil {
		return err
	}
	ns := m.Name()
	steps := [][]string{
		{"netns", "add", ns},
		{"link", "add", m.link(), "type", "veth", "peer", "name", "eth0", "address", hardware(m.Address()), "netns", ns},
		{"link", "set", m.link(), "master", to, "up"},
		{"-n", ns, "addr", "add", m.Address() + "/24", "dev", "eth0"},
		{"-n", ns, "link", "set", "eth0", "up"},
		{"-n", ns, "link", "set", "lo", "up"},
	}
	if m.Cluster != nil {
		for _, to := range []netip.Prefix{m.Cluster.PodCIDR(), m.Cluster.ServiceCIDR()} {
			steps = append(steps, []string{"-n", ns, "route", "add", to.String(), "via", m.Cluster.NodeIP().String()})
		}
	}
	for _, args := range steps {
		if _, err := host.Output(ctx, "ip", args...); err != nil {
			return fmt.Errorf("network: %w", err)
		}
	}
	return nil
}

// bridged makes the bridge unless it is there. Two machines may boot at once: who comes
// second finds the parts made.
func bridged(ctx context.Context) error {
	for _, args := range [][]string{
		{"link", "add", bridge, "type", "bridge"},
		{"addr", "add", fmt.Sprintf("198.19.255.%d/24", last), "dev", bridge},
		{"link", "set", bridge, "up"},
	} {
		_, err := host.Output(ctx, "ip", args...)
		if err != nil && !strings.Contains(err.Error(), "exists") && !strings.Contains(err.Error(), "already assigned") {
			return fmt.Errorf("network: %w", err)
		}
	}
	return nil
}

// disconnect removes what connect made, and the bridge with its last machine.
func (m Machine) disconnect(ctx context.Context) error {
	var problems []error
	if exists(filepath.Join("/sys/class/net", m.link())) {
		_, err := host.Output(ctx, "ip", "link", "del", m.link())
		problems = append(problems, err)
	}
	if exists(m.namespace()) {
		_, err := host.Output(ctx, "ip", "netns", "del", m.Name())
		problems = append(problems, err)
	}
	ports, err := os.ReadDir(filepath.Join("/sys/class/net", bridge, "brif"))
	if err == nil && len(ports) == 0 {
		_, err := host.Output(ctx, "ip", "link", "del", bridge)
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}
