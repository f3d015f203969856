package main

import (
	"fmt"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/bench/manifest"
)

func TestTheWebhookIsCalledOnLoopback(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want string // of the object behind the path
		path []string
	}{
		"its Service is a name for loopback": {
			text: "kind: Service\nmetadata: {name: tekton-pipelines-webhook}\nspec: {selector: {a: b}}",
			path: []string{"spec"}, want: "map[externalName:127.0.0.1 type:ExternalName]",
		},
		"another Service stays as it is": {
			text: "kind: Service\nmetadata: {name: tekton-pipelines-controller}\nspec: {selector: {a: b}}",
			path: []string{"spec"}, want: "map[selector:map[a:b]]",
		},
		"a conversion gets the port": {
			text: "kind: CustomResourceDefinition\nspec: {conversion: {webhook: {clientConfig: {service: {name: w}}}}}",
			path: []string{"spec", "conversion", "webhook", "clientConfig", "service"}, want: "map[name:w port:4711]",
		},
		"a definition without conversion gets none": {text: "kind: CustomResourceDefinition\nspec: {group: a}", path: []string{"spec"}, want: "map[group:a]"},
		"an admission webhook gets the port": {
			text: "kind: ValidatingWebhookConfiguration\nwebhooks: [{clientConfig: {service: {name: w}}}]",
			path: []string{"webhooks"}, want: "[map[clientConfig:map[service:map[name:w port:4711]]]]",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects, err := manifest.Read(tc.text)
			if err != nil {
				t.Fatal(err)
			}
			if err := redirect(objects[0], 4711); err != nil {
				t.Fatal(err)
			}
			got, _, err := unstructured.NestedFieldNoCopy(objects[0].Object, tc.path...)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, fmt.Sprint(got)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestOnlyImagesThatTheRegistryHasCanBeHad(t *testing.T) {
	t.Parallel()
	for image, want := range map[string]bool{
		"registry.localhost:5000/busybox:1":          true,
		"registry.localhost:5000/busybox:2":          false,
		"registry.localhost:5000/shop/web":           false,
		"registry.localhost:5000/shop/web@sha256:01": true,
		"registry.example.com/shop/web:1":            true,
	} {
		if has(image) != want {
			t.Errorf("has(%q) = %t", image, !want)
		}
	}
}

func TestWhoServesIsKnownByTheLock(t *testing.T) {
	t.Parallel()
	s := state(t.TempDir())
	if err := os.MkdirAll(s.run(), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(s.server(), []byte("1\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if pid, is := s.serves(); is {
		t.Errorf("process %d is said to serve: nobody has the lock", pid)
	}
	claimed, err := s.claim()
	if err != nil {
		t.Fatal(err)
	}
	if pid, is := s.serves(); !is || pid != os.Getpid() {
		t.Errorf("%d, %t, want %d", pid, is, os.Getpid())
	}
	if _, err := s.claim(); err == nil {
		t.Error("a second one may serve from the same folder")
	}
	claimed.Close()
	if pid, is := s.serves(); is {
		t.Errorf("process %d is said to serve after its end", pid)
	}
}
