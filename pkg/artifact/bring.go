package artifact

import (
	"context"
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/google/go-containerregistry/pkg/authn"
	"golang.org/x/sync/singleflight"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/source"
)

// Door is what a store asks outside of itself.
type Door struct {
	// Secret reads the dockerconfigjson of a Secret as a service account of its namespace.
	Secret func(ctx context.Context, namespace, serviceAccount, name string) ([]byte, error)
	// Fetch reads an artifact from its registry: Fetch of this package.
	Fetch func(context.Context, source.Artifact, authn.Keychain) ([]source.Layer, error)
}

// once fetches what several ask for at the same time one time.
type once struct{ singleflight.Group }

// newSecret is different in every process.
func newSecret() (secret [32]byte) {
	_, _ = rand.Read(secret[:]) // it never fails
	return secret
}

// bring finds out with what credentials an artifact is asked for, and gives the content
// that was fetched with the same ones, or fetches it.
func (s *Store) bring(want Want) (identity, []source.Layer, *Failure) {
	keys, id, err := s.keys(want)
	if err != nil {
		return id, nil, err
	}
	s.mu.Lock()
	layers, kept := s.contents.get(id)
	s.mu.Unlock()
	if kept {
		return id, layers, nil
	}
	got, failure, _ := s.once.Do(fmt.Sprintf("%+v", id), func() (any, error) { return s.door.Fetch(s.ctx, want.Artifact, keys) })
	var why *Failure
	switch {
	case errors.As(failure, &why):
		return id, nil, why
	case failure != nil:
		return id, nil, unusable(failure)
	}
	return id, got.([]source.Layer), nil
}

// keys reads the credentials, and makes of them what tells them from others. They are not
// kept.
func (s *Store) keys(want Want) (authn.Keychain, identity, *Failure) {
	ref, err := want.Reference()
	if err != nil {
		return nil, identity{}, unusable(err)
	}
	id := identity{image: ref.Context().String() + "@" + ref.DigestStr(), insecure: want.Insecure}
	if want.Secret == "" {
		return only{authn.Anonymous}, id, nil
	}
	what := fmt.Sprintf("Secret %q of namespace %s", want.Secret, want.Namespace)
	refused := func(problem, remedy string) (authn.Keychain, identity, *Failure) {
		return nil, id, &Failure{v1alpha1.ReasonSourceUnauthorized, problem, remedy}
	}
	config, err := s.door.Secret(s.ctx, want.Namespace, want.ServiceAccount, want.Secret)
	if err != nil {
		return refused(fmt.Sprintf("%s cannot be read as service account %s: %s", what, want.ServiceAccount, short(err)), "create it, or let that account get it")
	}
	keys, err := ReadKeys(config)
	if err != nil {
		return refused(fmt.Sprintf("%s cannot be used: %v", what, err), "make it with: kubectl create secret docker-registry")
	}
	auth, err := keys.Resolve(ref.Context())
	if err != nil || auth == authn.Anonymous {
		return refused(fmt.Sprintf("%s has no credentials for registry %s", what, ref.Context().RegistryStr()), "add them, or remove secretRef")
	}
	held, err := auth.Authorization()
	if err != nil {
		return refused(what+" cannot be used", "make it again")
	}
	id.keys = s.digest(held)
	return only{auth}, id, nil
}

func (s *Store) digest(held *authn.AuthConfig) [32]byte {
	text, _ := json.Marshal(held) // plain text fields
	mac := hmac.New(sha256.New, s.secret[:])
	mac.Write(text)
	return [32]byte(mac.Sum(nil))
}

// only are credentials for whatever is asked.
type only struct{ authn.Authenticator }

func (o only) Resolve(authn.Resource) (authn.Authenticator, error) { return o.Authenticator, nil }
