package pki

import (
	"encoding/base64"
	"fmt"

	"spock.dev/spock/hack/cluster/internal/plan"
)

// kubeconfig is the file of one client.
func kubeconfig(p plan.Plan, ca []byte, client pair) string {
	b64 := base64.StdEncoding.EncodeToString
	return fmt.Sprintf(`apiVersion: v1
kind: Config
clusters:
- name: %[1]s
  cluster:
    server: %[2]s
    certificate-authority-data: %[3]s
users:
- name: %[1]s
  user:
    client-certificate-data: %[4]s
    client-key-data: %[5]s
contexts:
- name: %[1]s
  context: {cluster: %[1]s, user: %[1]s}
current-context: %[1]s
`, p.Name, p.APIServer(), b64(ca), b64(client.cert), b64(client.key))
}
