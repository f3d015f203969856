package machine

import (
	"os"
	"path/filepath"
	"testing"
)

func TestALimitIsRaisedAndNeverLowered(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "limit")
	for before, want := range map[string]string{"128\n": "2048", "8192\n": "8192\n"} {
		if err := os.WriteFile(file, []byte(before), 0o600); err != nil {
			t.Fatal(err)
		}
		err := allowMany(file)
		if got, _ := os.ReadFile(file); err != nil || string(got) != want {
			t.Errorf("after %q the limit is %q, %v, want %q", before, got, err, want)
		}
	}
	if allowMany(filepath.Join(t.TempDir(), "none")) == nil {
		t.Error("a limit that is not there was raised")
	}
}
