package worktree

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Registry keeps artifacts, with the credentials of the Docker configuration of the user it
// is asked as.
type Registry struct {
	// Insecure allows plain HTTP.
	Insecure bool
}

// Push writes an artifact into a repository and returns its reference by digest. It has a tag
// too, so that a registry does not clean it away as nobody's.
func (r Registry) Push(ctx context.Context, image v1.Image, repository string) (string, error) {
	digest, err := image.Digest()
	if err != nil {
		return "", fmt.Errorf("pack the tree: %w", err)
	}
	tag, err := name.NewTag(repository+":tree-"+digest.Hex[:12], r.options()...)
	if err != nil {
		return "", fmt.Errorf("repository %q: %w; write for example registry.example.com/team-a/trees", repository, err)
	}
	if err := remote.Write(tag, image, remoteOptions(ctx)...); err != nil {
		return "", fmt.Errorf("push the tree to %s: %w", repository, err)
	}
	return tag.Context().Name() + "@" + digest.String(), nil
}

// Pull reads an artifact. A reference without a digest is refused: it could be another tree
// in each Task.
func (r Registry) Pull(ctx context.Context, reference string) (v1.Image, error) {
	ref, err := name.NewDigest(reference, r.options()...)
	if err != nil {
		return nil, fmt.Errorf("source %q: %w; name it by digest, as spock pipeline run does", reference, err)
	}
	image, err := remote.Image(ref, remoteOptions(ctx)...)
	if err != nil {
		return nil, fmt.Errorf("pull source %s: %w", reference, err)
	}
	return image, nil
}

func (r Registry) options() []name.Option {
	if r.Insecure {
		return []name.Option{name.Insecure}
	}
	return nil
}

func remoteOptions(ctx context.Context) []remote.Option {
	return []remote.Option{
		remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain), remote.WithUserAgent("spock"), remote.WithTransport(transport()),
	}
}

// transport knows that names below localhost are this machine (RFC 6761, section 6.3), which
// not every resolver does.
func transport() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		host, port, err := net.SplitHostPort(address)
		if err == nil && strings.HasSuffix(host, ".localhost") && unknown(ctx, host) {
			address = net.JoinHostPort("localhost", port)
		}
		return new(net.Dialer).DialContext(ctx, network, address)
	}
	return t
}

func unknown(ctx context.Context, host string) bool {
	_, err := net.DefaultResolver.LookupHost(ctx, host)
	return err != nil
}
