// Command machine boots machines to deploy to, for development and tests. See the
// README beside go.mod.
package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"

	"spock.dev/spock/hack/cluster/internal/machine"
	"spock.dev/spock/hack/cluster/internal/plan"
	"spock.dev/spock/hack/cluster/internal/state"
)

const usage = `usage: machine COMMAND [-number N] [-state DIR] [-disk MB] [-offers PACKAGES] [-cluster DIR]

  up    boot machine N, and print as JSON how to reach it
  cut   cut its power: the next up boots it with the keys it had, and an empty disk
  down  end it, and leave nothing of it
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "machine:", err)
		os.Exit(1)
	}
}

func run(command string, args []string) error {
	if hidden := map[string]func(string) error{machine.EnterCommand: machine.Enter, machine.InitCommand: machine.Init}[command]; hidden != nil {
		return hidden(args[0])
	}
	flags := flag.NewFlagSet("machine "+command, flag.ExitOnError)
	number := flags.Int("number", 0, "number of the machine, which gives its name and address; 0 boots one that nobody has")
	state := flags.String("state", "", "folder of its keys and console (default /run/spock-machine/N)")
	disk := flags.Int("disk", 1024, "size of its disk in MB; it is made of memory")
	offers := flags.String("offers", "", "packages, with spaces between, that its apt installs from its own disk; without them its apt reaches none")
	beside := flags.String("cluster", "", "state folder of a running local cluster: its pods reach the machine, and the machine them")
	if err := flags.Parse(args); err != nil {
		return err
	}
	cluster, err := planOf(*beside)
	if err != nil {
		return err
	}
	if *number == 0 && command == "up" {
		if *number, *state, err = machine.Claim(machine.Folder); err != nil {
			return err
		}
	}
	if *state == "" {
		*state = filepath.Join(machine.Folder, fmt.Sprint(*number))
	}
	m := machine.Machine{Number: *number, State: *state, DiskMB: *disk, Offers: *offers, Cluster: cluster}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return obey(ctx, m, command)
}

// planOf reads where a cluster is; nil without a folder.
func planOf(dir string) (*plan.Plan, error) {
	if dir == "" {
		return nil, nil
	}
	p, err := state.Dir(dir).Plan()
	if err != nil {
		return nil, fmt.Errorf("-cluster %s: %w", dir, err)
	}
	return &p, nil
}

func obey(ctx context.Context, m machine.Machine, command string) error {
	switch command {
	case "up":
		facts, err := m.Up(ctx, func(format string, args ...any) { fmt.Fprintf(os.Stderr, format+"\n", args...) })
		if err != nil {
			return err
		}
		return json.NewEncoder(os.Stdout).Encode(facts)
	case "cut":
		return m.Cut(ctx)
	case "down":
		return m.Down(ctx)
	}
	return fmt.Errorf("unknown command %q\n%s", command, usage)
}
