// Package node runs a machine inside the machine: one process tree with its own
// pid, mount, uts, ipc, cgroup and network namespaces, in which etcd, the control
// plane, containerd and the node agents run under their usual paths. Killing its
// first process ends everything in it, mounts included.
//
// Start is the side of the tool. Enter and Init run in processes of their own:
// Enter joins the cgroup and the network namespace, then starts Init as process 1
// of the other, new namespaces.
package node

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"spock.dev/spock/hack/cluster/internal/plan"
	"spock.dev/spock/hack/cluster/internal/state"
)

// Spec is everything a node's processes are started from.
type Spec struct {
	Plan     plan.Plan
	State    state.Dir
	Self     string // this program, which also serves registry, modules and folders
	Kubebox  string
	ModCache string // the Go module cache's download folder
	Pause    string // image of the pods' first container
}

func (s Spec) file() string { return filepath.Join(s.State.Conf(), "node.json") }

func (s Spec) conf(name string) string { return filepath.Join(s.State.Conf(), name) }

func (s Spec) pki(name string) string { return filepath.Join(s.State.PKI(), name) }

func (s Spec) disk(name string) string { return filepath.Join(s.State.Disk(), name) }

// save writes the spec where Enter and Init read it.
func (s Spec) save() error {
	raw, err := json.MarshalIndent(s, "", "  ")
	if err != nil {
		return fmt.Errorf("writing the node's spec: %w", err)
	}
	return os.WriteFile(s.file(), raw, 0o644)
}

// Load reads a spec that Start has written.
func Load(file string) (Spec, error) {
	var s Spec
	raw, err := os.ReadFile(file)
	if err != nil {
		return s, fmt.Errorf("reading the node's spec: %w", err)
	}
	if err := json.Unmarshal(raw, &s); err != nil {
		return s, fmt.Errorf("reading the node's spec: %w", err)
	}
	return s, nil
}
