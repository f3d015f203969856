package docs

import (
	"regexp"
	"strings"
	"testing"

	"spock.dev/spock/pkg/cli"
)

var (
	// comment ends a line of a shell.
	comment = regexp.MustCompile(`(^|\s)#.*$`)
	// next separates the commands of a line.
	next = regexp.MustCompile(`&&|\|\||[;|]`)
)

// commands are the calls of spock in the shell blocks of a page.
func commands(p page) []string {
	var all []string
	for _, b := range p.blocks {
		if b.language != "sh" && b.language != "console" {
			continue
		}
		for _, line := range strings.Split(strings.ReplaceAll(b.text, "\\\n", " "), "\n") {
			line = strings.TrimPrefix(comment.ReplaceAllString(line, ""), "$ ")
			all = append(all, next.Split(line, -1)...)
		}
	}
	return calls(all)
}

// mentions are the commands of spock that the prose of a page names, with arguments or
// without.
func mentions(p page) []string {
	var all []string
	for _, s := range span.FindAllString(p.prose, -1) {
		all = append(all, strings.Trim(s, "`"))
	}
	return calls(all)
}

func calls(all []string) []string {
	var out []string
	for _, c := range all {
		c = strings.TrimPrefix(strings.TrimSpace(c), "tkn ")
		if words := strings.Fields(c); len(words) > 1 && words[0] == "spock" {
			out = append(out, c)
		}
	}
	return out
}

// understood parses a call as the program would, and does not run it. bare allows the
// mere name of a command.
func understood(call string, bare bool) error {
	root := cli.New(cli.Config{Name: "spock"})
	root.InitDefaultCompletionCmd() // which is made when the program runs
	cmd, rest, err := root.Find(strings.Fields(call)[1:])
	if err != nil || bare && len(rest) == 0 {
		return err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return err
	}
	return cmd.ValidateArgs(cmd.Flags().Args())
}

func TestEveryCommandIsUnderstood(t *testing.T) {
	t.Parallel()
	seen := 0
	for _, p := range pages(t) {
		for _, call := range commands(p) {
			seen++
			if err := understood(call, false); err != nil {
				t.Errorf("%s: %s: %v", p.name, call, err)
			}
		}
		for _, call := range mentions(p) {
			if err := understood(call, true); err != nil {
				t.Errorf("%s: %s: %v", p.name, call, err)
			}
		}
	}
	if seen == 0 {
		t.Error("no page calls spock")
	}
}

func TestACommandThatIsNotThereIsFound(t *testing.T) {
	t.Parallel()
	for name, call := range map[string]string{
		"an unknown command":       "spock evn ls",
		"an unknown subcommand":    "spock env list-all",
		"an unknown flag":          "spock env up shop --colour",
		"an argument too many":     "spock env show a b",
		"a flag without its value": "spock env up shop --product",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if err := understood(call, true); err == nil {
				t.Errorf("%s is understood", call)
			}
		})
	}
}
