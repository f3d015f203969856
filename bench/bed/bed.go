// Package bed runs a real control plane without a node: etcd, kube-apiserver,
// kube-controller-manager and kube-scheduler as plain processes of this user on loopback,
// and controllers beside them. Its nodes are package kubelet's.
package bed

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
)

// Bed is a control plane in a folder of its own.
type Bed struct {
	// Dir holds its data, logs and the audit log.
	Dir string
	// Kubebox is the program that holds all components.
	Kubebox string

	ports     []int
	token     string
	processes []*Process
}

// Start starts all components and waits until the apiserver serves. Stop ends them; they
// also end with this process.
func Start(ctx context.Context, kubebox, dir string) (*Bed, error) {
	b := &Bed{Dir: dir, Kubebox: kubebox}
	for _, step := range []func(context.Context) error{b.prepare, b.startStore, b.startServer, b.serves, b.startControllers} {
		if err := step(ctx); err != nil {
			b.Stop()
			return nil, err
		}
	}
	return b, nil
}

// Stop ends all components, the last one first.
func (b *Bed) Stop() {
	for i := len(b.processes) - 1; i >= 0; i-- {
		b.processes[i].Kill()
	}
}

// CPU is the processor time of all components.
func (b *Bed) CPU() (time.Duration, error) {
	var sum time.Duration
	for _, p := range b.processes {
		used, err := p.Usage()
		if err != nil {
			return 0, err
		}
		sum += used.CPU
	}
	return sum, nil
}

// AuditLog is the file that tells all requests.
func (b *Bed) AuditLog() string { return b.path("audit.log") }

// Config returns how a client of a name talks to the apiserver, without a rate limit of
// its own. The client may do everything, and is known by its user name in the audit log.
func (b *Bed) Config(user string) *rest.Config {
	return &rest.Config{
		Host: fmt.Sprintf("https://127.0.0.1:%d", b.port(server)), BearerToken: b.token,
		Impersonate:     rest.ImpersonationConfig{UserName: user, Groups: []string{"system:masters"}},
		TLSClientConfig: rest.TLSClientConfig{CAFile: b.path("certs/apiserver.crt")},
		UserAgent:       user, QPS: -1,
	}
}

func (b *Bed) path(name string) string { return filepath.Join(b.Dir, name) }

// port numbers.
const (
	store = iota
	peers
	server
	managers
	scheduler
	count
)

func (b *Bed) port(of int) int { return b.ports[of] }

// prepare makes ports, keys and settings.
func (b *Bed) prepare(context.Context) error {
	ports, err := FreePorts(count)
	if err != nil {
		return err
	}
	b.ports = ports
	raw := make([]byte, 16)
	if _, err := rand.Read(raw); err != nil {
		return fmt.Errorf("make a token: %w", err)
	}
	b.token = hex.EncodeToString(raw)
	key, err := accountKey()
	if err != nil {
		return err
	}
	for name, text := range map[string]string{
		"sa.key": key, "audit.yaml": auditPolicy,
		"tokens.csv": b.token + ",bench,bench,system:masters\n",
		"kubeconfig": b.kubeconfig(),
	} {
		if err := os.WriteFile(b.path(name), []byte(text), 0o600); err != nil {
			return fmt.Errorf("write the settings of the control plane: %w", err)
		}
	}
	return nil
}

// FreePorts finds so many ports that nobody listens at now.
func FreePorts(n int) ([]int, error) {
	var ports []int
	for range n {
		l, err := net.Listen("tcp", ":0")
		if err != nil {
			return nil, fmt.Errorf("find a free port: %w", err)
		}
		defer l.Close()
		ports = append(ports, l.Addr().(*net.TCPAddr).Port)
	}
	return ports, nil
}

// accountKey signs the tokens of service accounts.
func accountKey() (string, error) {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		return "", fmt.Errorf("make a key: %w", err)
	}
	raw, err := x509.MarshalECPrivateKey(key)
	if err != nil {
		return "", fmt.Errorf("encode a key: %w", err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "EC PRIVATE KEY", Bytes: raw})), nil
}

// kubeconfig is the one of the components.
func (b *Bed) kubeconfig() string { return b.Kubeconfig(b.token) }

// Admin is the file with the kubeconfig of who may do everything.
func (b *Bed) Admin() string { return b.path("kubeconfig") }

// Kubeconfig is a file for who has a token.
func (b *Bed) Kubeconfig(token string) string {
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters: [{name: bed, cluster: {server: "https://127.0.0.1:%d", certificate-authority: %s}}]
users: [{name: bed, user: {token: %s}}]
contexts: [{name: bed, context: {cluster: bed, user: bed}}]
current-context: bed
`, b.port(server), b.path("certs/apiserver.crt"), token)
}

// KubeconfigAs is a file for a client that may do everything and is known by its user
// name in the audit log, as by Config.
func (b *Bed) KubeconfigAs(user string) string {
	return strings.Replace(b.Kubeconfig(b.token), "user: {", "user: {as: "+user+", as-groups: [\"system:masters\"], ", 1)
}

// auditPolicy keeps when and by whom each request was made, and what a Deployment was
// after each write of it: who is ready when follows from that.
const auditPolicy = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived, ResponseStarted, Panic]
omitManagedFields: true
rules:
  - level: RequestResponse
    verbs: [create, update, patch]
    resources: [{group: apps, resources: [deployments, deployments/status]}]
  - level: Metadata
`

func (b *Bed) startStore(context.Context) error {
	return b.start("etcd", "etcd", "--name=bed", "--data-dir="+b.path("etcd"), "--unsafe-no-fsync", "--log-level=warn",
		"--listen-client-urls="+b.url(store), "--advertise-client-urls="+b.url(store),
		"--listen-peer-urls="+b.url(peers), "--initial-advertise-peer-urls="+b.url(peers), "--initial-cluster=bed="+b.url(peers))
}

func (b *Bed) url(of int) string { return "http://127.0.0.1:" + strconv.Itoa(b.port(of)) }

func (b *Bed) startServer(context.Context) error {
	return b.start("kube-apiserver", "kube-apiserver",
		"--etcd-servers="+b.url(store), "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1", "--secure-port="+strconv.Itoa(b.port(server)),
		"--cert-dir="+b.path("certs"), "--service-cluster-ip-range=10.0.0.0/16", "--token-auth-file="+b.path("tokens.csv"),
		"--service-account-issuer=https://bed", "--service-account-key-file="+b.path("sa.key"), "--service-account-signing-key-file="+b.path("sa.key"),
		"--authorization-mode=RBAC", "--endpoint-reconciler-type=none",
		// The nodes are ready when they are created, and nobody looks after them.
		"--disable-admission-plugins=TaintNodesByCondition",
		"--audit-policy-file="+b.path("audit.yaml"), "--audit-log-path="+b.AuditLog(), "--audit-log-mode=blocking",
		"--audit-log-maxsize=100000")
}

// startControllers starts the controllers with client limits high enough that the
// apiserver is what limits; see docs/benchmark.md.
func (b *Bed) startControllers(context.Context) error {
	err := b.start("kube-controller-manager", "kube-controller-manager",
		"--kubeconfig="+b.path("kubeconfig"), "--authentication-kubeconfig="+b.path("kubeconfig"), "--authorization-kubeconfig="+b.path("kubeconfig"),
		"--service-account-private-key-file="+b.path("sa.key"), "--leader-elect=false", "--bind-address=127.0.0.1",
		"--secure-port="+strconv.Itoa(b.port(managers)), "--cert-dir="+b.path("certs-kcm"),
		"--controllers=*,-node-lifecycle-controller,-bootstrap-signer-controller,-token-cleaner-controller",
		"--kube-api-qps=500", "--kube-api-burst=1000", "--concurrent-deployment-syncs=20", "--concurrent-replicaset-syncs=20",
		"--use-service-account-credentials=false")
	if err != nil {
		return err
	}
	return b.start("kube-scheduler", "kube-scheduler",
		"--kubeconfig="+b.path("kubeconfig"), "--authentication-kubeconfig="+b.path("kubeconfig"), "--authorization-kubeconfig="+b.path("kubeconfig"),
		"--leader-elect=false", "--bind-address=127.0.0.1", "--secure-port="+strconv.Itoa(b.port(scheduler)), "--cert-dir="+b.path("certs-scheduler"),
		"--kube-api-qps=500", "--kube-api-burst=1000")
}

func (b *Bed) start(name string, args ...string) error {
	p, err := Run(name, b.path(name+".log"), nil, append([]string{b.Kubebox}, args...)...)
	if err != nil {
		return err
	}
	b.processes = append(b.processes, p)
	return nil
}

// serves waits until the apiserver answers and its own objects are there.
func (b *Bed) serves(ctx context.Context) error {
	deadline, cancel := context.WithTimeout(ctx, 90*time.Second)
	defer cancel()
	var last error
	err := wait.PollUntilContextCancel(deadline, 100*time.Millisecond, true, func(ctx context.Context) (bool, error) {
		for _, p := range b.processes {
			if err := p.Ended(); err != nil {
				return false, err
			}
		}
		client, err := kubernetes.NewForConfig(b.Config("bench"))
		if err != nil { // the certificate is not there yet
			last = err
			return false, nil
		}
		_, last = client.CoreV1().Namespaces().Get(ctx, "kube-system", metav1.GetOptions{})
		return last == nil, nil
	})
	if err != nil {
		return fmt.Errorf("wait for the apiserver, which says: %w", apiProblem(last, err))
	}
	return nil
}

func apiProblem(last, err error) error {
	if last != nil && !apierrors.IsNotFound(last) && !strings.Contains(err.Error(), "ended") {
		return last
	}
	return err
}
