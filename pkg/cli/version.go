package cli

import (
	"fmt"

	"github.com/spf13/cobra"
)

func newVersion(s *session) *cobra.Command {
	return &cobra.Command{
		Use:     "version",
		Short:   "Print the version of this program",
		Example: examples(`spock version`),
		Args:    positional(0, 0, "no argument"),
		RunE: ran(func(*cobra.Command, []string) error {
			_, err := fmt.Fprintln(s.Streams.Out, s.Version)
			return err
		}),
	}
}
