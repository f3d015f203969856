package machine

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"fmt"
	"os"
	"strings"

	"golang.org/x/crypto/ssh"
)

// same is a file that says that the next machine is the one whose power was cut.
const same = "same"

// keys makes the machine's own key, and one that lets in, or takes those that it had.
func (m Machine) keys() (Facts, error) {
	if err := os.MkdirAll(m.State, 0o700); err != nil {
		return Facts{}, fmt.Errorf("create the state of %s: %w", m.Name(), err)
	}
	if !exists(m.path(same)) {
		for _, name := range []string{"hostkey", "key"} {
			if err := newKey(m.path(name)); err != nil {
				return Facts{}, fmt.Errorf("make a key of %s: %w", m.Name(), err)
			}
		}
	}
	public, err := os.ReadFile(m.path("hostkey.pub"))
	if err != nil {
		return Facts{}, fmt.Errorf("read the key of %s: %w", m.Name(), err)
	}
	if err := os.RemoveAll(m.path(same)); err != nil {
		return Facts{}, err
	}
	own := strings.TrimSpace(string(public))
	return Facts{Number: m.Number, Name: m.Name(), Address: m.Address(), HostKey: own, Key: m.path("key"), Link: m.link()}, nil
}

// newKey writes a private key and its public one beside it, the public one as it stands in
// known_hosts and authorized_keys.
func newKey(file string) error {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return err
	}
	if err := os.WriteFile(file+".pub", ssh.MarshalAuthorizedKey(key), 0o644); err != nil {
		return err
	}
	return os.WriteFile(file, pem.EncodeToMemory(block), 0o600)
}
