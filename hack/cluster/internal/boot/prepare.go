package boot

import (
	"context"
	"fmt"
	"os/exec"
	"path/filepath"
	"strings"

	"golang.org/x/sync/errgroup"

	"spock.dev/spock/hack/cluster/internal/build"
	"spock.dev/spock/hack/cluster/internal/cache"
	"spock.dev/spock/hack/cluster/internal/content"
	"spock.dev/spock/hack/cluster/internal/host"
	"spock.dev/spock/hack/cluster/internal/store"
	"spock.dev/spock/hack/cluster/internal/tekton"
)

// parts is everything a cluster is made of; all of it comes from the cache.
type parts struct {
	programs  build.Programs
	images    []content.Made
	store     string
	manifests string
	modules   string // the Go module cache's download folder
}

// prepare makes what the cache lacks. Debian trees wait for the network and the
// disk, the build for the processors; so they go side by side.
func (c *Cluster) prepare(ctx context.Context) (*parts, error) {
	kept, err := cache.Open()
	if err != nil {
		return nil, err
	}
	p := &parts{}
	group, inner := errgroup.WithContext(ctx)
	group.Go(func() (err error) {
		p.programs, err = build.All(inner, kept, c.Root, c.Say)
		return err
	})
	group.Go(func() error { return content.Prepare(inner, kept, c.Say) })
	if err := group.Wait(); err != nil {
		return nil, err
	}
	if p.images, err = content.All(ctx, kept, p.programs, c.Say); err != nil {
		return nil, err
	}
	if p.store, err = store.Ensure(ctx, kept, p.images, c.Say); err != nil {
		return nil, err
	}
	if p.manifests, err = tekton.Manifests(ctx, kept, c.Root); err != nil {
		return nil, err
	}
	p.modules, err = moduleDownloads(ctx)
	return p, err
}

// Kubebox is the program that holds etcd and Kubernetes, made when the cache lacks it.
// It needs no cluster, and no rights.
func (c *Cluster) Kubebox(ctx context.Context) (string, error) {
	made, err := c.some(ctx, "kubebox")
	return made.Path("kubebox", "kubebox"), err
}

// Programs tells, as KEY=VALUE lines, where a control plane, Tekton and tkn are that can
// run as plain processes. Like Kubebox it needs no rights, and builds nothing that `up`
// would build again.
func (c *Cluster) Programs(ctx context.Context) (string, error) {
	made, err := c.some(ctx, "kubebox", "pipeline", "tkn")
	if err != nil {
		return "", err
	}
	kept, err := cache.Open()
	if err != nil {
		return "", err
	}
	manifests, err := tekton.Manifests(ctx, kept, c.Root)
	return fmt.Sprintf("KUBEBOX=%s\nTEKTON=%s\nTKN=%s\nTEKTON_MANIFESTS=%s",
		made.Path("kubebox", "kubebox"), made["pipeline"], made.Path("tkn", "tkn"), manifests), err
}

// some are programs from the cache.
func (c *Cluster) some(ctx context.Context, sets ...string) (build.Programs, error) {
	kept, err := cache.Open()
	if err != nil {
		return nil, err
	}
	return build.Some(ctx, kept, c.Root, c.Say, sets...)
}

// moduleDownloads is the folder that, served over HTTP, is a module proxy.
func moduleDownloads(ctx context.Context) (string, error) {
	out, err := host.Run(exec.CommandContext(ctx, "go", "env", "GOMODCACHE"))
	if err != nil {
		return "", fmt.Errorf("finding the Go module cache: %w", err)
	}
	return filepath.Join(strings.TrimSpace(out), "cache", "download"), nil
}
