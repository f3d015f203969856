// The demo takes a cluster with Tekton from nothing to the example product: it installs
// Spock, serves the example from a git repository, runs the pipeline on its commit and
// opens the result.
//
// Every step is idempotent; a second run with a changed example deploys what changed.
//
// `demo resolve DIR...` only prints the manifests of folders with the images, which it
// builds and pushes, put in for the cluster at hand.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	s, err := load()
	if err != nil {
		return err
	}
	d := &demo{settings: s, began: time.Now(), class: "dev"}
	if len(args) > 1 && args[0] == "resolve" {
		text, err := d.resolve(ctx, args[1:]...)
		fmt.Print(text)
		return err
	}
	if len(args) > 0 {
		return fmt.Errorf("unknown arguments %q; there is only: demo [resolve DIR...]", args)
	}
	if d.machines {
		d.boot(ctx)
	}
	for _, step := range d.steps() {
		d.say("%s", step.name)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	if d.simulated {
		return d.tellSimulated(ctx)
	}
	return d.tour(ctx)
}

// step is a part of the demo.
type step struct {
	name string
	do   func(context.Context) error
}

// steps are the parts in order. A simulated cluster has Spock already, and nothing that
// could serve, build or open the example.
func (d *demo) steps() []step {
	if d.simulated {
		return []step{{"prepare the team's namespace", d.team}, {"run a pipeline with simulated steps", d.simulate}}
	}
	return []step{
		{"install Spock", d.install},
		{"prepare the team's namespace", d.team},
		{"add a machine for the database", d.host},
		{"serve the example from git", d.source},
		{"run the pipeline", d.pipeline},
		{"open the product", d.open},
	}
}

// demo is one run of the demo.
type demo struct {
	settings
	began       time.Time
	booted      chan error // what came of booting a machine
	class       string     // of the environment
	pipelineRun string
	url         string
}

// say prints a step with the time since the start.
func (d *demo) say(format string, args ...any) {
	fmt.Fprintf(os.Stderr, "\033[1m%6.1fs\033[0m %s\n", time.Since(d.began).Seconds(), fmt.Sprintf(format, args...))
}
