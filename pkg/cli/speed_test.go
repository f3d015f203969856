package cli

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// BenchmarkEnvLs is `spock env ls` as a person waits for it, from the start of the program to its
// end, with 200 environments; the server answers at once. Beside it is a program that does
// nothing but start and end.
func BenchmarkEnvLs(b *testing.B) {
	spock := filepath.Join(b.TempDir(), "spock")
	if out, err := exec.Command("go", "build", "-o", spock, "../../cmd/spock").CombinedOutput(); err != nil {
		b.Fatalf("build spock: %v\n%s", err, out)
	}
	list := v1alpha1.EnvironmentList{TypeMeta: metav1.TypeMeta{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "EnvironmentList"}}
	for i := range 200 {
		list.Items = append(list.Items, *environment(fmt.Sprintf("shop-%d", i), ready))
	}
	raw, err := json.Marshal(list)
	if err != nil {
		b.Fatal(err)
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_, _ = w.Write(raw)
	}))
	defer server.Close()
	kubeconfig := filepath.Join(b.TempDir(), "kubeconfig")
	text := strings.ReplaceAll("{apiVersion: v1, kind: Config, current-context: x, contexts: [{name: x, context: {cluster: x, user: x}}], users: [{name: x}], clusters: [{name: x, cluster: {server: URL}}]}", "URL", server.URL)
	if err := os.WriteFile(kubeconfig, []byte(text), 0o600); err != nil {
		b.Fatal(err)
	}
	for name, args := range map[string][]string{"ls": {"env", "ls", "--kubeconfig", kubeconfig}, "start": {"version"}} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				out, err := exec.Command(spock, args...).CombinedOutput()
				if err != nil || name == "ls" && strings.Count(string(out), "\n") != 201 {
					b.Fatalf("%v\n%s", err, out)
				}
			}
		})
	}
}
