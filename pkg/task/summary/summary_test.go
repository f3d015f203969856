package summary

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/task/record"
)

var update = flag.Bool("update", false, "write the golden files")

func did(task string, from, to int64, change func(*record.Record)) record.Record {
	r := record.Record{Task: task, Started: time.Unix(from, 0), Finished: time.Unix(to, 0)}
	if change != nil {
		change(&r)
	}
	return r
}

func records() []record.Record {
	return []record.Record{
		did("clone", 0, 2, func(r *record.Record) {
			r.Commit, r.Repository = "0123456789abcdef0123456789abcdef01234567", "https://git.example.com/shop"
		}),
		did("build", 4, 40, func(r *record.Record) {
			r.Images = []string{"orders=r.example.com/orders@sha256:01", "web=r.example.com/web@sha256:02"}
		}),
		did("unit-test", 4, 71, func(r *record.Record) {
			r.Tests = &record.Tests{Passed: 12, Failed: 1, Skipped: 2, Coverage: "71.4", Failures: []string{"example.com/shop/cart.TestAdd"}}
			r.Error = "1 of 15 tests failed"
		}),
	}
}

func TestLines(t *testing.T) {
	t.Parallel()
	deployed := append(records(), did("deploy", 80, 95, func(r *record.Record) {
		r.Environment, r.Phase, r.URL = "team-a/shop", "Ready", "http://web.shop.example.com"
	}))
	deployed[2].Error, deployed[2].Tests.Failed, deployed[2].Tests.Failures = "", 0, nil
	statuses := func(states ...string) []Status {
		var out []Status
		for i, task := range []string{"clone", "build", "unit-test", "deploy", "integration-test"} {
			out = append(out, Status{Task: task, State: states[i]})
		}
		return out
	}
	tests := map[string]struct {
		statuses []Status
		records  []record.Record
	}{
		"failed.txt":    {statuses("Succeeded", "Succeeded", "Failed", "None", "None"), records()},
		"succeeded.txt": {statuses("Succeeded", "Succeeded", "Succeeded", "Succeeded", "Succeeded"), deployed},
		"nothing.txt":   {statuses("Failed", "None", "None", "None", "None"), nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := strings.Join(Lines(tt.statuses, tt.records), "\n") + "\n"
			path := filepath.Join("testdata", name)
			if *update {
				if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			want, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("%s (-want +got; rewrite with -update):\n%s", path, diff)
			}
		})
	}
}

func TestParseStatus(t *testing.T) {
	t.Parallel()
	got, err := ParseStatus([]string{"build=Succeeded", "deploy="})
	if diff := cmp.Diff([]Status{{Task: "build", State: "Succeeded"}, {Task: "deploy"}}, got); diff != "" || err != nil {
		t.Errorf("ParseStatus: %v (-want +got):\n%s", err, diff)
	}
	if _, err := ParseStatus([]string{"build"}); err == nil || err.Error() != `status "build": not task=state; write for example build=Succeeded` {
		t.Errorf("error %v", err)
	}
}
