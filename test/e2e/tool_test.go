//go:build e2e

package e2e

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// root is the repository.
const root = "../.."

// tool runs a program as a person in the repository would, and returns what it prints.
// Those of the local cluster and of bin/ are found first.
func (l *lab) tool(in, name string, args ...string) (string, error) {
	cmd := l.command(name, args...)
	var out, complaints bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(in), &out, &complaints
	err := cmd.Run()
	if err != nil {
		l.Logf("%s %s: %v\n%s", name, strings.Join(args, " "), err, complaints.String())
	}
	return out.String(), err
}

// command prepares to run such a program.
func (l *lab) command(name string, args ...string) *exec.Cmd {
	top, err := filepath.Abs(root)
	l.must(err)
	folders := []string{filepath.Join(top, "bin"), l.settings["BIN"]}
	path := strings.Join(folders, ":") + ":" + os.Getenv("PATH")
	for _, folder := range folders {
		if program := filepath.Join(folder, name); isProgram(program) {
			name = program
			break
		}
	}
	cmd := exec.CommandContext(l.Context(), name, args...)
	cmd.Dir, cmd.Env = top, append(os.Environ(), "PATH="+path, "KUBECONFIG="+l.kubeconfig)
	return cmd
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}
