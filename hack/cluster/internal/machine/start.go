package machine

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"spock.dev/spock/hack/cluster/internal/cgroup"
	"spock.dev/spock/hack/cluster/internal/host"
)

// Names of the hidden commands that run in processes of their own.
const (
	EnterCommand = "machine-enter"
	InitCommand  = "machine-init"
)

// start starts the machine's first process and returns.
func (m Machine) start(ctx context.Context, lower []string) error {
	file, err := order{Machine: m, Lower: lower}.save()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	_, err = host.Output(ctx, self, EnterCommand, file)
	return err
}

// Enter moves this process into the machine's cgroup and network namespace, starts Init
// in new namespaces of the other kinds, and returns. The cgroup namespace's root is the
// cgroup of the moment it is made; therefore the move comes first.
func Enter(file string) error {
	o, err := load(file)
	if err != nil {
		return err
	}
	if err := cgroup.Enter(o.Machine.Name(), os.Getpid()); err != nil {
		return err
	}
	ns, err := os.Open(o.Machine.namespace())
	if err != nil {
		return fmt.Errorf("open the network namespace: %w", err)
	}
	defer ns.Close()
	runtime.LockOSThread() // a network namespace belongs to a thread, and a child gets its parent thread's
	if err := unix.Setns(int(ns.Fd()), syscall.CLONE_NEWNET); err != nil {
		return fmt.Errorf("enter the network namespace: %w", err)
	}
	console, err := os.Create(o.Machine.path("console.log"))
	if err != nil {
		return fmt.Errorf("create the console: %w", err)
	}
	defer console.Close()
	self, err := os.Executable()
	if err != nil {
		return err
	}
	cmd := exec.Command(self, InitCommand, file)
	cmd.Stdout, cmd.Stderr, cmd.Dir = console, console, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid: true,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC |
			syscall.CLONE_NEWPID | syscall.CLONE_NEWCGROUP,
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the first process: %w", err)
	}
	if err := os.WriteFile(o.Machine.path("pid"), []byte(strconv.Itoa(cmd.Process.Pid)), 0o600); err != nil {
		return err
	}
	return cmd.Process.Release()
}
