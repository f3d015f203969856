package node

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"

	"spock.dev/spock/hack/cluster/internal/cgroup"
	"spock.dev/spock/hack/cluster/internal/host"
	"spock.dev/spock/hack/cluster/internal/network"
)

// Names of the hidden commands that run in processes of their own.
const (
	EnterCommand = "node-enter"
	InitCommand  = "node-init"
)

// Start writes the node's files and starts it. It returns when the node's first
// process is on its way; whether its parts are ready is seen from outside.
func Start(ctx context.Context, s Spec) error {
	if err := s.writeFiles(); err != nil {
		return err
	}
	if err := s.save(); err != nil {
		return err
	}
	if err := cgroup.Create(s.Plan.NodeCgroup()); err != nil {
		return err
	}
	if err := os.MkdirAll(s.State.Log(), 0o755); err != nil {
		return fmt.Errorf("creating the log folder: %w", err)
	}
	cmd := exec.CommandContext(ctx, s.Self, EnterCommand, s.file())
	if _, err := host.Run(cmd); err != nil {
		return fmt.Errorf("starting the node: %w", err)
	}
	return nil
}

// Enter moves this process into the node's cgroup and network namespace, starts
// Init in new namespaces of the other kinds, and returns. The cgroup namespace's
// root is the cgroup of the moment it is made; therefore the move comes first.
func Enter(s Spec) error {
	if err := cgroup.Enter(s.Plan.NodeCgroup(), os.Getpid()); err != nil {
		return err
	}
	ns, err := os.Open(network.NamespaceFile(s.Plan))
	if err != nil {
		return fmt.Errorf("opening the network namespace: %w", err)
	}
	defer ns.Close()
	runtime.LockOSThread() // a network namespace belongs to a thread, and a child gets its parent thread's
	if err := unix.Setns(int(ns.Fd()), syscall.CLONE_NEWNET); err != nil {
		return fmt.Errorf("entering the network namespace: %w", err)
	}
	log, err := os.Create(filepath.Join(s.State.Log(), "node.log"))
	if err != nil {
		return fmt.Errorf("creating the node's log: %w", err)
	}
	defer log.Close()
	cmd := exec.Command(s.Self, InitCommand, s.file())
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Setsid: true,
		Cloneflags: syscall.CLONE_NEWNS | syscall.CLONE_NEWUTS | syscall.CLONE_NEWIPC |
			syscall.CLONE_NEWPID | syscall.CLONE_NEWCGROUP,
	}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("starting the node's first process: %w", err)
	}
	return cmd.Process.Release()
}
