// Package store prepares containerd's image store once for each set of images.
// A node gets it by hard links: its layers are never written again, only its
// databases are copied.
package store

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"spock.dev/spock/hack/cluster/internal/cache"
	"spock.dev/spock/hack/cluster/internal/content"
	"spock.dev/spock/hack/cluster/internal/host"
)

// Ensure returns the folder of a store with the preloaded images.
func Ensure(ctx context.Context, c cache.Cache, all []content.Made, say func(string, ...any)) (string, error) {
	parts := []string{"store 1"}
	var load []content.Made
	for _, m := range all {
		if m.Store {
			parts, load = append(parts, m.Ref, m.Key), append(load, m)
		}
	}
	return c.Ensure("store", cache.Key(parts...), func(dir string) error {
		say("loading %d images into containerd's store", len(load))
		return fill(ctx, dir, load)
	})
}

// Copy gives a node its own store.
func Copy(ctx context.Context, from, to string) error {
	if _, err := host.Run(host.Tied(exec.CommandContext(ctx, "cp", "-al", from, to))); err == nil {
		return unshareDatabases(from, to)
	}
	if err := os.RemoveAll(to); err != nil { // links do not reach another file system
		return fmt.Errorf("removing half a copy of the image store: %w", err)
	}
	_, err := host.Run(host.Tied(exec.CommandContext(ctx, "cp", "-a", from, to)))
	return err
}

// unshareDatabases replaces the linked databases, which containerd writes in place.
func unshareDatabases(from, to string) error {
	return filepath.WalkDir(from, func(p string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && d.Name() == "snapshots" {
			return fs.SkipDir // files of images, whatever their names
		}
		if d.IsDir() || filepath.Ext(p) != ".db" {
			return nil
		}
		raw, err := os.ReadFile(p)
		if err != nil {
			return err
		}
		own := filepath.Join(to, strings.TrimPrefix(p, from))
		if err := os.Remove(own); err != nil {
			return err
		}
		return os.WriteFile(own, raw, 0o644)
	})
}

// scratch is short, since a socket lies in it.
const scratch = "/run/spock-store"

const config = `version = 2
root = %q
state = %q
disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.aufs"]
[grpc]
  address = %q
`

// fill starts a containerd of its own on the folder and imports the images.
func fill(ctx context.Context, dir string, load []content.Made) error {
	tmp := scratch // one run at a time fills a store: it holds the cache's lock
	if err := errors.Join(os.RemoveAll(tmp), os.MkdirAll(tmp, 0o700)); err != nil {
		return fmt.Errorf("creating a folder for containerd: %w", err)
	}
	defer os.RemoveAll(tmp)
	socket, file := filepath.Join(tmp, "containerd.sock"), filepath.Join(tmp, "config.toml")
	if err := os.WriteFile(file, fmt.Appendf(nil, config, dir, filepath.Join(tmp, "state"), socket), 0o644); err != nil {
		return fmt.Errorf("configuring containerd: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, 10*time.Minute)
	defer cancel()
	daemon := host.Tied(exec.CommandContext(ctx, "containerd", "--config", file))
	if err := daemon.Start(); err != nil {
		return fmt.Errorf("starting containerd: %w", err)
	}
	defer daemon.Wait() //nolint:errcheck // it is killed on purpose
	defer daemon.Process.Signal(os.Interrupt)
	if err := awaitSocket(ctx, socket); err != nil {
		return err
	}
	for _, m := range load {
		if err := importImage(ctx, socket, m); err != nil {
			return err
		}
	}
	return nil
}

func awaitSocket(ctx context.Context, socket string) error {
	for {
		if _, err := os.Stat(socket); err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for containerd: %w", ctx.Err())
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// importImage streams an image's layout into containerd.
func importImage(ctx context.Context, socket string, m content.Made) error {
	pack := exec.CommandContext(ctx, "tar", "-C", m.Layout, "-cf", "-", ".")
	stream, err := pack.StdoutPipe()
	if err != nil {
		return fmt.Errorf("reading image %s: %w", m.Ref, err)
	}
	if err := pack.Start(); err != nil {
		return fmt.Errorf("reading image %s: %w", m.Ref, err)
	}
	load := exec.CommandContext(ctx, "ctr", "-a", socket, "-n", "k8s.io", "images", "import", "-")
	load.Stdin = stream
	_, err = host.Run(load)
	if waited := pack.Wait(); err == nil && waited != nil {
		err = waited
	}
	if err != nil {
		return fmt.Errorf("loading image %s: %w", m.Ref, err)
	}
	return nil
}
