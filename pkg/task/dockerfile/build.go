package dockerfile

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// built is the name of the image in the builder's own storage.
const built = "localhost/built"

// drivers of the storage, the better first: overlay needs a kernel that lets a user
// namespace mount it, vfs copies each layer.
var drivers = []string{"overlay", "vfs"}

// Builder runs buildah.
type Builder struct {
	// Program is buildah, or where it is.
	Program string
	// Storage is an empty folder of the pod, on a filesystem of the node.
	Storage string
	// Log gets what buildah writes.
	Log io.Writer
}

// Image is what was pushed.
type Image struct {
	// Service is the short name of what runs it.
	Service string
	// Reference is the repository with the digest.
	Reference string
}

// Run builds and pushes.
func (b Builder) Run(ctx context.Context, r Request) (Image, error) {
	destination, err := r.destination()
	if err != nil {
		return Image{}, err
	}
	arguments, err := r.arguments()
	if err != nil {
		return Image{}, err
	}
	if err := os.MkdirAll(b.runtime(), 0o700); err != nil {
		return Image{}, fmt.Errorf("prepare the storage: %w", err)
	}
	driver, err := b.driver(ctx)
	if err != nil {
		return Image{}, err
	}
	if err := b.run(ctx, driver, arguments...); err != nil {
		return Image{}, fmt.Errorf("build %s: %w", r.File, err)
	}
	digest, err := b.push(ctx, driver, destination.Name(), r.Insecure)
	if err != nil {
		return Image{}, err
	}
	return Image{Service: r.service(), Reference: destination.Context().Name() + "@" + digest}, nil
}

// forbidden is what buildah says where a user namespace, or ids in it, cannot be had.
var forbidden = regexp.MustCompile(`CLONE_NEWUSER|user namespace|single mapping`)

// driver is the first that works here. It tells why another does not.
func (b Builder) driver(ctx context.Context) (string, error) {
	var last error
	for _, driver := range drivers {
		var said bytes.Buffer
		cmd := b.command(ctx, driver, "info")
		cmd.Stdout, cmd.Stderr = io.Discard, &said
		err := cmd.Run()
		why, _, _ := strings.Cut(strings.TrimSpace(said.String()), "\n")
		if forbidden.Match(said.Bytes()) {
			return "", fmt.Errorf("this pod may not make a user namespace with ids of its own, which a build without root needs (see the README of build-dockerfile): %s", why)
		}
		if err == nil {
			return driver, nil
		}
		last = fmt.Errorf("storage %s: %w: %s", driver, err, why)
		fmt.Fprintln(b.Log, last)
	}
	return "", last
}

func (b Builder) push(ctx context.Context, driver, destination string, insecure bool) (string, error) {
	file := filepath.Join(b.Storage, "digest")
	err := b.run(ctx, driver, "push", "--quiet", fmt.Sprintf("--tls-verify=%t", !insecure), "--digestfile="+file, built, "docker://"+destination)
	if err != nil {
		return "", fmt.Errorf("push %s: %w", destination, err)
	}
	digest, err := os.ReadFile(file)
	if err != nil {
		return "", fmt.Errorf("read the digest of %s: %w", destination, err)
	}
	return strings.TrimSpace(string(digest)), nil
}

func (b Builder) run(ctx context.Context, driver string, arguments ...string) error {
	cmd := b.command(ctx, driver, arguments...)
	cmd.Stdout, cmd.Stderr = b.Log, b.Log
	return cmd.Run()
}

// command keeps everything in the storage of the builder: the root of its container can be
// read-only.
func (b Builder) command(ctx context.Context, driver string, arguments ...string) *exec.Cmd {
	own := []string{"--storage-driver=" + driver, "--root=" + filepath.Join(b.Storage, driver), "--runroot=" + filepath.Join(b.Storage, "run")}
	cmd := exec.CommandContext(ctx, b.Program, append(own, arguments...)...)
	cmd.Env = append(os.Environ(), "XDG_RUNTIME_DIR="+b.runtime(), "TMPDIR="+b.Storage)
	return cmd
}

func (b Builder) runtime() string { return filepath.Join(b.Storage, "runtime") }
