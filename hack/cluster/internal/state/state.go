// Package state knows what lies where in a cluster's state directory, and keeps
// what must be remembered between two runs of the tool.
package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"spock.dev/spock/hack/cluster/internal/plan"
)

// Dir is the state directory of one cluster.
//
//	kubeconfig env audit.log bin/   for users; env appears when the cluster is usable
//	registry/                       what was pushed; survives `down`
//	hosts                           more names for pods, in the form of /etc/hosts
//	machines.json                   how to reach the machines to deploy to, if any were asked for
//	log/                            one file for each process of the node
//	run/                            certificates, configuration, the node's disk
type Dir string

func (d Dir) path(parts ...string) string {
	return filepath.Join(append([]string{string(d)}, parts...)...)
}

// Paths for users.
func (d Dir) Kubeconfig() string { return d.path("kubeconfig") }
func (d Dir) Env() string        { return d.path("env") }
func (d Dir) AuditLog() string   { return d.path("audit.log") }
func (d Dir) Bin() string        { return d.path("bin") }
func (d Dir) Hosts() string      { return d.path("hosts") }
func (d Dir) Machines() string   { return d.path("machines.json") }
func (d Dir) Registry() string   { return d.path("registry") }
func (d Dir) Log() string        { return d.path("log") }

// Paths of the tool and the node.
func (d Dir) Run() string  { return d.path("run") }
func (d Dir) PKI() string  { return d.path("run", "pki") }
func (d Dir) Conf() string { return d.path("run", "conf") }
func (d Dir) Disk() string { return d.path("run", "disk") }
func (d Dir) Lock() string { return d.path("lock") }

// Simulated says whether the directory holds the stand-in of module bench.
func (d Dir) Simulated() bool {
	_, err := os.Stat(d.path("run", "server"))
	return err == nil
}

func (d Dir) planFile() string { return d.path("run", "plan.json") }

// ErrNone says that no cluster is kept in a directory.
var ErrNone = errors.New("no cluster here")

// Plan returns the plan of the cluster kept here, or ErrNone.
func (d Dir) Plan() (plan.Plan, error) {
	raw, err := os.ReadFile(d.planFile())
	if errors.Is(err, fs.ErrNotExist) {
		return plan.Plan{}, ErrNone
	}
	if err != nil {
		return plan.Plan{}, fmt.Errorf("reading the cluster's plan: %w", err)
	}
	var p plan.Plan
	if err := json.Unmarshal(raw, &p); err != nil {
		return plan.Plan{}, fmt.Errorf("reading %s: %w", d.planFile(), err)
	}
	return p, nil
}

// SavePlan remembers the plan.
func (d Dir) SavePlan(p plan.Plan) error {
	raw, err := json.Marshal(p)
	if err != nil {
		return fmt.Errorf("writing the cluster's plan: %w", err)
	}
	if err := os.MkdirAll(d.Run(), 0o755); err != nil {
		return fmt.Errorf("creating %s: %w", d.Run(), err)
	}
	return os.WriteFile(d.planFile(), raw, 0o644)
}

// Clear removes everything but what was pushed to the registry and the lock.
func (d Dir) Clear() error {
	for _, p := range []string{d.Env(), d.Kubeconfig(), d.AuditLog(), d.Bin(), d.Hosts(), d.Machines(), d.Log(), d.Run()} {
		if err := os.RemoveAll(p); err != nil {
			return fmt.Errorf("clearing the cluster's state: %w", err)
		}
	}
	return nil
}

// Settings are what others need to use the cluster, as KEY=VALUE lines.
func (d Dir) Settings(p plan.Plan) string {
	return fmt.Sprintf(`KUBECONFIG=%s
REGISTRY=%s
POD_REGISTRY=%s
INGRESS_PORT=%d
DOMAIN=localhost
GOPROXY_URL=%s
AUDIT_LOG=%s
BIN=%s
HOSTS_FILE=%s
MACHINES_FILE=%s
BRIDGE=%s
NODE_IP=%s
HOST_IP=%s
NODE_CIDR=%s
POD_CIDR=%s
SERVICE_CIDR=%s
`, d.Kubeconfig(), p.PushRegistry(), p.PodRegistry(), p.IngressPort(), p.PodProxy(), d.AuditLog(), d.Bin(), d.Hosts(), d.Machines(),
		p.Bridge(), p.NodeIP(), p.HostIP(), p.NodeCIDR(), p.PodCIDR(), p.ServiceCIDR())
}
