package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
)

// docs is where the pages about the commands are, one per command.
const docs = "../../docs/cli"

// TestDocs keeps docs/cli as the commands are: go test ./pkg/cli -run Docs -update.
func TestDocs(t *testing.T) {
	t.Parallel()
	root := New(Config{Name: "spock"})
	var want []string
	var visit func(*cobra.Command)
	visit = func(cmd *cobra.Command) {
		want = append(want, page(cmd))
		same(t, filepath.Join(docs, page(cmd)), document(cmd))
		for _, sub := range cmd.Commands() {
			visit(sub)
		}
	}
	visit(root)
	files, err := os.ReadDir(docs)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, f := range files {
		got = append(got, f.Name())
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("pages of %s (-of commands +there):\n%s", docs, diff)
	}
}

func page(cmd *cobra.Command) string {
	return strings.ReplaceAll(cmd.CommandPath(), " ", "_") + ".md"
}

// document is the page of a command, in Markdown.
func document(cmd *cobra.Command) string {
	var out strings.Builder
	say := func(format string, args ...any) { fmt.Fprintf(&out, format+"\n", args...) }
	say("<!-- Made from the command itself: go test ./pkg/cli -run Docs -update -->\n# %s\n", cmd.CommandPath())
	text := cmd.Long
	if text == "" {
		text = cmd.Short + "."
	}
	say("%s\n", text)
	say("```\n%s\n```\n", cmd.UseLine())
	say("Examples:\n\n```\n%s\n```", strings.ReplaceAll(strings.TrimPrefix(cmd.Example, "  "), "\n  ", "\n"))
	if flags := strings.TrimRight(cmd.LocalFlags().FlagUsages(), "\n"); flags != "" {
		say("\nFlags:\n\n```\n%s\n```", flags)
	}
	if cmd.HasAvailableInheritedFlags() {
		say("\nFlags of all commands: see [%s](%s).", cmd.Root().CommandPath(), page(cmd.Root()))
	}
	if cmd.HasSubCommands() {
		say("\nCommands:\n")
	}
	for _, sub := range cmd.Commands() {
		say("- [%s](%s): %s", sub.CommandPath(), page(sub), sub.Short)
	}
	return out.String()
}
