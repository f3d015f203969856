package pki

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"path/filepath"
	"testing"

	"spock.dev/spock/hack/cluster/internal/plan"
)

func TestMake(t *testing.T) {
	t.Parallel()
	dir, p := t.TempDir(), plan.Plan{Name: "a", Index: 2}
	if err := Make(dir, p); err != nil {
		t.Fatal(err)
	}
	roots := x509.NewCertPool()
	ca, err := os.ReadFile(filepath.Join(dir, "ca.crt"))
	if err != nil || !roots.AppendCertsFromPEM(ca) {
		t.Fatalf("the authority's certificate is not usable: %v", err)
	}
	for name, usage := range map[string]x509.ExtKeyUsage{
		"apiserver": x509.ExtKeyUsageServerAuth, Admin: x509.ExtKeyUsageClientAuth, p.NodeName(): x509.ExtKeyUsageClientAuth,
	} {
		pair, err := tls.LoadX509KeyPair(filepath.Join(dir, name+".crt"), filepath.Join(dir, name+".key"))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := pair.Leaf.Verify(x509.VerifyOptions{Roots: roots, KeyUsages: []x509.ExtKeyUsage{usage}}); err != nil {
			t.Errorf("%s is not what it is for: %v", name, err)
		}
	}
	server, err := tls.LoadX509KeyPair(filepath.Join(dir, "apiserver.crt"), filepath.Join(dir, "apiserver.key"))
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{p.NodeIP().String(), p.APIServiceIP().String(), "kubernetes.default.svc"} {
		if err := server.Leaf.VerifyHostname(name); err != nil {
			t.Errorf("the API server cannot be called %s: %v", name, err)
		}
	}
}
