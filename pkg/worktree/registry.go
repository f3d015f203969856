package worktree

import (
	"context"
	"fmt"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"spock.dev/spock/pkg/registry"
)

// Registry keeps artifacts.
type Registry struct{ registry.Access }

// Push writes an artifact into a repository and returns its reference by digest. It has a tag
// too, so that a registry does not clean it away as nobody's.
func (r Registry) Push(ctx context.Context, image v1.Image, repository string) (string, error) {
	digest, err := image.Digest()
	if err != nil {
		return "", fmt.Errorf("pack the tree: %w", err)
	}
	tag, err := name.NewTag(repository+":tree-"+digest.Hex[:12], r.Names()...)
	if err != nil {
		return "", fmt.Errorf("repository %q: %w; write for example registry.example.com/team-a/trees", repository, err)
	}
	if err := remote.Write(tag, image, r.Requests(ctx)...); err != nil {
		return "", fmt.Errorf("push the tree to %s: %w", repository, err)
	}
	return tag.Context().Name() + "@" + digest.String(), nil
}

// Pull reads an artifact. A reference without a digest is refused: it could be another tree
// in each Task.
func (r Registry) Pull(ctx context.Context, reference string) (v1.Image, error) {
	ref, err := name.NewDigest(reference, r.Names()...)
	if err != nil {
		return nil, fmt.Errorf("source %q: %w; name it by digest, as spock pipeline run does", reference, err)
	}
	image, err := remote.Image(ref, r.Requests(ctx)...)
	if err != nil {
		return nil, fmt.Errorf("pull source %s: %w", reference, err)
	}
	return image, nil
}
