package cli

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target/host"
)

// newcomer is a host to add, as flags say it.
type newcomer struct {
	name, key, certificate, fingerprint string
	cpu, memory                         string
	slots                               int32
	labels                              map[string]string
	spec                                v1alpha1.HostSpec
}

func newHostAdd(s *session) *cobra.Command {
	n := &newcomer{}
	cmd := &cobra.Command{
		Use:   "add NAME --address ADDRESS --key FILE",
		Short: "Add a machine to run services on",
		Long: `Add a machine to run services on. The machine is asked for its key; compare the
fingerprint with what "ssh-keygen -l -f /etc/ssh/ssh_host_ed25519_key.pub" prints on the
machine itself, and confirm it. Then the private key is tried, and is stored in a Secret that
only the service account spock-hosts may read. The private key must have no passphrase, and
should be one that nobody else uses.`,
		Example: examples(`spock host add db1 --address 10.0.0.11 --key ~/.ssh/spock --label role=db --memory 32Gi`,
			`spock host add db1 --address 10.0.0.11 --key ~/.ssh/spock --user deploy --fingerprint SHA256:dLr1...`),
		Args: positional(1, 1, "the NAME of the host"),
	}
	flags := cmd.Flags()
	flags.StringVar(&n.spec.Address, "address", "", "name or IP address of the machine")
	flags.Int32Var(&n.spec.Port, "port", 0, "port of its SSH server (default 22)")
	flags.StringVar(&n.spec.User, "user", "", "user to log in as; another one than root must be allowed to become root (default root)")
	flags.StringVar(&n.key, "key", "", "file with the private key")
	flags.StringVar(&n.certificate, "certificate", "", "file with a certificate of the key")
	flags.StringVar(&n.fingerprint, "fingerprint", "", "fingerprint that the machine's key must have; without it, it is asked for")
	flags.StringToStringVar(&n.labels, "label", nil, "labels, by which services find the host, as KEY=VALUE")
	flags.StringVar(&n.cpu, "cpu", "", "CPU that services may use together")
	flags.StringVar(&n.memory, "memory", "", "memory that services may use together")
	flags.BoolVar(&n.spec.AllowPackages, "allow-packages", false, "let services install packages there: run commands of their templates as root")
	flags.Int32Var(&n.slots, "slots", 0, "how many services may run there (default: any number)")
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		n.name = args[0]
		if err := n.check(); err != nil {
			return err
		}
		return s.addHost(cmd.Context(), n)
	})
	return cmd
}

// check reads the flags that have a form of their own.
func (n *newcomer) check() error {
	if n.spec.Address == "" || n.key == "" {
		return usage("give --address and --key: where the machine is, and the private key to log in with")
	}
	for _, q := range []struct {
		flag, text string
		to         **resource.Quantity
	}{{"cpu", n.cpu, &n.spec.Capacity.CPU}, {"memory", n.memory, &n.spec.Capacity.Memory}} {
		if q.text == "" {
			continue
		}
		value, err := resource.ParseQuantity(q.text)
		if err != nil {
			return usage("--%s %q is no quantity; write it like 4 or 16Gi", q.flag, q.text)
		}
		*q.to = &value
	}
	if n.slots > 0 {
		n.spec.Capacity.Slots = ptr.To(n.slots)
	}
	n.spec.Credentials.SecretName = n.name + "-ssh"
	return nil
}

func (s *session) addHost(ctx context.Context, n *newcomer) error {
	key, err := os.ReadFile(n.key)
	if err != nil {
		return fmt.Errorf("read the private key: %w", err)
	}
	var certificate []byte
	if n.certificate != "" {
		if certificate, err = os.ReadFile(n.certificate); err != nil {
			return fmt.Errorf("read the certificate: %w", err)
		}
	}
	if n.spec.HostKey, err = s.Machines.Key(ctx, n.spec.SSHAddress()); err != nil {
		return err
	}
	if err := s.confirm(n); err != nil {
		return err
	}
	facts, err := s.Machines.Facts(ctx, login(n.name, &n.spec, key, certificate))
	if err != nil {
		return hinted(err)
	}
	cluster, err := s.Connect(s.connection)
	if err != nil {
		return err
	}
	if err := cluster.storeHost(ctx, n, key, certificate); err != nil {
		return explain(err)
	}
	fmt.Fprintf(s.Streams.Out, "host %s/%s is added: %s\n", cluster.Namespace, n.name, about(facts))
	return nil
}

func login(name string, spec *v1alpha1.HostSpec, key, certificate []byte) host.Login {
	return host.Login{Name: name, Address: spec.SSHAddress(), User: spec.Login(), HostKey: spec.HostKey, Key: key, Certificate: certificate}
}

// confirm has a person compare the machine's key, or compares it with what was given.
func (s *session) confirm(n *newcomer) error {
	shown, err := host.Fingerprint(n.spec.HostKey)
	if err != nil {
		return fmt.Errorf("the key that %s shows: %w", n.spec.SSHAddress(), err)
	}
	if n.fingerprint != "" {
		if n.fingerprint != shown {
			return fmt.Errorf("%s shows a key with the fingerprint %s, and not %s; somebody else may answer there", n.spec.SSHAddress(), shown, n.fingerprint)
		}
		return nil
	}
	fmt.Fprintf(s.Streams.Err, "%s shows a key with the fingerprint\n  %s\nIs it the machine's? Compare it there, then type yes.\n", n.spec.SSHAddress(), shown)
	answer, _ := bufio.NewReader(s.Streams.In).ReadString('\n')
	if strings.TrimSpace(answer) != "yes" {
		return fmt.Errorf("the key of %s was not confirmed, and nothing was added; type yes, or give --fingerprint", n.spec.SSHAddress())
	}
	return nil
}

// storeHost writes the Secret, the account that may read it and the Host, in this order.
func (c *Cluster) storeHost(ctx context.Context, n *newcomer, key, certificate []byte) error {
	secret, account := n.spec.Credentials.SecretName, n.spec.Credentials.Reader()
	meta := func(name string) metav1.ObjectMeta {
		return metav1.ObjectMeta{Name: name, Namespace: c.Namespace, Labels: map[string]string{"app.kubernetes.io/managed-by": "spock"}}
	}
	data := map[string][]byte{v1alpha1.HostSecretKey: key}
	if len(certificate) > 0 {
		data[v1alpha1.HostSecretCert] = certificate
	}
	options := metav1.CreateOptions{FieldManager: fieldManager}
	for _, step := range []struct {
		what string
		fit  bool // that one is there already is as good
		do   func() error
	}{
		{"host " + n.name, false, func() error { return c.missing(ctx, n.name) }},
		{"secret " + secret, false, func() error {
			_, err := c.Kube.CoreV1().Secrets(c.Namespace).Create(ctx, &corev1.Secret{ObjectMeta: meta(secret), Type: corev1.SecretTypeSSHAuth, Data: data}, options)
			return err
		}},
		{"service account " + account, true, func() error {
			_, err := c.Kube.CoreV1().ServiceAccounts(c.Namespace).Create(ctx, &corev1.ServiceAccount{ObjectMeta: meta(account), AutomountServiceAccountToken: ptr.To(false)}, options)
			return err
		}},
		{"role " + secret, true, func() error {
			_, err := c.Kube.RbacV1().Roles(c.Namespace).Create(ctx, &rbacv1.Role{ObjectMeta: meta(secret), Rules: []rbacv1.PolicyRule{
				{APIGroups: []string{""}, Resources: []string{"secrets"}, ResourceNames: []string{secret}, Verbs: []string{"get"}},
			}}, options)
			return err
		}},
		{"role binding " + secret, true, func() error {
			_, err := c.Kube.RbacV1().RoleBindings(c.Namespace).Create(ctx, &rbacv1.RoleBinding{ObjectMeta: meta(secret),
				RoleRef:  rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "Role", Name: secret},
				Subjects: []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: c.Namespace}}}, options)
			return err
		}},
		{"host " + n.name, false, func() error {
			h := &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: n.name, Namespace: c.Namespace, Labels: n.labels}, Spec: n.spec}
			_, err := c.Spock.SpockV1alpha1().Hosts(c.Namespace).Create(ctx, h, options)
			return err
		}},
	} {
		if err := step.do(); err != nil && (!step.fit || !apierrors.IsAlreadyExists(err)) {
			return fmt.Errorf("create %s in namespace %s: %w", step.what, c.Namespace, err)
		}
	}
	return nil
}

// missing fails when there is a host of this name.
func (c *Cluster) missing(ctx context.Context, name string) error {
	_, err := c.Spock.SpockV1alpha1().Hosts(c.Namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case err == nil:
		return fmt.Errorf("it is there already; change it with: kubectl edit host %s -n %s", name, c.Namespace)
	case notInstalled(err) || !apierrors.IsNotFound(err):
		return err
	}
	return nil
}
