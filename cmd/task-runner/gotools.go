package main

import (
	"fmt"
	"path/filepath"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/task/step"
	"spock.dev/spock/pkg/task/toolchain"
)

// goTools are the flags of the subcommands that call the Go toolchain.
type goTools struct {
	subdirectory, cache, scratch string
	proxy, sumDB, flags          string
	// image is a directory of the image to run in instead of the sources.
	image string
}

func (g *goTools) register(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&g.subdirectory, "subdirectory", "", "directory of the Go module below the workspace")
	f.StringVar(&g.cache, "cache", "", "directory of the Go caches")
	f.StringVar(&g.scratch, "scratch-cache", "", "directory of the Go caches when --cache is empty")
	f.StringVar(&g.proxy, "goproxy", "", "GOPROXY; Go's own default when empty")
	f.StringVar(&g.sumDB, "gosumdb", "", "GOSUMDB; Go's own default when empty")
	f.StringVar(&g.flags, "goflags", "", "GOFLAGS")
}

func (g *goTools) toolchain(cmd *cobra.Command, t *step.Step) (toolchain.Toolchain, error) {
	directory, err := t.Source(g.subdirectory)
	if err != nil {
		return toolchain.Toolchain{}, err
	}
	if g.image != "" {
		if !filepath.IsAbs(g.image) {
			return toolchain.Toolchain{}, fmt.Errorf("directory %q: it is one of the image; begin it with /", g.image)
		}
		directory = g.image
	}
	cache := g.cache
	if cache == "" {
		cache = g.scratch
	}
	if cache != "" {
		cache = filepath.Join(cache, "go")
	}
	return toolchain.Toolchain{
		Directory: directory, Cache: cache, Proxy: g.proxy, SumDB: g.sumDB, Flags: g.flags, Log: cmd.ErrOrStderr(),
	}, nil
}
