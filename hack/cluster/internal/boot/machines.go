package boot

import (
	"context"
	"encoding/json"
	"fmt"
	"os"

	"spock.dev/spock/hack/cluster/internal/cgroup"
	"spock.dev/spock/hack/cluster/internal/machine"
	"spock.dev/spock/hack/cluster/internal/plan"
)

// diskMB is room for a server's image twice, and its data.
const diskMB = 2048

// machines boots as many machines beside the node as are asked for and not there yet, and
// writes down how they are reached.
func (c *Cluster) machines(ctx context.Context, p plan.Plan) error {
	if c.Machines == 0 {
		return nil
	}
	var all []machine.Facts
	for _, m := range c.booted() {
		if len(cgroup.Processes(m.Name)) > 0 {
			all = append(all, m)
		}
	}
	for len(all) < c.Machines {
		number, folder, err := machine.Claim(machine.Folder)
		if err != nil {
			return err
		}
		m := machine.Machine{Number: number, State: folder, DiskMB: diskMB, Cluster: &p}
		facts, err := m.Up(ctx, c.Say)
		if err != nil {
			return err
		}
		c.Say("machine %s is up at %s", facts.Name, facts.Address)
		all = append(all, facts)
	}
	raw, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return err
	}
	if err := os.WriteFile(c.State.Machines(), append(raw, '\n'), 0o600); err != nil {
		return fmt.Errorf("write down how the machines are reached: %w", err)
	}
	return nil
}

// booted are the machines that an earlier run wrote down.
func (c *Cluster) booted() []machine.Facts {
	var all []machine.Facts
	raw, err := os.ReadFile(c.State.Machines())
	if err == nil {
		err = json.Unmarshal(raw, &all)
	}
	if err != nil {
		return nil // none, or half a file of a killed run: new ones are booted
	}
	return all
}
