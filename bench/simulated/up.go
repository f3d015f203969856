package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// up starts the server in the background and returns when all is usable.
func up(ctx context.Context, s state, root string) error {
	if s.others() {
		return fmt.Errorf("%s holds a real cluster: take it down first, or give another -state", s)
	}
	if _, is := s.serves(); is {
		if _, err := os.Stat(s.env()); err == nil {
			fmt.Fprintln(os.Stderr, "the simulated cluster is up")
			return nil
		}
		return fmt.Errorf("the simulated cluster is on its way up or broken: see %s, or end it with `make cluster-down`", s.serverLog())
	}
	if err := errors.Join(s.clear(), os.MkdirAll(s.run(), 0o755)); err != nil {
		return err
	}
	return start(ctx, s, root)
}

// start starts a server that outlives this process, and passes on what it tells until it
// is ready.
func start(ctx context.Context, s state, root string) error {
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("find this program: %w", err)
	}
	log, err := os.Create(s.serverLog())
	if err != nil {
		return fmt.Errorf("create the log: %w", err)
	}
	defer log.Close()
	told, tells, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("make a pipe: %w", err)
	}
	defer told.Close()
	cmd := exec.Command(self, serveCommand, "-state", string(s), "-root", root)
	cmd.Stderr, cmd.Stdout, cmd.ExtraFiles = log, log, []*os.File{tells}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	err = cmd.Start()
	tells.Close()
	if err != nil {
		return fmt.Errorf("start the server: %w", err)
	}
	stop := context.AfterFunc(ctx, func() { _ = cmd.Process.Signal(syscall.SIGTERM) }) // who started it does not want it any more
	defer stop()
	if passOn(told) {
		return cmd.Process.Release()
	}
	_ = cmd.Wait() // its log says why
	raw, _ := os.ReadFile(s.serverLog())
	return fmt.Errorf("the simulated cluster did not come up; logs are in %s: %s", s.run(), strings.TrimSpace(string(raw)))
}

// ready is the last line that a server tells who started it.
const ready = "ready"

// passOn prints lines with the time since the start, and says whether the last is ready.
func passOn(lines io.Reader) bool {
	began := time.Now()
	for in := bufio.NewScanner(lines); in.Scan(); {
		if in.Text() == ready {
			return true
		}
		fmt.Fprintf(os.Stderr, "%6.1fs %s\n", time.Since(began).Seconds(), in.Text())
	}
	return false
}

// down ends the server, and with it all that it has started.
func down(s state) error {
	if s.others() {
		return fmt.Errorf("%s holds a real cluster", s)
	}
	if pid, is := s.serves(); is {
		if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
			return fmt.Errorf("end the simulated cluster, which is process %d: %w", pid, err)
		}
		if err := s.await(); err != nil {
			return fmt.Errorf("wait for the end of process %d: %w", pid, err)
		}
	}
	if err := s.clear(); err != nil {
		return err
	}
	fmt.Fprintln(os.Stderr, "the simulated cluster is down")
	return nil
}
