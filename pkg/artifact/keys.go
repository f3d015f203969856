package artifact

import (
	"encoding/json"
	"errors"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// Keys are the credentials of a dockerconfigjson, by registry or by registry and path. No
// helper programs are run.
type Keys struct{ auths map[string]authn.AuthConfig }

var _ authn.Keychain = Keys{}

// ReadKeys reads a dockerconfigjson. The error holds nothing of it.
func ReadKeys(config []byte) (Keys, error) {
	var file struct {
		Auths map[string]authn.AuthConfig `json:"auths"`
	}
	if json.Unmarshal(config, &file) != nil {
		return Keys{}, errors.New("it is no Docker config with auths")
	}
	keys := Keys{map[string]authn.AuthConfig{}}
	for of, auth := range file.Auths {
		keys.auths[place(of)] = auth
	}
	return keys, nil
}

// place is what credentials are for, as references are written.
func place(of string) string {
	_, rest, schemed := strings.Cut(of, "://")
	if !schemed {
		rest = of
	}
	host, path, _ := strings.Cut(rest, "/")
	if registry, err := name.NewRegistry(host); err == nil {
		host = registry.RegistryStr()
	}
	path = strings.Trim(path, "/")
	if path == "" || path == "v1" || path == "v2" {
		return host
	}
	return host + "/" + path
}

// Resolve returns the credentials of the longest path that the target is below.
func (k Keys) Resolve(target authn.Resource) (authn.Authenticator, error) {
	for at := target.String(); at != ""; {
		if auth, ok := k.auths[at]; ok {
			return authn.FromConfig(auth), nil
		}
		cut := strings.LastIndexByte(at, '/')
		if cut < 0 {
			break
		}
		at = at[:cut]
	}
	return authn.Anonymous, nil
}
