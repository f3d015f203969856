package measure_test

import (
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/bench/measure"
)

func TestStartsOnMachinesArePartOfARun(t *testing.T) {
	t.Parallel()
	at := func(s float64) time.Time { return began.Add(time.Duration(s * float64(time.Second))) }
	before := map[string]measure.Start{"db": {Began: at(-9), Ready: at(-8), ID: "old"}, "stays": {Began: at(-9), Ready: at(-8), ID: "same"}}
	for name, tc := range map[string]struct {
		after map[string]measure.Start
		want  string
	}{
		"both anew": {map[string]measure.Start{"db": {Began: at(0), Ready: at(2), ID: "new"}, "api": {Began: at(2.25), Ready: at(3.25), ID: "x", Restarts: 1}, "stays": before["stays"]},
			"overhead 1s, late [250ms], violations [], 2 written, 1 again"},
		"too early": {map[string]measure.Start{"db": {Began: at(0), Ready: at(2), ID: "new"}, "api": {Began: at(1), Ready: at(2), ID: "x"}},
			"overhead 1s, late [-1s], violations [api], 2 written, 0 again"},
		"nothing": {before, "overhead 4s, late [], violations [], 0 written, 0 again"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			run := measure.Of(nil, measure.Window{From: at(0), To: at(4), Engine: "engine"}).With(before, tc.after)
			overhead, _ := run.Overhead(shop)
			got := fmt.Sprintf("overhead %v, late %v, violations %v, %d written, %d again", overhead, run.Lateness(shop), run.Violations(shop), len(run.Written), run.Again)
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("run (-want +got):\n%s", diff)
			}
		})
	}
}
