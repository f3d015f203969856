package host

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"strings"

	"golang.org/x/crypto/ssh"
)

// Login says where a machine is, who it is and as whom to work on it.
type Login struct {
	// Name by which people know the machine.
	Name string
	// Address and port of its SSH server.
	Address string
	// User to log in as: root, or one that may become root without a password.
	User string
	// HostKey is the machine's public key, as in authorized_keys: `ssh-ed25519 AAAA...`.
	HostKey string
	// Key is the private key, in PEM.
	Key []byte
	// Certificate of Key, as in a file `id-cert.pub`; empty when there is none.
	Certificate []byte
}

// String tells nothing that is secret.
func (l Login) String() string { return fmt.Sprintf("%s@%s (%s)", l.User, l.Address, l.Name) }

// Fingerprint of a public key as people compare it.
func Fingerprint(line string) (string, error) {
	key, err := parseKey(line)
	if err != nil {
		return "", err
	}
	return ssh.FingerprintSHA256(key), nil
}

func parseKey(line string) (ssh.PublicKey, error) {
	key, _, _, rest, err := ssh.ParseAuthorizedKey([]byte(line))
	if err != nil {
		return nil, errors.New("it is no public key of SSH, such as `ssh-ed25519 AAAA...`")
	}
	if len(bytes.TrimSpace(rest)) > 0 {
		return nil, errors.New("it is more than one public key")
	}
	return key, nil
}

// signer is what proves who logs in.
func (l Login) signer() (ssh.Signer, error) {
	signer, err := ssh.ParsePrivateKey(l.Key)
	if err != nil {
		// The library's error may quote what it was given.
		return nil, errors.New("the private key cannot be read: it must be PEM, without a passphrase")
	}
	if len(l.Certificate) == 0 {
		return signer, nil
	}
	public, err := parseKey(string(l.Certificate))
	if err != nil {
		return nil, fmt.Errorf("the certificate: %w", err)
	}
	certificate, ok := public.(*ssh.Certificate)
	if !ok {
		return nil, errors.New("the certificate is a plain key")
	}
	signer, err = ssh.NewCertSigner(certificate, signer)
	if err != nil {
		return nil, fmt.Errorf("the certificate is not one of the private key: %w", err)
	}
	return signer, nil
}

// errOther says that a machine showed another key than the pinned one.
type errOther struct{ pinned, shown string }

func (e *errOther) Error() string {
	return fmt.Sprintf("it shows the key %s, and %s is pinned", e.shown, e.pinned)
}

// config is the client's side of a connection: no key but the pinned one is taken.
func (l Login) config() (*ssh.ClientConfig, error) {
	pinned, err := parseKey(l.HostKey)
	if err != nil {
		return nil, fmt.Errorf("the pinned key: %w", err)
	}
	signer, err := l.signer()
	if err != nil {
		return nil, err
	}
	return &ssh.ClientConfig{
		User: l.User,
		Auth: []ssh.AuthMethod{ssh.PublicKeys(signer)},
		HostKeyCallback: func(_ string, _ net.Addr, shown ssh.PublicKey) error {
			if bytes.Equal(shown.Marshal(), pinned.Marshal()) {
				return nil
			}
			return &errOther{pinned: ssh.FingerprintSHA256(pinned), shown: ssh.FingerprintSHA256(shown)}
		},
		HostKeyAlgorithms: algorithms(pinned),
		ClientVersion:     "SSH-2.0-Spock",
	}, nil
}

// algorithms are those of the pinned key alone: a machine with several keys shows that one.
func algorithms(key ssh.PublicKey) []string {
	if key.Type() == ssh.KeyAlgoRSA {
		return []string{ssh.KeyAlgoRSASHA512, ssh.KeyAlgoRSASHA256}
	}
	return []string{key.Type()}
}

// refusal gives a failed handshake its class.
func (l Login) refusal(err error) *Failure {
	var other *errOther
	switch {
	case errors.As(err, &other):
		return &Failure{Class: KeyChanged, Host: l.Name, Message: "its key is not the pinned one, and nothing was sent", Err: other}
	case strings.Contains(err.Error(), "no common algorithm for host key"):
		return &Failure{Class: KeyChanged, Host: l.Name, Message: "it has no key of the pinned kind, and nothing was sent"}
	case strings.Contains(err.Error(), "unable to authenticate"):
		return &Failure{Class: AuthRefused, Host: l.Name, Message: fmt.Sprintf("it does not let user %s in with this key", l.User)}
	default:
		return &Failure{Class: Unreachable, Host: l.Name, Message: "no SSH connection to " + l.Address, Err: err}
	}
}
