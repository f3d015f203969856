package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"

	"spock.dev/spock/bench/bed"
	"spock.dev/spock/bench/peer"
	"spock.dev/spock/bench/work"
)

// program is a peer in one of its modes, run as a process for each thing asked of it.
type program struct {
	bed              *bed.Bed
	kube             kubernetes.Interface
	name, mode, path string
	// patience is how long it may take for one thing.
	patience time.Duration
	// stage is where it stands when it is a controller; nil when it is none.
	stage *stage

	// used is the time of all its processes, and the memory of the last.
	used bed.Usage
}

// peers builds the programs in bench/peer that are asked for. One that does not build is
// told and left out: the others are measured all the same.
func peers(ctx context.Context, s settings, root string, b *bed.Bed) ([]engine, error) {
	kube, err := kubernetes.NewForConfig(b.Config("bench"))
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	mains, err := filepath.Glob(filepath.Join(root, "bench", "peer", "*", "main.go"))
	if err != nil {
		return nil, fmt.Errorf("find the peers: %w", err)
	}
	var all []engine
	for _, main := range mains {
		name := filepath.Base(filepath.Dir(main))
		if !chosen(s.engines, name) {
			continue
		}
		p := program{bed: b, kube: kube, patience: s.patience, name: name, path: filepath.Join(b.Dir, "peer-"+name)}
		about, err := build(ctx, filepath.Dir(main), p.path)
		if err != nil {
			fmt.Fprintf(os.Stderr, "left out: %v\n", err)
			continue
		}
		if about.Serves {
			p.stage = &stage{dir: filepath.Dir(main)}
		}
		for _, mode := range about.Modes {
			p.mode = mode
			all = append(all, new(p))
		}
	}
	return all, nil
}

// build builds a peer and asks it what it is.
func build(ctx context.Context, dir, path string) (peer.About, error) {
	about := peer.About{}
	cmd := exec.CommandContext(ctx, "go", "build", "-o", path, ".")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		return about, fmt.Errorf("build peer %s: %w: %s", filepath.Base(dir), err, out)
	}
	out, err := exec.CommandContext(ctx, path, "about").Output()
	if err != nil {
		return about, fmt.Errorf("ask peer %s what it is: %w", filepath.Base(dir), err)
	}
	if err := json.Unmarshal(out, &about); err != nil {
		return about, fmt.Errorf("read what peer %s is: %w", filepath.Base(dir), err)
	}
	return about, nil
}

func (p *program) who() (name, mode string)            { return p.name, p.mode }
func (p *program) account() string                     { return "peer-" + p.name + "-" + p.mode }
func (p *program) namespace(environment string) string { return p.account() + "-" + environment }

// usage of a controller is that of its process, not of what asks it.
func (p *program) usage() (bed.Usage, error) {
	if p.stage == nil {
		return p.used, nil
	}
	return p.stage.usage()
}

// prepare makes the namespace, and starts the peer where it is a controller.
func (p *program) prepare(ctx context.Context, w work.Work) error {
	_, err := p.kube.CoreV1().Namespaces().Create(ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: p.namespace(w.Name)}}, metav1.CreateOptions{})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("make namespace %s: %w", p.namespace(w.Name), err)
	}
	if p.stage != nil {
		if err := p.stage.enter(p, w); err != nil {
			return err
		}
	}
	return p.run(ctx, "prepare", w)
}

func (p *program) deploy(ctx context.Context, w work.Work) error   { return p.run(ctx, "deploy", w) }
func (p *program) teardown(ctx context.Context, w work.Work) error { return p.run(ctx, "teardown", w) }

// run runs the program until it ends.
func (p *program) run(ctx context.Context, verb string, w work.Work) error {
	ctx, cancel := context.WithTimeout(ctx, p.patience)
	defer cancel()
	process, err := p.start("", verb, w)
	if err != nil {
		return err
	}
	select {
	case <-process.Done():
	case <-ctx.Done():
		process.Kill()
		err = fmt.Errorf("%s %s: %w", p.account(), verb, ctx.Err())
	}
	used, usageErr := process.Usage()
	p.used = bed.Usage{CPU: p.used.CPU + used.CPU, PeakRSS: used.PeakRSS}
	return errors.Join(err, process.Ended(), usageErr)
}

// start starts the program in a folder; empty is this process's.
func (p *program) start(dir, verb string, w work.Work) (*bed.Process, error) {
	raw, err := json.Marshal(w)
	if err != nil {
		return nil, fmt.Errorf("write the work: %w", err)
	}
	// A controller reads its own while others are asked of it.
	file := func(name string) string { return filepath.Join(p.bed.Dir, p.account()+"-"+verb+name) }
	err = errors.Join(os.WriteFile(file(".json"), raw, 0o600), os.WriteFile(file(".kubeconfig"), []byte(p.bed.KubeconfigAs(p.account())), 0o600))
	if err != nil {
		return nil, fmt.Errorf("write what a peer needs: %w", err)
	}
	return bed.RunIn(dir, p.account()+" "+verb, file(".log"), nil, p.path, verb,
		"-kubeconfig", file(".kubeconfig"), "-namespace", p.namespace(w.Name), "-work", file(".json"), "-mode", p.mode)
}
