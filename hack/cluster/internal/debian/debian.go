// Package debian makes file trees of Debian packages: one minimal base, and for
// each set of packages the difference that installing them on it makes. Trees
// are made with debootstrap and apt in a private mount namespace, so that an
// interrupted run leaves no mount behind.
package debian

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"spock.dev/spock/hack/cluster/internal/cache"
	"spock.dev/spock/hack/cluster/internal/host"
)

// Suite is the Debian release of all images.
const Suite = "bookworm"

// baseIncludes are the packages of the base beside the essential ones.
const baseIncludes = "ca-certificates"

//go:embed install.sh
var installScript string

//go:embed offer.sh
var offerScript string

// BaseKey identifies the content of the base tree.
func BaseKey() string { return cache.Key("minbase 1", Suite, baseIncludes) }

// Base returns the folder of the minimal tree.
func Base(ctx context.Context, c cache.Cache, say func(string, ...any)) (string, error) {
	dir, err := c.Ensure("debian-base", BaseKey(), func(dir string) error {
		mirror, err := mirror(ctx)
		if err != nil {
			return err
		}
		say("making a Debian base tree, about a minute")
		cmd := exec.CommandContext(ctx, "debootstrap", "--variant=minbase", "--include="+baseIncludes, Suite, filepath.Join(dir, "root"), mirror)
		_, err = host.Run(host.Tied(cmd))
		return err
	})
	return filepath.Join(dir, "root"), err
}

// Diff is a set of packages, and scripts that run before they are installed (to fix
// user ids, for example) and after it.
type Diff struct {
	Name     string
	Packages string
	Before   string
	After    string
	// On is the difference that this one adds to; nil where that is the base itself.
	On *Diff
}

// Offer is what makes a tree offer some packages: it has them and all they depend on in a
// repository of its own, which is all that its apt knows.
func Offer(on Diff, packages string) Diff {
	return Diff{Name: on.Name + "-offers", After: "packages='" + packages + "'\n" + offerScript, On: &on}
}

// Key identifies the content of the difference.
func (d Diff) Key() string {
	below := BaseKey()
	if d.On != nil {
		below = d.On.Key()
	}
	return cache.Key(below, installScript, d.Packages, d.Before, d.After)
}

// Install returns the folder with what installing the packages adds to the base: a folder, or
// several, the uppermost first and with colons between.
func (d Diff) Install(ctx context.Context, c cache.Cache, base string, say func(string, ...any)) (string, error) {
	dir, err := c.Ensure("debian-"+d.Name, d.Key(), func(dir string) error {
		say("installing Debian packages for %s", d.Name)
		return d.install(ctx, base, dir)
	})
	return filepath.Join(dir, "upper"), err
}

func (d Diff) install(ctx context.Context, base, dir string) error {
	upper, work, merged := filepath.Join(dir, "upper"), filepath.Join(dir, "work"), filepath.Join(dir, "merged")
	for _, p := range []string{upper, work, merged} {
		if err := os.MkdirAll(p, 0o755); err != nil {
			return fmt.Errorf("creating a tree: %w", err)
		}
	}
	cmd := exec.CommandContext(ctx, "sh", "-euc", installScript, "install", base, upper, work, merged, d.Before, d.Packages, d.After)
	_, err := host.Run(host.Tied(cmd))
	return err
}

// mirror returns the address that the machine's own apt uses for the release.
func mirror(ctx context.Context) (string, error) {
	out, err := host.Output(ctx, "apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)", "Created-By: Packages")
	if err != nil {
		return "", fmt.Errorf("asking apt for its sources: %w", err)
	}
	return pickMirror(out)
}

func pickMirror(targets string) (string, error) {
	for line := range strings.Lines(targets) {
		f := strings.Fields(line)
		if len(f) == 3 && f[1] == Suite && f[2] == "main" {
			return f[0], nil
		}
	}
	return "", fmt.Errorf("apt has no source for Debian %s (main): add one, the images of the local cluster are made of it", Suite)
}
