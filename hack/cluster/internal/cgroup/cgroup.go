// Package cgroup keeps a cluster's processes in cgroups of a known name, in
// every cgroup v1 hierarchy. The name is how they are found again, whatever
// happened to the tool that started them.
package cgroup

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const root = "/sys/fs/cgroup"

// Hierarchies returns the mount points of the machine's cgroup v1 hierarchies.
func Hierarchies() ([]string, error) {
	mounts, err := os.ReadFile("/proc/mounts")
	if err != nil {
		return nil, fmt.Errorf("reading the machine's mounts: %w", err)
	}
	return hierarchies(string(mounts)), nil
}

func hierarchies(mounts string) []string {
	var out []string
	for line := range strings.Lines(mounts) {
		f := strings.Fields(line)
		if len(f) > 2 && f[2] == "cgroup" && strings.HasPrefix(f[1], root+"/") {
			out = append(out, f[1])
		}
	}
	return out
}

// Create makes the cgroup in every hierarchy.
func Create(name string) error {
	all, err := Hierarchies()
	if err != nil {
		return err
	}
	for _, h := range all {
		dir := filepath.Join(h, name)
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return fmt.Errorf("creating cgroup %s: %w", dir, err)
		}
		if err := prepare(h, dir); err != nil {
			return fmt.Errorf("preparing cgroup %s: %w", dir, err)
		}
	}
	return nil
}

// prepare makes a fresh cgroup usable: cpuset starts empty and accepts no
// process, memory must account for the whole subtree.
func prepare(hierarchy, dir string) error {
	switch filepath.Base(hierarchy) {
	case "cpuset":
		for _, f := range []string{"cpuset.cpus", "cpuset.mems"} {
			all, err := os.ReadFile(filepath.Join(hierarchy, f))
			if err != nil {
				return err
			}
			if err := os.WriteFile(filepath.Join(dir, f), all, 0o644); err != nil {
				return err
			}
		}
		return os.WriteFile(filepath.Join(dir, "cgroup.clone_children"), []byte("1"), 0o644)
	case "memory":
		_ = os.WriteFile(filepath.Join(dir, "memory.use_hierarchy"), []byte("1"), 0o644) // newer kernels always do, and refuse
	}
	return nil
}

// Enter moves a process into the cgroup, in every hierarchy.
func Enter(name string, pid int) error {
	all, err := Hierarchies()
	if err != nil {
		return err
	}
	for _, h := range all {
		procs := filepath.Join(h, name, "cgroup.procs")
		if err := os.WriteFile(procs, []byte(strconv.Itoa(pid)), 0o644); err != nil {
			return fmt.Errorf("entering cgroup %s: %w", name, err)
		}
	}
	return nil
}

// Processes returns the processes in the cgroup and below it.
func Processes(name string) []int {
	var out []int
	top := filepath.Join(root, "pids", name)
	_ = filepath.WalkDir(top, func(p string, d fs.DirEntry, err error) error {
		if err != nil || d.Name() != "cgroup.procs" {
			return nil // cgroups vanish while one looks
		}
		raw, _ := os.ReadFile(p)
		for _, f := range strings.Fields(string(raw)) {
			if pid, err := strconv.Atoi(f); err == nil && pid > 0 {
				out = append(out, pid)
			}
		}
		return nil
	})
	return out
}

// Remove kills everything in the cgroup and removes it from every hierarchy.
func Remove(ctx context.Context, name string) error {
	if err := kill(ctx, name); err != nil {
		return err
	}
	all, err := Hierarchies()
	if err != nil {
		return err
	}
	for _, h := range all {
		if err := removeTree(ctx, filepath.Join(h, name)); err != nil {
			return fmt.Errorf("removing cgroup %s: %w", name, err)
		}
	}
	return nil
}

func kill(ctx context.Context, name string) error {
	for {
		pids := Processes(name)
		if len(pids) == 0 {
			return nil
		}
		for _, pid := range pids {
			_ = syscall.Kill(pid, syscall.SIGKILL) // it may be gone already; the loop looks again
		}
		if err := pause(ctx); err != nil {
			return fmt.Errorf("killing the %d processes of cgroup %s: %w", len(pids), name, err)
		}
	}
}

// removeTree removes a cgroup and those below it, the lowest first. The kernel
// calls a cgroup busy for a moment after its last process died.
func removeTree(ctx context.Context, dir string) error {
	for {
		err := removeOnce(dir)
		if !errors.Is(err, syscall.EBUSY) {
			return err
		}
		if late := pause(ctx); late != nil {
			return errors.Join(err, late)
		}
	}
}

func removeOnce(dir string) error {
	entries, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return err
	}
	for _, e := range entries {
		if !e.IsDir() {
			continue
		}
		if err := removeOnce(filepath.Join(dir, e.Name())); err != nil {
			return err
		}
	}
	if err := syscall.Rmdir(dir); err != nil && !errors.Is(err, syscall.ENOENT) {
		return err
	}
	return nil
}

func pause(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(20 * time.Millisecond):
		return nil
	}
}
