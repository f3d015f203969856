// Package machines boots real machines, a systemd and an sshd each, and reads off them what
// happened there. It asks no engine, and changes nothing on them.
package machines

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// Machine is one that runs, as the command that boots it tells of it.
type Machine struct {
	Number        int
	Name, Address string
	// HostKey is its own key, Key the file of the private key that root and deploy accept.
	HostKey, Key string
	// Pid of its process 1, as this machine counts.
	Pid int
}

// Yard is machines that end together.
type Yard struct {
	Machines []Machine

	program string
}

// diskMB of a machine, made of memory as far as it is used.
const diskMB = 128

// Boot boots so many machines with the command of the local cluster, which is built into a
// folder. When one cannot be booted, none is left.
func Boot(ctx context.Context, root, dir string, n int) (*Yard, error) {
	y := &Yard{program: filepath.Join(dir, "machine")}
	build := exec.CommandContext(ctx, "go", "build", "-o", y.program, "./cmd/machine")
	build.Dir = filepath.Join(root, "hack", "cluster")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("build the command that boots machines: %w: %s", err, out)
	}
	for range n {
		m, err := y.up(ctx)
		if err != nil {
			return nil, errors.Join(err, y.End())
		}
		y.Machines = append(y.Machines, m)
	}
	return y, nil
}

// up boots one with a number that nobody has. The command is asked to end, not killed, so
// that it takes away what it has made.
func (y *Yard) up(ctx context.Context) (Machine, error) {
	var m Machine
	var problems strings.Builder
	cmd := exec.CommandContext(ctx, y.program, "up", "-disk", strconv.Itoa(diskMB))
	cmd.Cancel, cmd.WaitDelay = func() error { return cmd.Process.Signal(syscall.SIGTERM) }, time.Minute
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // who interrupts this process does not interrupt it twice
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return m, fmt.Errorf("boot a machine: %w: %s", err, strings.TrimSpace(problems.String()))
	}
	if err := json.Unmarshal(out, &m); err != nil {
		return m, fmt.Errorf("read how a machine is reached: %w", err)
	}
	return m, nil
}

// End ends all machines, also when the work was interrupted.
func (y *Yard) End() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	err := y.each(func(m Machine) error {
		cmd := exec.CommandContext(ctx, y.program, "down", "-number", strconv.Itoa(m.Number))
		cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("end machine %s: %w: %s", m.Name, err, out)
		}
		return nil
	})
	y.Machines = nil
	return err
}

// CPU is the time that all processes on the machines have used.
func (y *Yard) CPU() (time.Duration, error) {
	var all time.Duration
	for _, m := range y.Machines {
		raw, err := os.ReadFile(filepath.Join("/sys/fs/cgroup/cpuacct", m.Name, "cpuacct.usage"))
		if err != nil {
			return 0, fmt.Errorf("read the times of machine %s: %w", m.Name, err)
		}
		n, err := strconv.ParseInt(strings.TrimSpace(string(raw)), 10, 64)
		if err != nil {
			return 0, fmt.Errorf("read the times of machine %s: %w", m.Name, err)
		}
		all += time.Duration(n)
	}
	return all, nil
}

// side by side are so many machines asked.
const atOnce = 4

// each does something with all machines, a few at a time.
func (y *Yard) each(do func(Machine) error) error {
	errs := make([]error, len(y.Machines))
	slots := make(chan struct{}, atOnce)
	var group sync.WaitGroup
	for i, m := range slices.All(y.Machines) {
		group.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			errs[i] = do(m)
		})
	}
	group.Wait()
	return errors.Join(errs...)
}
