// Package dockerfile builds an image as a Dockerfile says and pushes it: buildah does it,
// in a user namespace of its own, for a user without any privilege.
package dockerfile

import (
	"fmt"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Request is what to build, and where it goes.
type Request struct {
	// Source is the folder with the sources. Nothing outside it is read.
	Source string
	// Context and File are the folder that is sent to the build and the Dockerfile,
	// below Source.
	Context, File string
	// Target is the stage to build; the last when empty.
	Target string
	// Arguments are NAME=VALUE for the Dockerfile's ARG.
	Arguments []string
	// Image is where the image goes, without a tag.
	Image, Tag string
	// Service that runs the image; the last element of Image when empty.
	Service string
	// Cache is a repository in which layers are kept from run to run; none when empty.
	Cache string
	// Created is when image and files say that they were made, in seconds since 1970.
	Created int64
	// Insecure allows plain HTTP to the registries.
	Insecure bool
}

var (
	argument = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*=`)
	stage    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]*$`)
)

// inside returns a path below the sources as it is once every link is followed, and
// refuses one that leads out of them: a repository must not show files of the pod.
func (r Request) inside(what, below string) (string, error) {
	if !filepath.IsLocal(filepath.Join(".", below)) {
		return "", fmt.Errorf("%s %q leaves the sources; name a path below them", what, below)
	}
	source, err := filepath.EvalSymlinks(r.Source)
	if err != nil {
		return "", fmt.Errorf("find the sources: %w", err)
	}
	at, err := filepath.EvalSymlinks(filepath.Join(source, below))
	if err != nil {
		return "", fmt.Errorf("find %s %q: %w", what, below, err)
	}
	if rel, err := filepath.Rel(source, at); err != nil || !filepath.IsLocal(rel) {
		return "", fmt.Errorf("%s %q leads out of the sources by a link", what, below)
	}
	return at, nil
}

// destination is the tag to push to.
func (r Request) destination() (name.Tag, error) {
	tag, err := name.NewTag(r.Image+":"+r.Tag, name.WeakValidation)
	if err != nil || strings.Contains(path.Base(r.Image), ":") {
		return tag, fmt.Errorf("image %q with tag %q: write a repository such as registry.example.com/shop/web, and a tag: %w", r.Image, r.Tag, err)
	}
	return tag, nil
}

func (r Request) service() string {
	if r.Service != "" {
		return r.Service
	}
	return path.Base(r.Image)
}

// arguments are those of buildah for the build.
func (r Request) arguments() ([]string, error) {
	context, err := r.inside("context", r.Context)
	if err != nil {
		return nil, err
	}
	file, err := r.inside("dockerfile", r.File)
	if err != nil {
		return nil, err
	}
	out := []string{
		"build", "--isolation=chroot", "--format=oci", fmt.Sprintf("--tls-verify=%t", !r.Insecure),
		fmt.Sprintf("--timestamp=%d", r.Created), fmt.Sprintf("--layers=%t", r.Cache != ""), "--tag=" + built, "--file=" + file,
	}
	if r.Cache != "" {
		out = append(out, "--cache-from="+r.Cache, "--cache-to="+r.Cache)
	}
	if r.Target != "" {
		if !stage.MatchString(r.Target) {
			return nil, fmt.Errorf("target %q is no name of a stage", r.Target)
		}
		out = append(out, "--target="+r.Target)
	}
	for _, a := range r.Arguments {
		if !argument.MatchString(a) {
			return nil, fmt.Errorf("build argument %q: write NAME=VALUE", a)
		}
		out = append(out, "--build-arg="+a)
	}
	return append(out, "--", context), nil
}
