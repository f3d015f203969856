package bed

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Process is a program that the benchmark has started and measures from outside.
type Process struct {
	name, log string
	cmd       *exec.Cmd
	done      chan struct{}
	err       error // set when done is closed
}

// Run starts a program; what it prints goes to a file. It ends with this process.
func Run(name, log string, env []string, argv ...string) (*Process, error) {
	return RunIn("", name, log, env, argv...)
}

// RunIn is Run in a folder; empty is this process's.
func RunIn(dir, name, log string, env []string, argv ...string) (*Process, error) {
	out, err := os.OpenFile(log, os.O_CREATE|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return nil, fmt.Errorf("open the log of %s: %w", name, err)
	}
	defer out.Close()
	p := &Process{name: name, log: log, cmd: exec.Command(argv[0], argv[1:]...), done: make(chan struct{})}
	p.cmd.Dir = dir
	p.cmd.Stdout, p.cmd.Stderr, p.cmd.Env = out, out, append(os.Environ(), env...)
	p.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL, Setpgid: true}
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", name, err)
	}
	go func() {
		p.err = p.cmd.Wait()
		close(p.done)
	}()
	return p, nil
}

// Done is closed when the program has ended.
func (p *Process) Done() <-chan struct{} { return p.done }

// Ended tells how the program ended, with the end of its log; nil while it runs, or when
// it ended well.
func (p *Process) Ended() error {
	select {
	case <-p.done:
	default:
		return nil
	}
	if p.err == nil {
		return nil
	}
	raw, _ := os.ReadFile(p.log) //nolint:errcheck // only an illustration
	return fmt.Errorf("%s ended: %w: %s", p.name, p.err, raw[max(0, len(raw)-1500):])
}

// Kill ends the program with SIGKILL and waits until it is gone.
func (p *Process) Kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// Usage is what a program has used up to now.
type Usage struct {
	CPU time.Duration
	// PeakRSS is the most memory it has held, in bytes.
	PeakRSS int64
}

// Usage reads what the kernel has counted.
func (p *Process) Usage() (Usage, error) {
	select {
	case <-p.done:
		state := p.cmd.ProcessState
		usage, ok := state.SysUsage().(*syscall.Rusage)
		if !ok {
			return Usage{}, errors.New("this system counts no resources")
		}
		return Usage{CPU: state.UserTime() + state.SystemTime(), PeakRSS: usage.Maxrss << 10}, nil
	default:
		return running(p.cmd.Process.Pid)
	}
}

// ticks per second of the times in /proc, on every Linux that Go runs on.
const ticks = 100

func running(pid int) (Usage, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return Usage{}, fmt.Errorf("read the times of a process: %w", err)
	}
	_, after, _ := strings.Cut(string(stat), ") ")
	fields := strings.Fields(after)
	if len(fields) < 13 {
		return Usage{}, fmt.Errorf("read the times of process %d: %q", pid, stat)
	}
	var used int64
	for _, f := range fields[11:13] { // utime, stime
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return Usage{}, fmt.Errorf("read the times of process %d: %w", pid, err)
		}
		used += n
	}
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return Usage{}, fmt.Errorf("read the memory of a process: %w", err)
	}
	var kib int64
	_, peak, _ := strings.Cut(string(status), "VmHWM:")
	if _, err := fmt.Sscanf(peak, "%d", &kib); err != nil {
		return Usage{}, fmt.Errorf("read the memory of process %d: %w", pid, err)
	}
	return Usage{CPU: time.Duration(used) * time.Second / ticks, PeakRSS: kib << 10}, nil
}
