package host

import (
	"os/exec"
	"testing"
)

func TestATiedCommandRunsWhoeverStartsIt(t *testing.T) {
	t.Parallel()
	out, err := Run(Tied(exec.CommandContext(t.Context(), "sh", "-c", "echo done")))
	if err != nil || out != "done\n" {
		t.Errorf("it printed %q, %v", out, err)
	}
}
