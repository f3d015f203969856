// Package artifact brings OCI artifacts from their registries: by digest, which is
// verified, no larger than they may be, and in the background, so that nobody who decides
// something waits for a registry. It does not unpack or understand what it brings;
// pkg/source does.
package artifact

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"spock.dev/spock/pkg/source"
)

const (
	// MaxBytes is the most that an artifact may take in its registry.
	MaxBytes = 10 << 20
	// maxLayers of an artifact.
	maxLayers = 500
	// patience is how long a registry may take for all of an artifact.
	patience = time.Minute
)

// Annotations of layers that oras writes.
const (
	titleOf  = "org.opencontainers.image.title"
	packedOf = "io.deis.oras.content.unpack"
)

// Fetch reads the layers of an artifact. The error is a *Failure.
func Fetch(ctx context.Context, wanted source.Artifact, keys authn.Keychain) ([]source.Layer, error) {
	ref, err := wanted.Reference()
	if err != nil {
		return nil, unusable(err)
	}
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	left := &allowance{bytes: MaxBytes}
	puller, err := remote.NewPuller(remote.WithAuthFromKeychain(keys), remote.WithTransport(&bounded{inner: brisk, left: left}),
		remote.WithRetryBackoff(remote.Backoff{Steps: 1}), remote.WithUserAgent("spock"))
	if err != nil {
		return nil, failed(ref, err)
	}
	found, err := puller.Get(ctx, ref)
	if err != nil {
		return nil, failed(ref, err)
	}
	manifest, err := v1.ParseManifest(bytes.NewReader(found.Manifest))
	if err != nil || len(manifest.Layers) == 0 {
		return nil, notAnArtifact(ref, string(found.MediaType))
	}
	if err := fits(ref, manifest); err != nil {
		return nil, err
	}
	layers := make([]source.Layer, 0, len(manifest.Layers))
	for _, layer := range manifest.Layers {
		data, err := read(ctx, puller, ref.Context().Digest(layer.Digest.String()))
		if err != nil {
			return nil, failed(ref, err)
		}
		layers = append(layers, source.Layer{
			MediaType: string(layer.MediaType), Title: layer.Annotations[titleOf], Packed: layer.Annotations[packedOf] == "true", Data: data,
		})
	}
	return layers, nil
}

// fits refuses by what the manifest says, before the rest is read.
func fits(ref name.Digest, manifest *v1.Manifest) error {
	var size int64
	for _, layer := range manifest.Layers {
		if layer.Size < 0 || layer.Size > MaxBytes {
			return tooLarge(ref)
		}
		size += layer.Size
	}
	if size > MaxBytes || len(manifest.Layers) > maxLayers {
		return tooLarge(ref)
	}
	return nil
}

// read reads a blob; its end is an error when it is not what the digest says.
func read(ctx context.Context, puller *remote.Puller, blob name.Digest) ([]byte, error) {
	layer, err := puller.Layer(ctx, blob)
	if err != nil {
		return nil, err
	}
	content, err := layer.Compressed()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	return io.ReadAll(content)
}

// brisk gives up on a registry sooner than the library's own.
var brisk = func() *http.Transport {
	t := remote.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	t.ResponseHeaderTimeout = 30 * time.Second
	return t
}()

// allowance is what may still be read for one artifact.
type allowance struct{ bytes int64 }

// bounded ends with an error where answers are more than allowed, whatever they say of
// their length.
type bounded struct {
	inner http.RoundTripper
	left  *allowance
}

// slack is what may be read besides layers: manifest, tokens, errors.
const slack = 4 << 20

func (b *bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.inner.RoundTrip(request)
	if err == nil {
		response.Body = &body{response.Body, b.left}
	}
	return response, err
}

// body is the content of one answer; an artifact's answers are read one after the other.
type body struct {
	io.ReadCloser
	left *allowance
}

func (b *body) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left.bytes -= int64(n); b.left.bytes < -slack {
		return n, errTooLarge
	}
	return n, err
}
