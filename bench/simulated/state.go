package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// state is the state folder, of the same shape as the local cluster's:
//
//	kubeconfig env bin/   for users; env appears when all is usable
//	run/                  data, logs and settings of the processes; server is who runs them
type state string

func (s state) path(parts ...string) string {
	return filepath.Join(append([]string{string(s)}, parts...)...)
}

func (s state) kubeconfig() string { return s.path("kubeconfig") }
func (s state) env() string        { return s.path("env") }
func (s state) bin() string        { return s.path("bin") }
func (s state) run() string        { return s.path("run") }
func (s state) server() string     { return s.path("run", "server") }
func (s state) serverLog() string  { return s.path("run", "server.log") }

// others says whether the folder holds a real cluster.
func (s state) others() bool {
	_, err := os.Stat(s.path("run", "plan.json"))
	return err == nil
}

// clear removes all but what is kept of a real cluster too.
func (s state) clear() error {
	for _, p := range []string{s.env(), s.kubeconfig(), s.bin(), s.run()} {
		if err := os.RemoveAll(p); err != nil {
			return fmt.Errorf("clear the state: %w", err)
		}
	}
	return nil
}

// claim writes who serves. The file that it returns holds the lock until it is closed, also
// by the end of the process.
func (s state) claim() (*os.File, error) {
	f, err := os.OpenFile(s.server(), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("say who serves: %w", err)
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		return nil, errors.New("another one serves from this folder already")
	}
	_, err = fmt.Fprintln(f, os.Getpid())
	return f, err
}

// serves is the process that serves from the folder; false when there is none. Its number
// alone says nothing, since numbers are used again: the lock does.
func (s state) serves() (int, bool) {
	f, err := os.Open(s.server())
	if err != nil {
		return 0, false
	}
	defer f.Close()
	if syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB) == nil {
		return 0, false
	}
	raw, err := os.ReadFile(s.server())
	if err != nil {
		return 0, false
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	return pid, err == nil
}

// await waits until nobody serves from the folder any more.
func (s state) await() error {
	f, err := os.Open(s.server())
	if err != nil {
		return nil //nolint:nilerr // nobody has served
	}
	defer f.Close()
	return syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
}

// settings are what others need to use it, as KEY=VALUE lines. A registry and an ingress
// there are none.
func (s state) settings() string {
	return fmt.Sprintf("SIMULATED=true\nKUBECONFIG=%s\nPOD_REGISTRY=%s\nDOMAIN=localhost\nAUDIT_LOG=%s\nBIN=%s\n",
		s.kubeconfig(), registry, s.path("run", "audit.log"), s.bin())
}
