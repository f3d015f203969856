package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"spock.dev/spock/bench/bed"
	"spock.dev/spock/bench/kubelet"
	"spock.dev/spock/bench/manifest"
	"spock.dev/spock/bench/spock"
	"spock.dev/spock/bench/work"
)

// serveCommand is the hidden command that runs everything until it is told to end.
const serveCommand = "serve"

// nodes is the user who writes what nodes write.
const nodes = "simulated-kubelet"

// server runs the processes.
type server struct {
	state
	root     string
	told     *os.File // who started it reads this until it is ready
	programs map[string]string
	bed      *bed.Bed
	objects  *manifest.Applier
}

func serve(ctx context.Context, s state, root string) error {
	claimed, err := s.claim()
	if err != nil {
		return err
	}
	defer claimed.Close() // after all else has ended
	v := &server{state: s, root: root, told: os.NewFile(3, "told")}
	defer func() {
		if v.bed != nil {
			v.bed.Stop()
		}
	}()
	for _, step := range []struct {
		name string
		do   func(context.Context) error
	}{
		{"programs from the cache; what it lacks is built, Kubernetes in 10 to 15 minutes", v.find},
		{"control plane", v.control},
		{"fake kubelet: every pod's fate is simulated", v.nodes},
		{"Tekton", v.tekton},
		{"Spock", v.spock},
		{"settings", v.publish},
	} {
		v.say(step.name)
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
	}
	v.say(ready)
	v.told.Close()
	<-ctx.Done()
	return nil
}

// say tells a line to who started this.
func (v *server) say(line string) { fmt.Fprintln(v.told, line) }

// find asks the local cluster's tool for the programs, which it builds when its cache
// lacks them.
func (v *server) find(ctx context.Context) error {
	cmd := exec.CommandContext(ctx, "go", "run", "./cmd/cluster", "programs")
	cmd.Dir, cmd.Stderr = filepath.Join(v.root, "hack", "cluster"), v.told
	out, err := cmd.Output()
	if err != nil {
		return fmt.Errorf("build the programs: %w", err)
	}
	v.programs = map[string]string{}
	for line := range strings.Lines(string(out)) {
		if key, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok {
			v.programs[key] = value
		}
	}
	return nil
}

func (v *server) control(ctx context.Context) (err error) {
	if v.bed, err = bed.Start(ctx, v.programs["KUBEBOX"], v.run()); err != nil {
		return err
	}
	if v.objects, err = manifest.New(v.bed.Config("bench"), "simulated"); err != nil {
		return err
	}
	class, err := manifest.Read(storageClass)
	if err != nil {
		return err
	}
	return v.objects.Apply(ctx, class...)
}

const storageClass = `apiVersion: storage.k8s.io/v1
kind: StorageClass
metadata:
  name: ` + kubelet.StorageClass + `
  annotations: {storageclass.kubernetes.io/is-default-class: "true"}
provisioner: spock.dev/simulated
`

func (v *server) nodes(ctx context.Context) error {
	_, err := kubelet.Start(ctx, v.bed.Config(nodes), 1, &kubelet.Simulation{
		Delays: work.Delays{Median: 1500 * time.Millisecond, Seed: 1}, Has: has,
	})
	return err
}

// spock runs the controller of the repository; one that ends is started again.
func (v *server) spock(ctx context.Context) error {
	s, err := spock.Prepare(ctx, v.bed, v.root)
	if err != nil {
		return err
	}
	if err := s.Start(ctx); err != nil {
		return err
	}
	go keep(ctx, "spock-controller", s.Ended, func() error { return s.Start(ctx) })
	return nil
}

// keep starts a process again when it has ended, as a kubelet does.
func keep(ctx context.Context, name string, ended func() <-chan struct{}, start func() error) {
	for {
		select {
		case <-ctx.Done():
			return
		case <-ended():
		}
		fmt.Fprintf(os.Stderr, "%s %s ended and is started again\n", time.Now().Format(time.TimeOnly), name)
		select {
		case <-ctx.Done():
			return
		case <-time.After(time.Second):
		}
		if err := start(); err != nil {
			fmt.Fprintf(os.Stderr, "start %s: %v\n", name, err)
			return
		}
	}
}

// publish writes what users need.
func (v *server) publish(context.Context) error {
	raw, err := os.ReadFile(v.bed.Admin())
	if err != nil {
		return fmt.Errorf("read the kubeconfig: %w", err)
	}
	if err := os.MkdirAll(v.bin(), 0o755); err != nil {
		return fmt.Errorf("make a folder for programs: %w", err)
	}
	return errors.Join(
		os.WriteFile(v.kubeconfig(), raw, 0o600),
		os.Symlink(v.programs["KUBEBOX"], filepath.Join(v.bin(), "kubectl")),
		os.Symlink(v.programs["TKN"], filepath.Join(v.bin(), "tkn")),
		os.WriteFile(v.env(), []byte(v.settings()), 0o644),
	)
}
