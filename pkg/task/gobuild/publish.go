package gobuild

import (
	"context"
	"fmt"
	"path"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"spock.dev/spock/pkg/registry"
)

// Registry pulls bases and pushes images, with the credentials of the Docker
// configuration of the user it runs as.
type Registry struct{ registry.Access }

// Base fetches the base image for the platform, and the digest it has now.
func (r Registry) Base(ctx context.Context, reference string, platform Platform) (v1.Image, string, error) {
	ref, err := name.ParseReference(reference, r.Names()...)
	if err != nil {
		return nil, "", fmt.Errorf("base image %s: %w", reference, err)
	}
	image, err := remote.Image(ref, append(r.Requests(ctx), remote.WithPlatform(v1.Platform{OS: platform.OS, Architecture: platform.Architecture}))...)
	if err != nil {
		return nil, "", fmt.Errorf("fetch base image %s: %w", reference, err)
	}
	digest, err := image.Digest()
	if err != nil {
		return nil, "", fmt.Errorf("fetch base image %s: %w", reference, err)
	}
	return image, digest.String(), nil
}

// Publish pushes the image as repository/service:tag and returns its reference by digest.
func (r Registry) Publish(ctx context.Context, image v1.Image, repository, service, tag string) (string, error) {
	ref, err := name.NewTag(path.Join(repository, service)+":"+tag, r.Names()...)
	if err != nil {
		return "", fmt.Errorf("image of %s: %w", service, err)
	}
	if err := remote.Write(ref, image, r.Requests(ctx)...); err != nil {
		return "", fmt.Errorf("push %s: %w", ref, err)
	}
	digest, err := image.Digest()
	if err != nil {
		return "", fmt.Errorf("push %s: %w", ref, err)
	}
	return ref.Context().Name() + "@" + digest.String(), nil
}
