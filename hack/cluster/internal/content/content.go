// Package content lists the images of a cluster and makes those that are not in
// the cache. Some lie in containerd's store from the start, so that pods start
// without a pull; some in the registry, for tools that build on them; some in both.
package content

import (
	"context"
	"fmt"
	"strings"

	"spock.dev/spock/hack/cluster/internal/build"
	"spock.dev/spock/hack/cluster/internal/cache"
	"spock.dev/spock/hack/cluster/internal/images"
)

// PodRegistry prefixes the images that the registry has as well.
const PodRegistry = "registry.localhost:5000/"

// NodeOnly prefixes the images that exist on the node alone.
const NodeOnly = "node.local/"

// Fixed names.
const (
	Pause   = NodeOnly + "pause:1"
	Ingress = NodeOnly + "skipper:v0.22.0"
	Busybox = PodRegistry + "busybox:1"
)

// Tekton is the image of one of Tekton's programs.
func Tekton(set, program string) string {
	return fmt.Sprintf("%stekton-%s-%s:1", NodeOnly, set, program)
}

// Made is an image that is ready in the cache.
type Made struct {
	Ref    string
	Key    string
	Layout string // folder with the OCI layout
	Store  bool   // preload it into containerd
}

// InRegistry returns the repository and tag under which the registry has the
// image, if it has it.
func (m Made) InRegistry() (repo, tag string, ok bool) {
	rest, ok := strings.CutPrefix(m.Ref, PodRegistry)
	repo, tag, _ = strings.Cut(rest, ":")
	return repo, tag, ok
}

// recipe is an image that may have to be made.
type recipe struct {
	ref    string
	layers []layer
	config func(*images.Image)
	store  bool
}

// All makes the images that are not in the cache and returns all of them.
func All(ctx context.Context, c cache.Cache, programs build.Programs, say func(string, ...any)) ([]Made, error) {
	m := &maker{ctx: ctx, cache: c, programs: programs, say: say}
	recipes, err := m.recipes()
	if err != nil {
		return nil, err
	}
	var out []Made
	for _, r := range recipes {
		made, err := m.image(r)
		if err != nil {
			return nil, fmt.Errorf("making image %s: %w", r.ref, err)
		}
		out = append(out, made)
	}
	return out, nil
}

// Prepare makes the layers that need no built program; it can run beside the build.
func Prepare(ctx context.Context, c cache.Cache, say func(string, ...any)) error {
	m := &maker{ctx: ctx, cache: c, say: say}
	recipes, err := m.recipes()
	if err != nil {
		return err
	}
	for _, r := range recipes {
		for _, l := range r.layers {
			if !l.early {
				continue
			}
			if _, err := m.layer(l); err != nil {
				return fmt.Errorf("making layer %s: %w", l.name, err)
			}
		}
	}
	return nil
}

type maker struct {
	ctx      context.Context
	cache    cache.Cache
	programs build.Programs
	say      func(string, ...any)
}

func (m *maker) image(r recipe) (Made, error) {
	img := images.Image{Ref: r.ref}
	r.config(&img)
	parts := []string{"image 1", r.ref, fmt.Sprintf("%+v", img.Config)}
	for _, l := range r.layers {
		parts = append(parts, l.key)
	}
	made := Made{Ref: r.ref, Key: cache.Key(parts...), Store: r.store}
	var err error
	made.Layout, err = m.cache.Ensure("image-"+fileName(r.ref), made.Key, func(dir string) error {
		for _, l := range r.layers {
			file, err := m.layer(l)
			if err != nil {
				return err
			}
			img.Layers = append(img.Layers, file)
		}
		m.say("making image %s", r.ref)
		return images.Write(dir, img)
	})
	return made, err
}

func fileName(ref string) string {
	return strings.NewReplacer("/", "-", ":", "-").Replace(strings.TrimPrefix(strings.TrimPrefix(ref, PodRegistry), NodeOnly))
}
