package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"
	"github.com/spf13/cobra/doc"
)

func newMan(s *session) *cobra.Command {
	return &cobra.Command{
		Use:   "man DIRECTORY",
		Short: "Write the manual pages of all commands",
		Long: `Write a manual page for each command into a directory, which is made where it is not there:
section 1, as man(1) finds them below share/man/man1.`,
		Example: examples(`spock man ~/.local/share/man/man1`),
		Args:    positional(1, 1, "the DIRECTORY to write to"),
		RunE: ran(func(cmd *cobra.Command, args []string) error {
			if err := os.MkdirAll(args[0], 0o755); err != nil {
				return fmt.Errorf("make the directory of the manual pages: %w", err)
			}
			// The same version gives the same pages: the day they are written on is left out.
			root := cmd.Root()
			root.DisableAutoGenTag = true
			if err := doc.GenManTree(root, &doc.GenManHeader{Section: "1", Source: s.Version, Manual: "Spock"}, args[0]); err != nil {
				return fmt.Errorf("write the manual pages: %w", err)
			}
			return nil
		}),
	}
}
