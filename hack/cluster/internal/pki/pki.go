// Package pki makes the certificates and kubeconfigs of a cluster: one
// authority, one serving certificate, and a client for each component.
package pki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"time"

	"spock.dev/spock/hack/cluster/internal/plan"
)

// Admin is the client whose kubeconfig users get.
const Admin = "admin"

// clients maps a component to who it is; "apiclient" is the API server itself, towards the kubelet.
func clients(p plan.Plan) map[string]pkix.Name {
	master := []string{"system:masters"}
	return map[string]pkix.Name{
		Admin:        {CommonName: "admin", Organization: master},
		"apiclient":  {CommonName: "kube-apiserver-kubelet-client", Organization: master},
		"coredns":    {CommonName: "coredns", Organization: master},
		"kcm":        {CommonName: "system:kube-controller-manager"},
		"scheduler":  {CommonName: "system:kube-scheduler"},
		"proxy":      {CommonName: "system:kube-proxy"},
		p.NodeName(): {CommonName: "system:node:" + p.NodeName(), Organization: []string{"system:nodes"}},
	}
}

// Make writes all keys, certificates and kubeconfigs into an empty folder.
func Make(dir string, p plan.Plan) error {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return fmt.Errorf("creating the certificates' folder: %w", err)
	}
	ca, err := newAuthority(dir)
	if err != nil {
		return err
	}
	if _, err := ca.issue(serving(p)); err != nil {
		return err
	}
	for name, subject := range clients(p) {
		cert, err := ca.issue(request{name: name, subject: subject, usage: x509.ExtKeyUsageClientAuth})
		if err != nil {
			return err
		}
		file := filepath.Join(dir, name+".kubeconfig")
		if err := os.WriteFile(file, []byte(kubeconfig(p, ca.pem, cert)), 0o600); err != nil {
			return fmt.Errorf("writing a kubeconfig: %w", err)
		}
	}
	return serviceAccountKey(dir)
}

func serving(p plan.Plan) request {
	return request{
		name: "apiserver", subject: pkix.Name{CommonName: "kube-apiserver"}, usage: x509.ExtKeyUsageServerAuth,
		names: []string{"localhost", "kubernetes", "kubernetes.default", "kubernetes.default.svc", "kubernetes.default.svc.cluster.local"},
		ips:   []net.IP{net.IPv4(127, 0, 0, 1), p.APIServiceIP().AsSlice(), p.NodeIP().AsSlice()},
	}
}

type authority struct {
	dir  string
	cert *x509.Certificate
	key  crypto.Signer
	pem  []byte
}

type request struct {
	name    string
	subject pkix.Name
	usage   x509.ExtKeyUsage
	names   []string
	ips     []net.IP
}

// pair is a certificate with its key, in PEM.
type pair struct{ cert, key []byte }

func newAuthority(dir string) (*authority, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return nil, err
	}
	t := template(pkix.Name{CommonName: "spock-local-cluster"}, 1)
	t.IsCA, t.BasicConstraintsValid = true, true
	t.KeyUsage = x509.KeyUsageCertSign | x509.KeyUsageDigitalSignature
	ca := &authority{dir: dir, key: key}
	der, err := x509.CreateCertificate(rand.Reader, t, t, key.Public(), key)
	if err != nil {
		return nil, fmt.Errorf("creating the authority: %w", err)
	}
	if ca.cert, err = x509.ParseCertificate(der); err != nil {
		return nil, fmt.Errorf("creating the authority: %w", err)
	}
	ca.pem = pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
	return ca, ca.save("ca", pair{cert: ca.pem, key: keyPEM})
}

// issue makes a key and a certificate, and writes NAME.crt and NAME.key.
func (a *authority) issue(r request) (pair, error) {
	key, keyPEM, err := newKey()
	if err != nil {
		return pair{}, err
	}
	t := template(r.subject, time.Now().UnixNano())
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{r.usage}
	t.DNSNames, t.IPAddresses = r.names, r.ips
	der, err := x509.CreateCertificate(rand.Reader, t, a.cert, key.Public(), a.key)
	if err != nil {
		return pair{}, fmt.Errorf("issuing a certificate to %s: %w", r.name, err)
	}
	p := pair{cert: pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der}), key: keyPEM}
	return p, a.save(r.name, p)
}

func (a *authority) save(name string, p pair) error {
	for ext, content := range map[string][]byte{".crt": p.cert, ".key": p.key} {
		if err := os.WriteFile(filepath.Join(a.dir, name+ext), content, 0o600); err != nil {
			return fmt.Errorf("writing the certificate of %s: %w", name, err)
		}
	}
	return nil
}

func template(subject pkix.Name, serial int64) *x509.Certificate {
	now := time.Now()
	return &x509.Certificate{
		Subject: subject, SerialNumber: big.NewInt(serial),
		NotBefore: now.Add(-time.Hour), NotAfter: now.AddDate(10, 0, 0),
	}
}

func newKey() (*ecdsa.PrivateKey, []byte, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return nil, nil, fmt.Errorf("generating a key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return nil, nil, fmt.Errorf("encoding a key: %w", err)
	}
	return key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}), nil
}

// serviceAccountKey writes the pair that signs and checks service account tokens.
func serviceAccountKey(dir string) error {
	key, keyPEM, err := newKey()
	if err != nil {
		return err
	}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	if err != nil {
		return fmt.Errorf("encoding a key: %w", err)
	}
	public := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	a := authority{dir: dir}
	if err := a.save("sa", pair{cert: public, key: keyPEM}); err != nil {
		return err
	}
	return os.Rename(filepath.Join(dir, "sa.crt"), filepath.Join(dir, "sa.pub"))
}
