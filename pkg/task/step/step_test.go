package step

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
)

// TestAStepThatTakesTooLong says so, with the time that it had, whatever else it says.
func TestAStepThatTakesTooLong(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		timeout string
		work    func(context.Context) error
		want    string
	}{
		"one that ends in time":           {"1h", func(context.Context) error { return nil }, ""},
		"one that fails in time":          {"1h", func(context.Context) error { return errors.New("2 tests failed") }, "2 tests failed"},
		"one that hangs":                  {"1ms", func(ctx context.Context) error { <-ctx.Done(); return errors.New("go test: killed") }, "not done after 1ms; see above what it was at, or give the param timeout more: go test: killed"},
		"one that was done at the moment": {"1ms", func(ctx context.Context) error { <-ctx.Done(); return nil }, ""},
		"no limit": {"0", func(ctx context.Context) error {
			if _, limited := ctx.Deadline(); limited {
				return errors.New("there is one")
			}
			return nil
		}, ""},
		"no time at all": {"soon", nil, `invalid argument "soon" for "--timeout" flag: time: invalid duration "soon"`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := Step{Name: "x"}
			cmd := &cobra.Command{SilenceErrors: true, SilenceUsage: true}
			cmd.RunE = func(cmd *cobra.Command, _ []string) error {
				return s.Run(func(result.Writer, *record.Record) error { return tt.work(cmd.Context()) })
			}
			s.Flags(cmd)
			s.Limit(cmd)
			cmd.SetArgs([]string{"--results=" + t.TempDir(), "--timeout=" + tt.timeout})
			got := ""
			if err := cmd.ExecuteContext(t.Context()); err != nil {
				got = err.Error()
			}
			if got != tt.want {
				t.Errorf("it says %q, want %q", got, tt.want)
			}
		})
	}
}

// TestAStepThatIsCancelled is not told as one that took too long.
func TestAStepThatIsCancelled(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	s := Step{Name: "x"}
	cmd := &cobra.Command{SilenceErrors: true, SilenceUsage: true}
	cmd.RunE = func(cmd *cobra.Command, _ []string) error {
		cancel()
		<-cmd.Context().Done()
		return s.Run(func(result.Writer, *record.Record) error { return cmd.Context().Err() })
	}
	s.Flags(cmd)
	s.Limit(cmd)
	cmd.SetArgs([]string{"--results=" + t.TempDir(), "--timeout=1h"})
	if err := cmd.ExecuteContext(ctx); !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "not done") {
		t.Errorf("it says %v", err)
	}
}
