package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// command makes a command that finds our tools first and talks to our cluster.
func (d *demo) command(ctx context.Context, name string, args ...string) *exec.Cmd {
	path := d.bin + ":" + filepath.Join(d.bin, "tools") + ":" + filepath.Join(d.root, ".cluster", "bin") + ":" + os.Getenv("PATH")
	if found := d.find(name); found != "" {
		name = found
	}
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = d.root
	cmd.Env = append(os.Environ(), "PATH="+path)
	if d.kubeconfig != "" {
		cmd.Env = append(cmd.Env, "KUBECONFIG="+d.kubeconfig)
	}
	return cmd
}

func (d *demo) find(name string) string {
	for _, dir := range []string{d.bin, filepath.Join(d.bin, "tools"), filepath.Join(d.root, ".cluster", "bin")} {
		if path := filepath.Join(dir, name); isExecutable(path) {
			return path
		}
	}
	return ""
}

func isExecutable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && !info.IsDir() && info.Mode()&0o111 != 0
}

// output runs a command and returns what it prints; its complaints are in the error.
func (d *demo) output(ctx context.Context, in io.Reader, env []string, name string, args ...string) (string, error) {
	cmd := d.command(ctx, name, args...)
	var out, complaints bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = in, &out, &complaints
	cmd.Env = append(cmd.Env, env...)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("%s %s: %w: %s", name, strings.Join(args, " "), err, strings.TrimSpace(complaints.String()))
	}
	return out.String(), nil
}

func (d *demo) kubectl(ctx context.Context, args ...string) (string, error) {
	return d.output(ctx, nil, nil, "kubectl", args...)
}

// apply applies manifests by server-side apply.
func (d *demo) apply(ctx context.Context, manifests string, args ...string) error {
	args = append([]string{"apply", "--server-side", "--force-conflicts", "-f", "-"}, args...)
	_, err := d.output(ctx, strings.NewReader(manifests), nil, "kubectl", args...)
	return err
}

// show runs a command whose output is for the person at the terminal.
func (d *demo) show(ctx context.Context, name string, args ...string) error {
	cmd := d.command(ctx, name, args...)
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("%s %s: %w", name, strings.Join(args, " "), err)
	}
	return nil
}
