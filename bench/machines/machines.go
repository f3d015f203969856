// Package machines boots real machines beside the bed, a systemd and an sshd each in
// namespaces of its own, and reads off them when what was started there.
package machines

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"sync"
	"time"

	"spock.dev/spock/pkg/target/host"
)

// Why says what is missing to boot machines; empty when all is there.
func Why() string {
	switch _, err := os.Stat("/sys/fs/cgroup/pids"); {
	case runtime.GOOS != "linux":
		return "machines need Linux"
	case os.Getuid() != 0:
		return "machines need root"
	case err != nil:
		return "machines need cgroup v1 hierarchies"
	}
	return ""
}

// Machine is one that runs, as cmd/machine tells of it.
type Machine struct {
	Number                      int
	Name, Address, HostKey, Key string
	// PrivateKey lets root and deploy in.
	PrivateKey []byte `json:"-"`

	conn *host.Conn
}

// Park is some machines.
type Park struct {
	Machines []*Machine
	program  string
}

// Boot boots machines, with a program that is built from the repository at root into dir.
// What was booted is ended by Down, also when this fails.
func Boot(ctx context.Context, root, dir string, count int) (*Park, error) {
	p := &Park{program: filepath.Join(dir, "machine")}
	build := exec.CommandContext(ctx, "go", "build", "-o", p.program, "./cmd/machine")
	build.Dir = filepath.Join(root, "hack", "cluster")
	if out, err := build.CombinedOutput(); err != nil {
		return p, fmt.Errorf("build the program that boots machines: %w: %s", err, out)
	}
	for range count { // one after the other: the first one makes the tree of all
		m, err := p.up(ctx)
		if err != nil {
			return p, err
		}
		p.Machines = append(p.Machines, m)
	}
	return p, nil
}

func (p *Park) up(ctx context.Context) (*Machine, error) {
	cmd := exec.CommandContext(ctx, p.program, "up", "-disk", "128")
	var problems bytes.Buffer
	cmd.Stderr = &problems
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("boot a machine: %w: %s", err, problems.String())
	}
	m := &Machine{}
	if err := json.Unmarshal(out, m); err != nil {
		return nil, fmt.Errorf("read what was booted: %w", err)
	}
	if m.PrivateKey, err = os.ReadFile(m.Key); err != nil {
		return m, fmt.Errorf("read the key of %s: %w", m.Name, err)
	}
	m.conn, err = host.Dial(ctx, host.Login{Name: m.Name, Address: m.Address + ":22", User: "root", HostKey: m.HostKey, Key: m.PrivateKey})
	return m, err
}

// Down ends the machines.
func (p *Park) Down() error {
	errs := make([]error, len(p.Machines))
	var group sync.WaitGroup
	for i, m := range p.Machines {
		group.Go(func() {
			if m.conn != nil {
				m.conn.Close()
			}
			ctx, stop := context.WithTimeout(context.Background(), time.Minute)
			defer stop()
			if out, err := exec.CommandContext(ctx, p.program, "down", "-number", strconv.Itoa(m.Number)).CombinedOutput(); err != nil {
				errs[i] = fmt.Errorf("end machine %s: %w: %s", m.Name, err, out)
			}
		})
	}
	group.Wait()
	return errors.Join(errs...)
}
