// Package network makes and removes the links of a cluster: a bridge on the
// machine, a network namespace for the node, a pair of links between them.
// Nodes have no default route: nothing in a cluster reaches beyond it.
package network

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"spock.dev/spock/hack/cluster/internal/host"
	"spock.dev/spock/hack/cluster/internal/plan"
)

// Up makes bridge, namespace, links, addresses and routes.
func Up(ctx context.Context, p plan.Plan) error {
	ns := p.Netns()
	steps := [][]string{
		{"link", "add", p.Bridge(), "type", "bridge"},
		{"addr", "add", fmt.Sprintf("%s/24", p.HostIP()), "dev", p.Bridge()},
		{"link", "set", p.Bridge(), "up"},
		{"netns", "add", ns},
		{"link", "add", p.Link(), "type", "veth", "peer", "name", "eth0", "netns", ns},
		{"link", "set", p.Link(), "master", p.Bridge(), "up"},
		{"-n", ns, "addr", "add", fmt.Sprintf("%s/24", p.NodeIP()), "dev", "eth0"},
		{"-n", ns, "link", "set", "eth0", "up"},
		{"-n", ns, "link", "set", "lo", "up"},
		// a client on the node needs a route to ClusterIPs before the address is translated
		{"-n", ns, "route", "add", p.ServiceCIDR().String(), "dev", "eth0", "src", p.NodeIP().String()},
		// the machine reaches pods and services through the node
		{"route", "replace", p.PodCIDR().String(), "via", p.NodeIP().String()},
		{"route", "replace", p.ServiceCIDR().String(), "via", p.NodeIP().String()},
	}
	for _, args := range steps {
		if _, err := host.Output(ctx, "ip", args...); err != nil {
			return fmt.Errorf("network of cluster %s: %w", p.Name, err)
		}
	}
	return nil
}

// Down removes what Up made, as far as it is there. Addresses, routes and the
// node's end of the pair vanish with the links.
func Down(ctx context.Context, p plan.Plan) error {
	var problems []error
	for _, link := range []string{p.Link(), p.Bridge()} {
		if exists(filepath.Join("/sys/class/net", link)) {
			_, err := host.Output(ctx, "ip", "link", "del", link)
			problems = append(problems, err)
		}
	}
	if exists(NamespaceFile(p)) {
		_, err := host.Output(ctx, "ip", "netns", "del", p.Netns())
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}

// NamespaceFile is the handle of the node's network namespace.
func NamespaceFile(p plan.Plan) string { return filepath.Join("/run/netns", p.Netns()) }

// Taken says whether a plan's addresses or ports are in use on this machine.
func Taken(p plan.Plan) bool {
	out, err := exec.Command("ip", "-o", "-4", "addr").Output()
	if err != nil || strings.Contains(string(out), " "+p.HostIP().String()+"/") {
		return true
	}
	for _, port := range []int{p.PushPort(), p.IngressPort()} {
		l, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
		if err != nil {
			return true
		}
		l.Close()
	}
	return false
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
