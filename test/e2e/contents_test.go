//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/source"
)

// TestWhatNotEverybodyMayReadRunsOnAMachine has an image and an archive behind a door, and
// reads each with a Secret as the environment's account, once that is there. The archive's
// port is handed over.
func TestWhatNotEverybodyMayReadRunsOnAMachine(t *testing.T) {
	t.Parallel()
	needsNode(t, "no machine stands beside it")
	l, m := machineLab(t)
	before := m.ask(leftovers)
	m.add("box")
	g := l.guarded()
	packed := scripted(t, map[string]string{"agent-1/run": "#!/bin/sh\necho \"it has $LISTEN_FDS socket\"\nexec sleep infinity\n", "agent-1/version": "agent 1\n"})
	l.artifact(g.host+"/team/agent", alice, layer{media: source.FluxContent, data: packed})
	sum := sha256.Sum256(packed)
	hex := hex.EncodeToString(sum[:])

	db, agent := stores(), &v1alpha1.ServiceTemplate{ObjectMeta: metav1.ObjectMeta{Name: "agent"}}
	db.Spec.Host.Insecure, db.Spec.Host.SecretRef = true, &v1alpha1.SecretReference{Name: "pull"}
	agent.Spec = v1alpha1.ServiceTemplateSpec{
		Ports:     []v1alpha1.Port{{Name: "http", Port: 8088}},
		Readiness: &v1alpha1.Readiness{Exec: &v1alpha1.ExecProbe{Command: []string{"cat", "/app/version"}}},
		Host: &v1alpha1.HostProcess{Exec: []string{"/app/run"}, Handover: true, Archive: &v1alpha1.HostArchive{
			URL: "http://" + g.host + "/v2/team/agent/blobs/sha256:" + hex, SHA256: hex, Strip: 1, SecretRef: &v1alpha1.SecretReference{Name: "store"},
		}},
	}
	image := l.copied("busybox:1", g.host+"/team/busybox")
	l.create(db, agent, product("shop", group("data", onHost(v1alpha1.ProductService{Name: "db", Template: "store", Image: image}),
		v1alpha1.ProductService{Name: "agent", Template: "agent"})), l.environment("shop", "shop"))
	for service, secret := range map[string]string{"db": "pull", "agent": "store"} {
		failed := l.isAt("shop", service, v1alpha1.ServiceFailed)
		if cause := failed.Status.Service(service).Cause; !strings.Contains(cause.Message, "read secret "+secret+" as ") || strings.Contains(cause.Message, alice.Password) {
			t.Errorf("without its Secret %s is %s", service, cause.Sentence())
		}
	}
	l.pullSecret("pull", g.host)
	_, err := l.kube.CoreV1().Secrets(l.name).Create(l.ctx, &corev1.Secret{
		ObjectMeta: metav1.ObjectMeta{Name: "store"}, Type: corev1.SecretTypeBasicAuth,
		StringData: map[string]string{corev1.BasicAuthUsernameKey: alice.Username, corev1.BasicAuthPasswordKey: alice.Password},
	}, metav1.CreateOptions{})
	l.must(err)
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	if got := l.spockCommand("env", "exec", "shop", "agent", "-n", l.name, "--", "cat", "/app/version"); got != "agent 1\n" {
		t.Errorf("the archive has %q", got)
	}
	if got := l.spockCommand("env", "logs", "shop", "agent", "-n", l.name); !strings.Contains(got, "it has 1 socket") {
		t.Errorf("the agent says %q", got)
	}
	l.must(l.spock.SpockV1alpha1().Environments(l.name).Delete(l.ctx, "shop", metav1.DeleteOptions{}))
	l.gone(l.environmentRef("shop"), 3*soon)
	if after := m.ask(leftovers); after != before {
		t.Errorf("the environment is gone, and the machine, before:\n%s\nafter:\n%s", before, after)
	}
}

// copied copies an image of the cluster's registry behind a door, and names it by its digest.
func (l *lab) copied(image, to string) string {
	l.Helper()
	from, err := name.ParseReference(l.setting(l.T, "REGISTRY") + "/" + image)
	l.must(err)
	found, err := remote.Image(from, remote.WithContext(l.ctx))
	l.must(err)
	ref, err := name.ParseReference(to+":1", name.Insecure)
	l.must(err)
	l.must(remote.Write(ref, found, remote.WithAuth(alice)))
	digest, err := found.Digest()
	l.must(err)
	return to + "@" + digest.String()
}

// scripted is an archive of programs.
func scripted(t *testing.T, files map[string]string) []byte {
	t.Helper()
	var raw bytes.Buffer
	zip := gzip.NewWriter(&raw)
	out := tar.NewWriter(zip)
	for name, text := range files {
		if err := out.WriteHeader(&tar.Header{Name: name, Typeflag: tar.TypeReg, Mode: 0o755, Size: int64(len(text))}); err != nil {
			t.Fatal(err)
		}
		_, _ = out.Write([]byte(text))
	}
	if err := out.Close(); err != nil {
		t.Fatal(err)
	}
	if err := zip.Close(); err != nil {
		t.Fatal(err)
	}
	return raw.Bytes()
}
