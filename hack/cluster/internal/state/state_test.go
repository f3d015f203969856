package state

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/hack/cluster/internal/plan"
)

func TestAPlanIsRememberedUntilTheStateIsCleared(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	if _, err := d.Plan(); !errors.Is(err, ErrNone) {
		t.Fatalf("Plan of an empty folder = %v, want ErrNone", err)
	}
	want := plan.Plan{Name: "a", Index: 3}
	if err := d.SavePlan(want); err != nil {
		t.Fatal(err)
	}
	got, err := d.Plan()
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Fatalf("Plan = %v (-want +got):\n%s", err, diff)
	}
	if err := d.Clear(); err != nil {
		t.Fatal(err)
	}
	if _, err := d.Plan(); !errors.Is(err, ErrNone) {
		t.Errorf("Plan after Clear = %v, want ErrNone", err)
	}
}

func TestClearKeepsWhatWasPushed(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	for _, dir := range []string{d.Registry(), d.Disk(), d.Log(), d.Bin()} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := d.Clear(); err != nil {
		t.Fatal(err)
	}
	left, err := os.ReadDir(string(d))
	if err != nil || len(left) != 1 || left[0].Name() != "registry" {
		t.Errorf("after Clear there is %v (%v), want only the registry", left, err)
	}
}

func TestSettingsAreLinesOfKeyAndValue(t *testing.T) {
	t.Parallel()
	text := Dir("/s").Settings(plan.Plan{Name: "a", Index: 1})
	got := map[string]string{}
	for line := range strings.Lines(text) {
		key, value, ok := strings.Cut(strings.TrimSuffix(line, "\n"), "=")
		if !ok || value == "" || strings.ContainsAny(value, " '\"") {
			t.Errorf("line %q is no plain KEY=VALUE", line)
		}
		got[key] = value
	}
	for key, want := range map[string]string{
		"KUBECONFIG": "/s/kubeconfig", "REGISTRY": "localhost:5010", "INGRESS_PORT": "8090", "DOMAIN": "localhost",
		"GOPROXY_URL": "http://goproxy.localhost:8081", "AUDIT_LOG": "/s/audit.log",
	} {
		if got[key] != want {
			t.Errorf("%s is %q, want %q", key, got[key], want)
		}
	}
}

func TestTheStandInIsSeen(t *testing.T) {
	t.Parallel()
	d := Dir(t.TempDir())
	if d.Simulated() {
		t.Error("an empty folder is called simulated")
	}
	if err := os.MkdirAll(d.Run(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(d.Run(), "server"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if !d.Simulated() {
		t.Error("a folder with the stand-in's server is not called simulated")
	}
}
