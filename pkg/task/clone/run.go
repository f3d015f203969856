package clone

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"spock.dev/spock/pkg/task/record"
)

// Clone is what was checked out.
type Clone struct {
	// Commit is the full id.
	Commit string
	// URL of the repository, as given.
	URL string
	// Committed is when the commit was made.
	Committed time.Time
}

// Git runs git with fixed words in its environment.
type Git struct {
	// Env is added to the process's own.
	Env []string
	// Log gets what git writes.
	Log io.Writer
}

// Run clones. It empties the directory first when asked to, and never anything above it.
func Run(ctx context.Context, git Git, o Options) (Clone, error) {
	if err := o.Validate(); err != nil {
		return Clone{}, err
	}
	if o.DeleteExisting {
		if err := empty(o.Directory()); err != nil {
			return Clone{}, err
		}
	}
	if err := os.MkdirAll(o.Directory(), 0o755); err != nil {
		return Clone{}, fmt.Errorf("make %s: %w", o.Directory(), err)
	}
	for _, command := range o.Commands() {
		if err := git.run(ctx, command); err != nil {
			return Clone{}, fmt.Errorf("clone %s: %w", o.URL, err)
		}
	}
	if err := exclude(o.Directory()); err != nil {
		return Clone{}, err
	}
	return describe(ctx, git, o)
}

func (g Git) run(ctx context.Context, command Command) error {
	_, err := g.output(ctx, command.Args)
	if err == nil || len(command.Otherwise) == 0 || ctx.Err() != nil {
		return err
	}
	for _, args := range command.Otherwise {
		if _, err := g.output(ctx, args); err != nil {
			return err
		}
	}
	return nil
}

func (g Git) output(ctx context.Context, args []string) (string, error) {
	var out, problem strings.Builder
	cmd := exec.CommandContext(ctx, "git", args...)
	cmd.Env = append(append(os.Environ(), "GIT_TERMINAL_PROMPT=0", "GIT_ALLOW_PROTOCOL=https:http:ssh:git:file"), g.Env...)
	cmd.Stdout, cmd.Stderr = &out, io.MultiWriter(&problem, g.Log)
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("git %s: %w: %s", verb(args), err, lastLine(problem.String()))
	}
	return strings.TrimSpace(out.String()), nil
}

func describe(ctx context.Context, git Git, o Options) (Clone, error) {
	out, err := git.output(ctx, o.in("log", "-1", "--format=%H %cI"))
	if err != nil {
		return Clone{}, fmt.Errorf("describe the checkout of %s: %w", o.URL, err)
	}
	commit, date, _ := strings.Cut(out, " ")
	committed, err := time.Parse(time.RFC3339, date)
	if err != nil {
		return Clone{}, fmt.Errorf("describe the checkout of %s: %w", o.URL, err)
	}
	return Clone{Commit: commit, URL: o.URL, Committed: committed}, nil
}

// exclude keeps the records that tasks leave in the workspace out of git's sight: a build
// would otherwise be marked as made from modified sources.
func exclude(directory string) error {
	path := filepath.Join(directory, ".git", "info", "exclude")
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("exclude %s from git: %w", record.Directory, err)
	}
	if err := os.WriteFile(path, []byte("/"+record.Directory+"/\n"), 0o644); err != nil {
		return fmt.Errorf("exclude %s from git: %w", record.Directory, err)
	}
	return nil
}

// empty removes what is in a directory and keeps the directory: it may be a mount.
func empty(directory string) error {
	entries, err := os.ReadDir(directory)
	if errors.Is(err, os.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("empty %s: %w", directory, err)
	}
	for _, entry := range entries {
		if err := os.RemoveAll(filepath.Join(directory, entry.Name())); err != nil {
			return fmt.Errorf("empty %s: %w", directory, err)
		}
	}
	return nil
}

// verb is the command among the settings in front of it.
func verb(args []string) string {
	for i := 0; i < len(args); i++ {
		switch args[i] {
		case "-C", "-c":
			i++
		default:
			return args[i]
		}
	}
	return ""
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}
