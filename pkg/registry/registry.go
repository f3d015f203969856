// Package registry is how Spock's programs ask an image registry.
package registry

import (
	"context"
	"net"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Access is with the credentials of the Docker configuration of the user it is asked as.
type Access struct {
	// Insecure allows plain HTTP.
	Insecure bool
}

// Names are the options to read a reference with.
func (a Access) Names() []name.Option {
	if a.Insecure {
		return []name.Option{name.Insecure}
	}
	return nil
}

// Requests are the options to ask with.
func (Access) Requests(ctx context.Context) []remote.Option {
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
