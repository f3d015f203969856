// Package worktree carries a working tree to where Tasks run, committed or not: as an OCI
// artifact with one layer, named by its digest. Git says what belongs to the tree; the same
// tree gives the same digest.
package worktree

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// Tree is a working tree as git knows it.
type Tree struct {
	// Dir is its root.
	Dir string
	// Commit that it stands on; empty before the first one.
	Commit string
	// Dirty says that it differs from its commit.
	Dirty bool
	// Remote is the address of origin, without credentials; empty when there is none.
	Remote string
	// Files that belong to it, below Dir, with slashes and in order: what is tracked, and what
	// is new and not ignored.
	Files []string
}

// Open reads the working tree that a directory belongs to.
func Open(ctx context.Context, dir string) (*Tree, error) {
	root, err := git(ctx, dir, "rev-parse", "--show-toplevel")
	if err != nil {
		return nil, fmt.Errorf("working tree %s: git has to know what belongs to it: %w", dir, err)
	}
	t := &Tree{Dir: root}
	listed, err := git(ctx, root, "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	if err != nil {
		return nil, fmt.Errorf("list the files of %s: %w", root, err)
	}
	if t.Files, err = present(root, strings.Split(listed, "\x00")); err != nil {
		return nil, err
	}
	changes, err := git(ctx, root, "status", "--porcelain")
	if err != nil {
		return nil, fmt.Errorf("compare %s with its commit: %w", root, err)
	}
	t.Dirty = changes != ""
	if commit, err := git(ctx, root, "rev-parse", "--verify", "--quiet", "HEAD"); err == nil {
		t.Commit = commit
	}
	if remote, err := git(ctx, root, "remote", "get-url", "origin"); err == nil {
		t.Remote = withoutCredentials(remote)
	}
	return t, nil
}

// present are the files that are there: what was deleted and not committed is still listed.
func present(root string, names []string) ([]string, error) {
	var all []string
	for _, name := range names {
		if name == "" {
			continue
		}
		info, err := os.Lstat(filepath.Join(root, filepath.FromSlash(name)))
		switch {
		case os.IsNotExist(err):
			continue
		case err != nil:
			return nil, fmt.Errorf("look at %s: %w", name, err)
		case info.IsDir():
			return nil, fmt.Errorf("%s is a repository of its own, and a working tree is carried without those; vendor it, or push and run from the commit", name)
		case !info.Mode().IsRegular() && info.Mode().Type() != fs.ModeSymlink:
			return nil, fmt.Errorf("%s is neither a file nor a link; tell git to ignore it", name)
		}
		all = append(all, name)
	}
	slices.Sort(all)
	return slices.Compact(all), nil
}

// withoutCredentials hides what a URL says of its user; other addresses hold no password.
func withoutCredentials(address string) string {
	u, err := url.Parse(address)
	if err != nil || u.User == nil || u.Scheme == "ssh" {
		return address
	}
	u.User = nil
	return u.String()
}

func git(ctx context.Context, dir string, args ...string) (string, error) {
	var said bytes.Buffer
	cmd := exec.CommandContext(ctx, "git", append([]string{"-C", dir}, args...)...)
	cmd.Stderr = &said
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("git %s: %w: %s", args[0], err, strings.TrimSpace(said.String()))
	}
	return strings.TrimRight(string(out), "\n"), nil
}
