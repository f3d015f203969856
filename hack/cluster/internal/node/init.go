package node

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"syscall"
	"time"
)

// Init is process 1 of the node: it makes the node's view of the file system,
// starts the processes, starts again those that end, and reaps orphans. It
// returns only when the node cannot be made.
func Init(s Spec) error {
	if err := syscall.Sethostname([]byte(s.Plan.NodeName())); err != nil {
		return fmt.Errorf("setting the host name: %w", err)
	}
	if err := s.mounts(); err != nil {
		return err
	}
	if err := networkSettings(); err != nil {
		return err
	}
	v := &supervisor{waiting: map[int]chan syscall.WaitStatus{}, logs: s.State.Log()}
	for _, p := range s.processes() {
		go v.keep(p)
	}
	v.reap()
	return nil
}

// networkSettings belong to the network namespace. The bridge setting exists
// only where the kernel filters bridged packets at all.
func networkSettings() error {
	if err := os.WriteFile("/proc/sys/net/ipv4/ip_forward", []byte("1"), 0o644); err != nil {
		return fmt.Errorf("letting the node forward packets: %w", err)
	}
	err := os.WriteFile("/proc/sys/net/bridge/bridge-nf-call-iptables", []byte("1"), 0o644)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("filtering the node's bridged packets: %w", err)
	}
	return nil
}

// supervisor keeps processes running. There is one reaper for all children,
// since orphans of others end up here as well.
type supervisor struct {
	logs    string
	mu      sync.Mutex
	waiting map[int]chan syscall.WaitStatus
}

// keep runs a process again and again, a moment after each end.
func (v *supervisor) keep(p process) {
	log, err := os.OpenFile(filepath.Join(v.logs, p.name+".log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o644)
	if err != nil {
		fmt.Println(p.name, "has no log:", err)
		return
	}
	for {
		end, err := v.run(p, log)
		fmt.Fprintf(log, "--- %s ended (status %d, %v), starting it again\n", p.name, end.ExitStatus(), err)
		time.Sleep(300 * time.Millisecond)
	}
}

func (v *supervisor) run(p process, log *os.File) (syscall.WaitStatus, error) {
	end := make(chan syscall.WaitStatus, 1)
	v.mu.Lock() // so that the reaper does not see the child before its channel is known
	pid, err := syscall.ForkExec(p.argv[0], p.argv, &syscall.ProcAttr{
		Dir: "/", Env: environment(), Files: []uintptr{0, log.Fd(), log.Fd()},
	})
	if err == nil {
		v.waiting[pid] = end
	}
	v.mu.Unlock()
	if err != nil {
		return 0, err
	}
	return <-end, nil
}

// environment is the same whatever environment the tool was called in.
func environment() []string {
	return []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}
}

// reap collects every dead child for as long as the node lives.
func (v *supervisor) reap() {
	for {
		var status syscall.WaitStatus
		pid, err := syscall.Wait4(-1, &status, 0, nil)
		if err != nil {
			time.Sleep(50 * time.Millisecond) // no child at this moment
			continue
		}
		v.mu.Lock()
		end, ours := v.waiting[pid]
		delete(v.waiting, pid)
		v.mu.Unlock()
		if ours {
			end <- status
		}
	}
}
