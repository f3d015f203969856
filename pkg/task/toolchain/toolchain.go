// Package toolchain calls the go command for Tasks: always with argument vectors, with
// the caches where the Task wants them, and with git trusting the sources it was given.
package toolchain

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Toolchain is the go command with its surroundings.
type Toolchain struct {
	// Directory it runs in.
	Directory string
	// Cache holds the module and build caches; the user's own when empty.
	Cache string
	// Proxy, SumDB and Flags become GOPROXY, GOSUMDB and GOFLAGS; Go's own when empty.
	Proxy, SumDB, Flags string
	// Log gets what the command writes for people.
	Log io.Writer
	// Grace is what a program has to end in after it was asked to; ten seconds when zero.
	Grace time.Duration
}

// Env is what is added to the process's environment.
func (t Toolchain) Env() []string {
	env := []string{
		// Volumes belong to other users; git would refuse to say which commit this is.
		"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*",
		// A cache on a volume must stay removable.
		"GOFLAGS=" + strings.TrimSpace(t.Flags+" -modcacherw"),
	}
	for name, value := range map[string]string{"GOPROXY": t.Proxy, "GOSUMDB": t.SumDB} {
		if value != "" {
			env = append(env, name+"="+value)
		}
	}
	if t.Cache != "" {
		env = append(env, "GOMODCACHE="+filepath.Join(t.Cache, "mod"), "GOCACHE="+filepath.Join(t.Cache, "build"))
	}
	return env
}

// Command prepares a call of a program in the surroundings; extra environment wins. When the
// context ends, the program and all that it started are sent SIGQUIT, by which a Go program
// shows what it was at, and are killed after the grace.
func (t Toolchain) Command(ctx context.Context, program string, args, env []string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, program, args...)
	cmd.Dir = t.Directory
	cmd.Env = append(append(os.Environ(), t.Env()...), env...)
	cmd.Stderr = t.Log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error {
		group, grace := -cmd.Process.Pid, cmp.Or(t.Grace, 10*time.Second)
		time.AfterFunc(grace, func() { _ = syscall.Kill(group, syscall.SIGKILL) })
		return syscall.Kill(group, syscall.SIGQUIT)
	}
	return cmd
}

// Go runs the go command and returns what it wrote to its standard output.
func (t Toolchain) Go(ctx context.Context, args, env []string) ([]byte, error) {
	var out bytes.Buffer
	cmd := t.Command(ctx, "go", args, env)
	cmd.Stdout = &out
	if err := cmd.Run(); err != nil {
		return nil, fmt.Errorf("go %s in %s: %w", args[0], t.Directory, err)
	}
	return out.Bytes(), nil
}

// Commit asks git for facts about the checkout; none when there is no git directory.
func (t Toolchain) Commit(ctx context.Context) map[string]string {
	var out bytes.Buffer
	cmd := t.Command(ctx, "git", []string{"log", "-1", "--format=%H %h %ct"}, nil)
	cmd.Stdout, cmd.Stderr = &out, io.Discard
	if cmd.Run() != nil {
		return nil
	}
	words := strings.Fields(out.String())
	if len(words) != 3 {
		return nil
	}
	return map[string]string{"FullCommit": words[0], "ShortCommit": words[1], "CommitTimestamp": words[2]}
}
