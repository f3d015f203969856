package cli

import (
	"context"
	"encoding/json"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// patch is a write of `env up`.
type patch struct {
	Manager, Type string
	Spec          map[string]any
}

// stores makes every patch end in this environment, and records the patches.
func (w *world) stores(t *testing.T, end *v1alpha1.Environment) *[]patch {
	t.Helper()
	var patches []patch
	w.spock.PrependReactor("patch", "environments", func(action clienttesting.Action) (bool, runtime.Object, error) {
		p := action.(clienttesting.PatchActionImpl)
		var body struct{ Spec map[string]any }
		if err := json.Unmarshal(p.Patch, &body); err != nil {
			t.Error(err)
		}
		patches = append(patches, patch{p.PatchOptions.FieldManager, string(p.PatchType), body.Spec})
		gvr := v1alpha1.SchemeGroupVersion.WithResource("environments")
		if w.spock.Tracker().Update(gvr, end, end.Namespace) != nil {
			if err := w.spock.Tracker().Create(gvr, end, end.Namespace); err != nil {
				t.Error(err)
			}
		}
		return true, end, nil
	})
	return &patches
}

func TestUpEndsWithTheRollout(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		end  func(*v1alpha1.Environment)
		args []string
	}{
		"up-ready":     {ready, nil},
		"up-failed":    {failed, nil},
		"up-invalid":   {invalid, nil},
		"up-suspended": {suspended, nil},
		"up-timeout":   {progressing, []string{"--timeout", "1ns"}},
		"up-unseen":    {unseen, []string{"--timeout", "1ns"}},
		"up-no-wait":   {unseen, []string{"--wait=false"}},
		"up-name":      {ready, []string{"-o", "name"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.stores(t, environment("shop", tt.end))
			w.run(append([]string{"env", "up", "shop", "--product", "shop", "--class", "dev"}, tt.args...)...).golden(t, name)
		})
	}
}

func TestUpTellsTheStoryAsItHappens(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stores(t, environment("shop", progressing))
	events := watch.NewFakeWithChanSize(2, false)
	events.Modify(environment("shop", progressing))
	events.Modify(environment("shop", ready))
	w.spock.PrependWatchReactor("environments", clienttesting.DefaultWatchReactor(events, nil))
	w.run("env", "up", "shop", "--product", "shop", "--class", "dev").golden(t, "up-story")
}

func TestAnInterruptStopsTheWatchingAlone(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.stores(t, environment("shop", progressing))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.ctx = ctx
	w.run("env", "up", "shop", "--product", "shop", "--class", "dev").golden(t, "up-interrupted")
}

const file = `
apiVersion: v1
kind: ConfigMap
metadata: {name: other}
---
apiVersion: spock.dev/v1alpha1
kind: Environment
metadata: {name: shop}
spec:
  product: shop
  class: dev
  only: [web]
`

func TestUpWrites(t *testing.T) {
	t.Parallel()
	type fields = map[string]any
	services := func(name, image string) []any { return []any{fields{"name": name, "image": image}} }
	stored := environment("shop", ready)
	tests := map[string]struct {
		existing *v1alpha1.Environment
		args     []string
		want     []patch
	}{
		"one apply for a deploy of images": {
			existing: stored,
			args:     []string{"--image", "orders=r/orders:2", "--param", "replicas=2", "--source", "abc", "--service-account", "deployer"},
			want: []patch{{"spock-deploy", "application/apply-patch+yaml", fields{
				"product": "shop", "class": "dev", "suspend": false, "serviceAccountName": "deployer",
				"parameters": fields{"replicas": 2.0}, "run": fields{"source": "abc", "services": services("orders", "r/orders:2")},
			}}},
		},
		"a new one suspended, until its images are known": {
			args: []string{"--product", "shop", "--class", "dev", "--only", "web,orders", "--image", "orders=r/orders:2"},
			want: []patch{
				{"spock-cli", "application/apply-patch+yaml", fields{"product": "shop", "class": "dev", "suspend": true, "only": []any{"web", "orders"}}},
				{"spock-deploy", "application/apply-patch+yaml", fields{"product": "shop", "class": "dev", "suspend": false, "run": fields{"services": services("orders", "r/orders:2")}}},
			},
		},
		"another restriction in place of the old one": {
			existing: stored,
			args:     []string{"--only", "orders", "--source", "abc"},
			want: []patch{
				{"spock-cli", "application/merge-patch+json", fields{"only": []any{"orders"}}},
				{"spock-deploy", "application/apply-patch+yaml", fields{"product": "shop", "class": "dev", "suspend": false, "run": fields{"source": "abc"}}},
			},
		},
		"no restriction when it is lifted": {
			existing: stored,
			args:     []string{"--only", "", "--source", "abc"},
			want: []patch{
				{"spock-cli", "application/merge-patch+json", fields{"only": nil}},
				{"spock-deploy", "application/apply-patch+yaml", fields{"product": "shop", "class": "dev", "suspend": false, "run": fields{"source": "abc"}}},
			},
		},
		"the spec of a file as its own manager": {
			existing: stored,
			args:     []string{"-f", "-", "--source", "abc"},
			want: []patch{
				{"spock-cli", "application/apply-patch+yaml", fields{"product": "shop", "class": "dev", "only": []any{"web"}}},
				{"spock-deploy", "application/apply-patch+yaml", fields{"product": "shop", "class": "dev", "suspend": false, "run": fields{"source": "abc"}}},
			},
		},
		"a new attempt after a failure": {
			existing: environment("shop", failed),
			args:     []string{"--source", "abc"},
			want: []patch{{"spock-deploy", "application/apply-patch+yaml", fields{
				"product": "shop", "class": "dev", "suspend": false, "run": fields{"attempt": "up-20260504-120000", "source": "abc"},
			}}},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			if tt.existing != nil {
				w = newWorld(t, tt.existing)
			}
			w.stdin = file
			patches := w.stores(t, environment("shop", ready))
			got := w.run(append([]string{"env", "up", "shop", "--wait=false"}, tt.args...)...)
			if diff := cmp.Diff(tt.want, *patches); diff != "" || got.code != ExitOK {
				t.Errorf("exit %d, stderr %q, writes (-want +got):\n%s", got.code, got.err, diff)
			}
		})
	}
}

func TestUpRefusesWithoutAWrite(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args  []string
		stdin string
		code  int
		want  string
	}{
		"another product":                  {[]string{"shop", "--product", "bank"}, "", ExitFailed, "it is an instance of product shop, not bank"},
		"a file for another name":          {[]string{"bank", "-f", "-"}, file, ExitUsage, "stdin: metadata.name is shop, but the command line says bank"},
		"a file for another namespace":     {[]string{"-f", "-", "-n", "b"}, strings.Replace(file, "{name: shop}", "{name: shop, namespace: a}", 1), ExitUsage, "the file says namespace a, but the command line says b"},
		"a file with an unknown field":     {[]string{"-f", "-"}, strings.Replace(file, "only:", "onyl:", 1), ExitUsage, `unknown field "spec.onyl"`},
		"a file without an environment":    {[]string{"-f", "-"}, "kind: ConfigMap\napiVersion: v1\n", ExitUsage, "stdin: there is no Environment of spock.dev/v1alpha1 in it"},
		"a file with two of them":          {[]string{"-f", "-"}, file + "---" + file[strings.Index(file, "---")+3:], ExitUsage, "stdin: there is more than one Environment in it"},
		"a file for an existing other one": {[]string{"-f", "-", "--class", "staging"}, file, ExitUsage, "stdin: spec.class is dev, but the command line says staging"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, environment("shop", ready))
			w.stdin = tt.stdin
			patches := w.stores(t, environment("shop", ready))
			got := w.run(append([]string{"env", "up"}, tt.args...)...)
			if got.code != tt.code || !strings.Contains(got.err, tt.want) || len(*patches) > 0 {
				t.Errorf("exit %d, stderr %q, writes %v; want exit %d, %q and no write", got.code, got.err, *patches, tt.code, tt.want)
			}
		})
	}
}
