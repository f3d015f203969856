package main

import (
	"bufio"
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

//go:embed git.yaml
var gitManifests string

// repository is where pods clone the example from.
const repository = "http://git.spock-demo.svc.cluster.local/shop.git"

// source commits the example to a repository of its own and pushes it to a git server
// in the cluster.
func (d *demo) source(ctx context.Context) error {
	manifests, err := d.resolveText(ctx, gitManifests)
	if err != nil {
		return err
	}
	if err := d.apply(ctx, manifests); err != nil {
		return err
	}
	if _, err := d.kubectl(ctx, "-n", "spock-demo", "rollout", "status", "deployment/git", "--timeout=120s"); err != nil {
		return err
	}
	if err := d.commit(ctx); err != nil {
		return err
	}
	if err := d.modules(ctx); err != nil {
		return err
	}
	return d.pushTo(ctx)
}

// modules fetches the example's modules where builds in the cluster take them from this
// machine: pods of the local cluster have no way out.
func (d *demo) modules(ctx context.Context) error {
	if d.goproxy == "" {
		return nil
	}
	cmd := d.command(ctx, "go", "mod", "download")
	cmd.Dir = d.checkout()
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("fetch the example's modules: %w: %s", err, out)
	}
	return nil
}

// checkout is the example's own repository on this machine; it keeps the commits of
// earlier demos.
func (d *demo) checkout() string { return filepath.Join(d.root, ".cluster", "shop") }

// commit brings the repository to the example as it stands in the work tree. Nothing
// changed, nothing committed.
func (d *demo) commit(ctx context.Context) error {
	dir := d.checkout()
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return fmt.Errorf("make the example's repository: %w", err)
	}
	if _, err := d.git(ctx, "init", "--quiet", "--initial-branch=main"); err != nil {
		return err
	}
	if _, err := d.git(ctx, "rm", "-r", "--quiet", "--cached", "--ignore-unmatch", "."); err != nil {
		return err
	}
	if err := d.copyExample(ctx, dir); err != nil {
		return err
	}
	if _, err := d.git(ctx, "add", "--all"); err != nil {
		return err
	}
	changed, err := d.git(ctx, "status", "--porcelain")
	if err != nil || changed == "" {
		return err
	}
	_, err = d.git(ctx, "-c", "user.name=Demo", "-c", "user.email=demo@example.com", "commit", "--quiet", "-m", "shop: the example as it stands")
	return err
}

// copyExample replaces the files of the repository by those of examples/shop that git
// knows or would take.
func (d *demo) copyExample(ctx context.Context, dir string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return fmt.Errorf("read the example's repository: %w", err)
	}
	for _, e := range entries {
		if e.Name() == ".git" {
			continue
		}
		if err := os.RemoveAll(filepath.Join(dir, e.Name())); err != nil {
			return fmt.Errorf("empty the example's repository: %w", err)
		}
	}
	return os.CopyFS(dir, os.DirFS(filepath.Join(d.root, "examples", "shop")))
}

func (d *demo) git(ctx context.Context, args ...string) (string, error) {
	return d.output(ctx, nil, nil, "git", append([]string{"-C", d.checkout()}, args...)...)
}

var forwarding = regexp.MustCompile(`127\.0\.0\.1:(\d+)`)

// pushTo pushes over a port-forward, which works on any cluster.
func (d *demo) pushTo(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	forward := d.command(ctx, "kubectl", "-n", "spock-demo", "port-forward", "--address=127.0.0.1", "service/git", ":80")
	out, err := forward.StdoutPipe()
	if err != nil {
		return fmt.Errorf("listen to kubectl: %w", err)
	}
	complaints := &strings.Builder{}
	forward.Stderr = complaints
	if err := forward.Start(); err != nil {
		return fmt.Errorf("forward a port to the git server: %w", err)
	}
	defer func() { stop(); _ = forward.Wait() }() // ended by us: its exit tells nothing
	line, err := bufio.NewReader(out).ReadString('\n')
	port := forwarding.FindStringSubmatch(line)
	if err != nil || port == nil {
		return fmt.Errorf("forward a port to the git server: %s %s", line, complaints)
	}
	_, err = d.git(ctx, "push", "--quiet", "--force", "http://127.0.0.1:"+port[1]+"/shop.git", "main")
	return err
}
