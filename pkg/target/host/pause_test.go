package host

import (
	"errors"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestAMachineIsTriedAgainTheSoonerTheLessItWasHeard(t *testing.T) {
	t.Parallel()
	silent := &Failure{Class: Unreachable, Err: syscall.EHOSTUNREACH}
	boots := &Failure{Class: Unreachable, Err: syscall.ECONNREFUSED}
	refuses := &Failure{Class: AuthRefused}
	type try struct {
		connected bool
		err       error
	}
	tests := map[string]struct {
		tries []try
		want  []time.Duration // in seconds
	}{
		"a machine without power":    {[]try{{true, silent}, {false, silent}, {false, silent}, {false, silent}}, []time.Duration{1, 2, 3, 3}},
		"one that does not let in":   {[]try{{false, refuses}, {false, refuses}, {false, refuses}, {false, refuses}, {false, refuses}, {false, refuses}}, []time.Duration{1, 2, 4, 8, 10, 10}},
		"one that boots":             {[]try{{false, silent}, {false, silent}, {false, silent}, {false, boots}, {false, boots}, {false, refuses}}, []time.Duration{1, 2, 3, 1, 2, 1}},
		"one whose connection stood": {[]try{{false, refuses}, {false, refuses}, {true, refuses}, {false, refuses}}, []time.Duration{1, 2, 1, 2}},
		"nothing to log in with":     {[]try{{false, ErrNoCredentials}, {false, errors.New("another")}, {false, ErrNoCredentials}}, []time.Duration{1, 2, 4}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var p pause
			var got []time.Duration
			for _, try := range tc.tries {
				got = append(got, p.after(try.connected, try.err)/time.Second)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("seconds (-want +got):\n%s", diff)
			}
		})
	}
}
