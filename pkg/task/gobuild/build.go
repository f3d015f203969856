package gobuild

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"golang.org/x/sync/errgroup"

	"spock.dev/spock/pkg/task/toolchain"
)

// Request is what to build, and where it goes.
type Request struct {
	// Packages are import paths or patterns of go.
	Packages []string
	// Repository is the prefix of the images: repository/NAME:Tag.
	Repository, Tag string
	// Base replaces the default base image of .ko.yaml.
	Base string
	// Platform is os/architecture; Linux on this machine's architecture when empty.
	Platform string
}

// Image is a published image.
type Image struct {
	// Service is the short name of its command.
	Service string
	// Reference is the repository with the digest.
	Reference string
}

// Run lists, compiles, assembles and publishes, and returns the images in the order of
// the packages. Each step tells about itself in the log of the toolchain.
func Run(ctx context.Context, tools toolchain.Toolchain, registry Registry, request Request) ([]Image, error) {
	platform, err := ParsePlatform(request.Platform, Platform{OS: "linux", Architecture: runtime.GOARCH})
	if err != nil {
		return nil, err
	}
	config, err := ReadConfig(tools.Directory)
	if err != nil {
		return nil, err
	}
	packages, err := list(ctx, tools, request.Packages)
	if err != nil {
		return nil, err
	}
	output, err := os.MkdirTemp("", "build-")
	if err != nil {
		return nil, fmt.Errorf("make a place for the binaries: %w", err)
	}
	defer os.RemoveAll(output)
	if err := compile(ctx, tools, config, packages, platform, output); err != nil {
		return nil, err
	}
	p := publisher{tools: tools, registry: registry, request: request, config: config, platform: platform, output: output}
	return p.publish(ctx, packages)
}

func list(ctx context.Context, tools toolchain.Toolchain, words []string) ([]Package, error) {
	patterns, err := Patterns(words)
	if err != nil {
		return nil, err
	}
	if len(patterns) == 0 {
		return nil, fmt.Errorf("packages: there is none; name import paths or a pattern such as ./cmd/...")
	}
	out, err := tools.Go(ctx, ListArgs(patterns), nil)
	if err != nil {
		return nil, err
	}
	return Mains(bytes.NewReader(out))
}

func compile(ctx context.Context, tools toolchain.Toolchain, config Config, packages []Package, platform Platform, output string) error {
	root, err := filepath.EvalSymlinks(tools.Directory)
	if err != nil {
		return fmt.Errorf("find the sources: %w", err)
	}
	facts := map[string]any{"Env": environ(), "Git": tools.Commit(ctx)}
	settings := func(p Package) (Settings, error) { return config.Settings(root, p, facts) }
	plan, err := Plan(packages, settings, platform, output)
	if err != nil {
		return err
	}
	for _, call := range plan {
		for _, p := range call.Packages {
			fmt.Fprintf(tools.Log, "compile %s for %s/%s\n", p.ImportPath, platform.OS, platform.Architecture)
		}
		if _, err := tools.Go(ctx, call.Args, call.Env); err != nil {
			return err
		}
	}
	return nil
}

type publisher struct {
	tools    toolchain.Toolchain
	registry Registry
	request  Request
	config   Config
	platform Platform
	output   string
}

// publish pushes a few images at a time: each holds its binary in memory.
func (p publisher) publish(ctx context.Context, packages []Package) ([]Image, error) {
	bases, err := p.bases(ctx, packages)
	if err != nil {
		return nil, err
	}
	images := make([]Image, len(packages))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(2)
	for i, command := range packages {
		group.Go(func() error {
			reference, err := p.one(ctx, command, bases[p.config.Base(command.ImportPath, p.request.Base)])
			images[i] = Image{Service: command.Service(), Reference: reference}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	for _, image := range images {
		fmt.Fprintf(p.tools.Log, "pushed %s\n", image.Reference)
	}
	return images, nil
}

type base struct {
	image        v1.Image
	name, digest string
}

func (p publisher) bases(ctx context.Context, packages []Package) (map[string]base, error) {
	out := map[string]base{}
	for _, command := range packages {
		reference := p.config.Base(command.ImportPath, p.request.Base)
		if reference == "" {
			return nil, fmt.Errorf("base image of %s: none is named; set the param baseImage, or defaultBaseImage in .ko.yaml", command.ImportPath)
		}
		if _, known := out[reference]; known {
			continue
		}
		image, digest, err := p.registry.Base(ctx, reference, p.platform)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(p.tools.Log, "base %s@%s\n", reference, digest)
		out[reference] = base{image: image, name: reference, digest: digest}
	}
	return out, nil
}

func (p publisher) one(ctx context.Context, command Package, from base) (string, error) {
	origin := Origin{Base: from.name, BaseDigest: from.digest}
	image, err := Assemble(from.image, command, Binary(p.output, command), origin)
	if err != nil {
		return "", err
	}
	return p.registry.Publish(ctx, image, p.request.Repository, command.Service(), p.request.Tag)
}

func environ() map[string]string {
	out := map[string]string{}
	for _, entry := range os.Environ() {
		name, value, _ := strings.Cut(entry, "=")
		out[name] = value
	}
	return out
}
