//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

var fence = regexp.MustCompile("(?s)```(yaml|sh)\n(.*?)```")

// The tour of the README is followed to the letter, in a namespace of its own. A comment
// behind a command that asks something is the answer; `...` stands for any text.
func TestTheTourOfTheREADME(t *testing.T) {
	t.Parallel()
	needsNode(t, "nothing answers at a URL")
	l := newLab(t)
	l.setting(t, "INGRESS_PORT")
	readme, err := os.ReadFile(root + "/README.md")
	l.must(err)
	_, tour, _ := strings.Cut(string(readme), "## Two minutes")
	var yaml, commands string
	for _, block := range fence.FindAllStringSubmatch(tour, -1) {
		if block[1] == "yaml" {
			yaml = block[2]
		} else {
			commands = block[2]
		}
	}
	if yaml == "" || commands == "" {
		t.Fatalf("the tour has no yaml or no commands:\n%s", tour)
	}
	file := t.TempDir() + "/hello.yaml"
	l.must(os.WriteFile(file, []byte(yaml), 0o600))
	here := strings.NewReplacer("team-a", l.name, "--class dev", "--class "+l.name, "hello.yaml", file,
		".dev.localhost:8080", "."+l.domain())
	for _, line := range strings.Split(commands, "\n") {
		command, comment, _ := strings.Cut(line, "  #")
		if command = strings.TrimSpace(command); command != "" && !strings.HasPrefix(command, "export ") && !strings.HasPrefix(command, "kubectl create namespace") {
			l.follow(here.Replace(command), strings.TrimSpace(comment))
		}
	}
}

// follow runs one command of the tour. What asks is asked until the answer is right, for
// an ingress learns of a change a moment later.
func (l *lab) follow(command, comment string) {
	l.Helper()
	asks := strings.HasPrefix(command, "curl ") || strings.HasPrefix(command, "spock env why ")
	if !asks {
		_, err := l.tool("", "bash", "-c", command)
		// The tour shows one image that does not exist.
		if wrong := strings.Contains(command, "busybox:2"); (err != nil) != wrong {
			l.Fatalf("%s: %v, want an error: %t", command, err, wrong)
		}
		return
	}
	pattern := regexp.MustCompile(strings.ReplaceAll(regexp.QuoteMeta(comment), `\.\.\.`, ".*"))
	l.eventually(20*time.Second, func(context.Context) string {
		out, _ := l.tool("", "bash", "-c", strings.Replace(command, "curl ", "curl -sS -m 5 ", 1))
		if pattern.MatchString(out) {
			return ""
		}
		return fmt.Sprintf("%s answers %q, want %q", command, out, comment)
	})
}
