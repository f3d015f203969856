// Command bench measures how Spock and its peers bring products up, side by side, on a
// real control plane with simulated nodes. See docs/benchmark.md.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"spock.dev/spock/bench/bed"
	"spock.dev/spock/bench/kubelet"
	"spock.dev/spock/bench/spock"
)

// settings of a run.
type settings struct {
	root, out  string
	short      bool
	verbose    bool
	keep       bool
	sizes      string
	median     time.Duration
	parts      string
	engines    string
	orders     string
	patience   time.Duration
	peerSizes  string
	shapePeers string
	machines   int
}

func main() {
	s := settings{}
	flag.StringVar(&s.root, "root", "..", "the repository")
	flag.StringVar(&s.out, "out", "", "folder in which bench/results.json and pages of docs/ are written; empty writes none")
	flag.BoolVar(&s.short, "short", false, "a few small cases, or those of -parts, as a test: fails when a fact does not hold, whatever the times")
	flag.BoolVar(&s.verbose, "v", false, "also tell each case's requests by resource")
	flag.BoolVar(&s.keep, "keep", false, "keep the folder with the logs of the control plane, and print it")
	flag.StringVar(&s.sizes, "sizes", "10,100,500", "numbers of services")
	flag.DurationVar(&s.median, "median", 2*time.Second, "median of how long a service takes to become ready")
	flag.StringVar(&s.parts, "parts", "", "only these parts, with commas between: faults, life, shapes, many, killed, hosts; hosts needs root")
	flag.StringVar(&s.orders, "orders", "", "only groups, or only needs")
	flag.StringVar(&s.engines, "peers", "", "only these peers, by name with commas between; none is none of them")
	flag.StringVar(&s.peerSizes, "peer-sizes", "", "peers in lives of these sizes alone, or of one order as in 500/needs; empty is in all")
	flag.StringVar(&s.shapePeers, "shape-peers", "default,tuned", "peers in shapes in these modes alone; none is none of them")
	flag.IntVar(&s.machines, "machines", 20, "machines that the part hosts boots, for five services each")
	flag.DurationVar(&s.patience, "patience", 10*time.Minute, "how long a peer may take for one thing; one that takes longer is told and left out of that life")
	flag.Parse()
	if s.short {
		s.sizes = "10"
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, s); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, s settings) error {
	root, err := filepath.Abs(s.root)
	if err != nil {
		return fmt.Errorf("find the repository: %w", err)
	}
	kubebox, err := kubebox(ctx, root)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "spock-bench-")
	if err != nil {
		return fmt.Errorf("make a folder: %w", err)
	}
	if s.keep {
		fmt.Fprintln(os.Stderr, "logs:", dir)
	} else {
		defer os.RemoveAll(dir)
	}
	b, err := bed.Start(ctx, kubebox, dir)
	if err != nil {
		return err
	}
	defer b.Stop()
	pods, err := kubelet.Start(ctx, b.Config(nodes), 4, nil)
	if err != nil {
		return err
	}
	engine, err := spock.Install(ctx, b, root)
	if err != nil {
		return err
	}
	defer engine.Stop()
	others, err := peers(ctx, s, root, b)
	if err != nil {
		return err
	}
	l := &lab{settings: s, bed: b, nodes: pods, ours: ours{engine}, peers: others}
	return errors.Join(l.all(ctx), l.tell(), l.holds())
}

// nodes is the user who writes what nodes write.
const nodes = "bench-kubelet"

// kubebox is etcd and Kubernetes in one program, from the cache of the local cluster.
func kubebox(ctx context.Context, root string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "run", "./cmd/cluster", "kubebox")
	cmd.Dir, cmd.Stderr = filepath.Join(root, "hack", "cluster"), os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("get Kubernetes: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}
