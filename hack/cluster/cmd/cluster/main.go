// Command cluster runs a whole Kubernetes with Tekton on one machine, offline,
// for development and tests. See the README beside go.mod.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"spock.dev/spock/hack/cluster/internal/boot"
	"spock.dev/spock/hack/cluster/internal/plan"
	"spock.dev/spock/hack/cluster/internal/state"
)

const usage = `usage: cluster COMMAND [-name NAME] [-state DIR] [-machines N]

  up       start the cluster, or check that it is up
  down     remove it
  status   say how it is
  env      print its settings as KEY=VALUE lines
  kubebox  build etcd and Kubernetes as one program, and print its path
  programs build that, Tekton and tkn, and print where they are as KEY=VALUE lines
`

func main() {
	if len(os.Args) < 2 {
		fmt.Fprint(os.Stderr, usage)
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2:]); err != nil {
		fmt.Fprintln(os.Stderr, "cluster:", err)
		os.Exit(1)
	}
}

func run(command string, args []string) error {
	if server, ok := servers()[command]; ok {
		return server(args)
	}
	flags := flag.NewFlagSet("cluster "+command, flag.ExitOnError)
	name := flags.String("name", "spock", "name of the cluster")
	dir := flags.String("state", "", "folder of the cluster's state (default .cluster in the repository)")
	machines := flags.Int("machines", 0, "machines to deploy to that `up` boots beside the node")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 {
		return fmt.Errorf("unexpected argument %q\n%s", flags.Arg(0), usage)
	}
	c, err := cluster(*name, *dir)
	if err != nil {
		return err
	}
	c.Machines = *machines
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return obey(ctx, c, command)
}

func obey(ctx context.Context, c *boot.Cluster, command string) error {
	switch command {
	case "up":
		return c.Up(ctx)
	case "down":
		return c.Down(ctx)
	case "status":
		return show(c.Status(ctx))
	case "env":
		return show(c.Env())
	case "kubebox":
		return show(c.Kubebox(ctx))
	case "programs":
		return show(c.Programs(ctx))
	}
	return fmt.Errorf("unknown command %q\n%s", command, usage)
}

func show(text string, err error) error {
	if err == nil {
		fmt.Println(text)
	}
	return err
}

func cluster(name, dir string) (*boot.Cluster, error) {
	if err := plan.CheckName(name); err != nil {
		return nil, err
	}
	root, err := moduleRoot()
	if err != nil {
		return nil, err
	}
	where, err := stateDir(dir, root)
	if err != nil {
		return nil, err
	}
	return &boot.Cluster{Name: name, State: state.Dir(where), Root: root, Say: progress(time.Now())}, nil
}

// progress prints lines with the time since the start.
func progress(start time.Time) func(string, ...any) {
	return func(format string, args ...any) {
		fmt.Fprintf(os.Stderr, "%6.1fs %s\n", time.Since(start).Seconds(), fmt.Sprintf(format, args...))
	}
}
