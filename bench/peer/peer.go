// Package peer is the contract of what is measured beside Spock: an engine that brings a
// work up in a namespace. Each peer is a program of its own, so that its processor time
// and memory are measured from outside as Spock's are:
//
//	PEER deploy|teardown|prepare|serve -kubeconfig FILE -namespace NAME -work FILE -mode MODE
//	PEER about
//
// deploy returns when the peer says that all is ready; an update and a repetition are
// deploys too. The work is work.Work as JSON. The kubeconfig's user may do everything and
// is who the requests are counted by. A peer exits with 0 when it has done what was asked.
//
// A peer that is a controller has serve, which runs until it is killed: what it uses is
// measured, and the other verbs only ask it. It is started in the folder that its program
// was built from.
package peer

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"spock.dev/spock/bench/work"
)

// Job is what a peer is asked to do.
type Job struct {
	Config *rest.Config
	// Kubeconfig is the file that Config was read from.
	Kubeconfig string
	Namespace  string
	Work       work.Work
	// Mode is how the peer is set: "default" as its users get it, "tuned" as fast as its
	// settings allow.
	Mode string
}

// About is what a peer tells of itself, as JSON.
type About struct {
	Modes []string `json:"modes"`
	// Serves says that it is a controller.
	Serves bool `json:"serves"`
}

// Peer is an engine.
type Peer struct {
	// Modes it has.
	Modes []string
	// Serve is the controller, where the peer is one.
	Serve func(context.Context, Job) error
	// Prepare does what users have done before they deploy; it is not measured. Nil where
	// there is nothing.
	Prepare func(context.Context, Job) error
	// Deploy brings the work up and returns when all is ready.
	Deploy func(context.Context, Job) error
	// Teardown deletes what Deploy made and returns when it is gone.
	Teardown func(context.Context, Job) error
}

// Main runs a peer's program.
func Main(p Peer) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, p, os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, p Peer, args []string) error {
	do := map[string]func(context.Context, Job) error{"deploy": p.Deploy, "teardown": p.Teardown, "prepare": p.prepare, "serve": p.Serve}
	if len(args) == 1 && args[0] == "about" {
		return json.NewEncoder(os.Stdout).Encode(About{Modes: p.Modes, Serves: p.Serve != nil})
	}
	if len(args) == 0 || do[args[0]] == nil {
		return errors.New("say what to do: prepare, deploy, teardown or about; serve, where it is a controller")
	}
	flags := flag.NewFlagSet(args[0], flag.ContinueOnError)
	file := flags.String("work", "", "file of the work, as JSON")
	job := Job{}
	flags.StringVar(&job.Kubeconfig, "kubeconfig", "", "file of the cluster and the user")
	flags.StringVar(&job.Namespace, "namespace", "", "where to deploy; it exists")
	flags.StringVar(&job.Mode, "mode", "default", "one of "+strings.Join(p.Modes, ", "))
	if err := flags.Parse(args[1:]); err != nil {
		return err
	}
	if !slices.Contains(p.Modes, job.Mode) {
		return fmt.Errorf("-mode %s: one of %s", job.Mode, strings.Join(p.Modes, ", "))
	}
	raw, err := os.ReadFile(*file)
	if err != nil {
		return fmt.Errorf("read the work: %w", err)
	}
	if err := json.Unmarshal(raw, &job.Work); err != nil {
		return fmt.Errorf("read the work of %s: %w", *file, err)
	}
	if job.Config, err = clientcmd.BuildConfigFromFlags("", job.Kubeconfig); err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	return do[args[0]](ctx, job)
}

func (p Peer) prepare(ctx context.Context, job Job) error {
	if p.Prepare == nil {
		return nil
	}
	return p.Prepare(ctx, job)
}
