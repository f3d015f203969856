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

// keys makes the machine's own key, and one that lets in.
func (m Machine) keys() (Facts, error) {
	if err := os.MkdirAll(m.State, 0o700); err != nil {
		return Facts{}, fmt.Errorf("create the state of %s: %w", m.Name(), err)
	}
	own, err := newKey(m.path("hostkey"))
	if err != nil {
		return Facts{}, err
	}
	if _, err := newKey(m.path("key")); err != nil {
		return Facts{}, err
	}
	return Facts{Number: m.Number, Name: m.Name(), Address: m.Address(), HostKey: own, Key: m.path("key"), Link: m.link()}, nil
}

// newKey writes a private key and its public one beside it, and returns the public one
// as it stands in known_hosts and authorized_keys.
func newKey(file string) (string, error) {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return "", err
	}
	block, err := ssh.MarshalPrivateKey(private, "")
	if err != nil {
		return "", err
	}
	key, err := ssh.NewPublicKey(public)
	if err != nil {
		return "", err
	}
	line := strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key)))
	if err := os.WriteFile(file+".pub", []byte(line+"\n"), 0o644); err != nil {
		return "", err
	}
	return line, os.WriteFile(file, pem.EncodeToMemory(block), 0o600)
}
