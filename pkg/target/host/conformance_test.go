//go:build hosts

package host

import (
	"context"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/archive"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/rootfs"
	"spock.dev/spock/pkg/target"
	"spock.dev/spock/pkg/target/targettest"
	"spock.dev/spock/pkg/unit"
)

var shop = target.Scope{Environment: types.NamespacedName{Namespace: "team-a", Name: "shop"}, UID: "uid-1", Namespace: "team-a-shop", ServiceAccount: "deployer", Run: "shop-1"}

// on is a target with one machine, which two teams share.
func on(t *testing.T, b *box, epoch int64) (*Target, chan types.NamespacedName) {
	t.Helper()
	fleet := NewFleet(t.Context())
	changed := make(chan types.NamespacedName, 10_000)
	made := New(t.Context(), fleet, Door{
		Image: func(context.Context, target.Scope, unit.Instance, string) (v1.Image, error) {
			return image(t, "1"), nil
		},
		Archive: func(ctx context.Context, _ target.Scope, wanted unit.Archive) (rootfs.Layer, error) {
			return archive.Source{URL: wanted.URL, SHA256: wanted.SHA256, Strip: wanted.Strip, Below: strings.TrimPrefix(unit.App, "/")}.
				Layer(ctx, http.DefaultClient, unit.Folders()...), nil
		},
		Known: func(types.NamespacedName) []types.NamespacedName { return nil },
		Secret: func(_ context.Context, _ target.Scope, name, key string) (string, error) {
			return "hush of " + name + "/" + key, nil
		},
	},
		func() int64 { return epoch }, func(env types.NamespacedName) { changed <- env })
	b.join(t, fleet, "team-a", "db1")
	b.join(t, fleet, "team-b", "db1")
	return made, changed
}

func (b *box) join(t *testing.T, fleet *Fleet, namespace, name string) {
	t.Helper()
	fleet.Set(types.NamespacedName{Namespace: namespace, Name: name}, Place{Address: b.Address + ":22", User: "deploy", HostKey: b.HostKey},
		func(context.Context) ([]byte, []byte, error) {
			key, err := os.ReadFile(b.Key)
			return key, nil, err
		})
}

func instance(value string) map[string]any {
	return map[string]any{
		"host": "db1", "exec": []any{"/bin/sleep", "infinity"}, "env": []any{map[string]any{"name": "VALUE", "value": value}},
		"limits": map[string]any{}, "startSeconds": int64(20), "stopSeconds": int64(2), "running": true, "intact": true,
	}
}

func TestTheTargetIsOne(t *testing.T) {
	b := boot(t)
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		other := shop
		other.Environment, other.UID, other.Namespace = types.NamespacedName{Namespace: "team-b", Name: "shop"}, "uid-2", "team-b-shop"
		made, changed := on(t, b, 1)
		t.Cleanup(func() {
			login := b.login(t, "root")
			c, err := Dial(context.Background(), login)
			if err != nil {
				t.Fatal(err)
			}
			defer c.Close()
			_, err = c.Run(context.Background(), "systemctl stop 'spock-*'; rm -rf /etc/spock /var/lib/spock /etc/systemd/system/spock-*; systemctl daemon-reload", nil)
			if err != nil {
				t.Fatal(err)
			}
		})
		return targettest.Fixture{
			Target: made, Changed: changed, Scope: shop, Other: other, Kind: Kind,
			Content: func(o *unstructured.Unstructured, value string) { o.Object["spec"] = instance(value) },
			Value: func(o *unstructured.Unstructured) string {
				env, _, _ := unstructured.NestedSlice(o.Object, "spec", "env")
				return env[0].(map[string]any)["value"].(string)
			},
		}
	})
}

// wanted is an object of the shop.
func wanted(name, hash string, spec map[string]any) plan.Object {
	o := &unstructured.Unstructured{Object: map[string]any{"spec": spec}}
	o.SetGroupVersionKind(Kind)
	o.SetName(name)
	o.SetLabels(map[string]string{v1alpha1.LabelEnvironment: "shop", v1alpha1.LabelEnvironmentNamespace: "team-a", v1alpha1.LabelService: name})
	o.SetAnnotations(map[string]string{v1alpha1.AnnotationEnvironmentUID: "uid-1", v1alpha1.AnnotationHash: hash, v1alpha1.AnnotationNode: name})
	return plan.Object{Key: keyOf(name), Hash: hash, Desired: o}
}

// observed waits until an object of the shop is as expected; it looks when the shop is
// reported.
func observed(t *testing.T, on *Target, changed <-chan types.NamespacedName, name, what string, is func(*unstructured.Unstructured) bool) *unstructured.Unstructured {
	t.Helper()
	ctx, stop := context.WithTimeout(t.Context(), patience)
	defer stop()
	for {
		state, err := on.Observe(ctx, shop, nil)
		o := state.Objects[keyOf(name)]
		if err == nil && is(o) {
			return o
		}
		select {
		case <-changed:
		case <-ctx.Done():
			t.Fatalf("not seen in %s: %s; last %v, %v", patience, what, o, err)
		}
	}
}

func phase(want State) func(*unstructured.Unstructured) bool {
	return func(o *unstructured.Unstructured) bool { return o != nil && said(o, "status", "phase") == string(want) }
}

func said(o *unstructured.Unstructured, path ...string) string {
	text, _, _ := unstructured.NestedString(o.Object, path...)
	return text
}

func app(port int64) map[string]any {
	spec := instance("1")
	delete(spec, "exec")
	spec["image"], spec["ports"] = "registry.example.com/app:1", []any{port}
	spec["env"] = []any{map[string]any{"name": "PORT", "value": number(port)}, map[string]any{"name": "MOTD", "value": "two\nlines, a \\ and \"quotes\""}}
	spec["ready"] = []any{"0", "http", number(port), "/ready"}
	spec["secrets"] = []any{map[string]any{"name": "PASSWORD", "secret": "db", "key": "password"}}
	spec["volumes"] = []any{map[string]any{"name": "data", "path": "/data"}}
	return spec
}

func TestAServiceLivesOnAMachine(t *testing.T) {
	b := boot(t)
	made, changed := on(t, b, 1)
	root := dial(t, b.login(t, "root"))
	before := ask(t, root, leftovers)
	apply := func(o plan.Object) {
		t.Helper()
		if err := made.Apply(t.Context(), shop, o, true); err != nil {
			t.Fatal(err)
		}
	}
	apply(wanted("web", "h1", app(8080)))
	web := observed(t, made, changed, "web", "web runs", phase(Running))
	if got := ask(t, root, "curl -s 'http://127.0.0.1:8080/env?name=PASSWORD'"); got != "hush of db/password" {
		t.Errorf("the password is %q", got)
	}

	// By hand: stopped, edited. Both show as a field that is not as wanted.
	ask(t, root, "systemctl stop 'spock-*'")
	stopped := observed(t, made, changed, "web", "web was stopped", phase(Stopped))
	if running, _, _ := unstructured.NestedBool(stopped.Object, "spec", "running"); running {
		t.Errorf("it was stopped, and is %v", stopped)
	}
	ask(t, root, "for f in /etc/spock/services/*/current/*.service; do echo '# by hand' >> $f; done; systemctl start $(ls /etc/systemd/system | grep ^spock-)")
	observed(t, made, changed, "web", "web was edited", func(o *unstructured.Unstructured) bool {
		intact, _, _ := unstructured.NestedBool(o.Object, "spec", "intact")
		return phase(Running)(o) && !intact
	})
	apply(wanted("web", "h1", app(8080)))
	healed := observed(t, made, changed, "web", "web is as it was", func(o *unstructured.Unstructured) bool {
		intact, _, _ := unstructured.NestedBool(o.Object, "spec", "intact")
		return phase(Running)(o) && intact && o.GetAnnotations()[annotationApplied] != web.GetAnnotations()[annotationApplied]
	})
	if healed.GetUID() != web.GetUID() {
		t.Errorf("it was %s and is %s", web.GetUID(), healed.GetUID())
	}

	// A controller that knows nothing takes it over.
	again, changedAgain := on(t, b, 2)
	taken := observed(t, again, changedAgain, "web", "web is found", phase(Running))
	if taken.GetUID() != web.GetUID() || taken.GetAnnotations()[v1alpha1.AnnotationHash] != "h1" {
		t.Errorf("it was %v and is %v", web, taken)
	}
	if err := again.Apply(t.Context(), shop, wanted("web", "h2", app(8081)), true); err != nil {
		t.Fatal(err)
	}
	observed(t, again, changedAgain, "web", "web has moved to another port", func(o *unstructured.Unstructured) bool {
		return phase(Running)(o) && o.GetAnnotations()[v1alpha1.AnnotationHash] == "h2"
	})
	// The older one is refused.
	apply(wanted("web", "h3", app(8082)))
	observed(t, made, changed, "web", "the older controller is refused", func(o *unstructured.Unstructured) bool {
		return said(o, "status", "cause", "class") == string(Fenced)
	})

	if err := again.Delete(t.Context(), shop, keyOf("web"), taken.GetUID()); err != nil {
		t.Fatal(err)
	}
	observed(t, again, changedAgain, "web", "web is gone", func(o *unstructured.Unstructured) bool { return o == nil })
	if after := ask(t, root, leftovers); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}

func TestAMachineThatIsAwayIsWaitedFor(t *testing.T) {
	b := boot(t)
	made, changed := on(t, b, 1)
	observed(t, made, changed, "web", "it is known", func(o *unstructured.Unstructured) bool { return o == nil })
	apply := func(name string, port int64) {
		t.Helper()
		if err := made.Apply(t.Context(), shop, wanted(name, "h1", app(port)), false); err != nil {
			t.Fatal(err)
		}
	}
	apply("web", 8080)
	web := observed(t, made, changed, "web", "web runs", phase(Running))
	b.cable(t, "down")
	apply("worker", 8081)
	away := func(o *unstructured.Unstructured) bool {
		return phase(Failed)(o) && said(o, "status", "cause", "class") == string(Unreachable)
	}
	observed(t, made, changed, "web", "the machine is away", away)
	observed(t, made, changed, "worker", "what is to go there waits", away)
	// Another controller does not see what is there, and wants it as it is.
	next, changedNext := on(t, b, 2)
	if err := next.Apply(t.Context(), shop, wanted("web", "h1", app(8080)), false); err != nil {
		t.Fatal(err)
	}
	observed(t, next, changedNext, "web", "it waits as well", away)
	b.cable(t, "up")
	observed(t, made, changed, "worker", "it goes on when it is back", phase(Running))
	observed(t, made, changed, "web", "what was there is seen again", phase(Running))
	taken := observed(t, next, changedNext, "web", "it is taken as it is", phase(Running))
	if web.GetUID() != taken.GetUID() || web.GetAnnotations()[annotationApplied] != taken.GetAnnotations()[annotationApplied] {
		t.Errorf("it was written again: %v, and now %v", web.GetAnnotations(), taken.GetAnnotations())
	}
}

func TestAMachineThatBootsIsUsedInSeconds(t *testing.T) {
	b := boot(t)
	made, changed := on(t, b, 1)
	apply := func() {
		t.Helper()
		if err := made.Apply(t.Context(), shop, wanted("web", "h1", app(8080)), true); err != nil {
			t.Fatal(err)
		}
	}
	apply()
	observed(t, made, changed, "web", "web runs", phase(Running))
	b.cut(t)
	observed(t, made, changed, "web", "the machine is away", func(o *unstructured.Unstructured) bool {
		return phase(Failed)(o) && said(o, "status", "cause", "class") == string(Unreachable)
	})
	b.up(t)
	back := time.Now()
	observed(t, made, changed, "web", "its disk is seen to be empty", func(o *unstructured.Unstructured) bool { return o == nil })
	seen := time.Since(back)
	apply()
	observed(t, made, changed, "web", "web runs again", phase(Running))
	t.Logf("after the boot it was seen in %s, and web ran in %s", seen.Round(time.Millisecond), time.Since(back).Round(time.Millisecond))
	if seen > unheeded+answerWithin {
		t.Errorf("it was seen %s after it had booted", seen)
	}
}

func TestAServiceMovesFromOneMachineToAnother(t *testing.T) {
	first, second := boot(t), boot(t)
	made, changed := on(t, first, 1)
	second.join(t, made.fleet, "team-a", "db2")
	apply := func(host, hash string) {
		t.Helper()
		spec := app(8080)
		spec["host"] = host
		if err := made.Apply(t.Context(), shop, wanted("web", hash, spec), true); err != nil {
			t.Fatal(err)
		}
	}
	at := func(host, hash string) func(*unstructured.Unstructured) bool {
		return func(o *unstructured.Unstructured) bool {
			return phase(Running)(o) && said(o, "spec", "host") == host && o.GetAnnotations()[v1alpha1.AnnotationHash] == hash
		}
	}
	one, two := dial(t, first.login(t, "root")), dial(t, second.login(t, "root"))
	before := ask(t, one, leftovers)
	apply("db1", "h1")
	web := observed(t, made, changed, "web", "web runs on the first", at("db1", "h1"))
	apply("db2", "h2")
	moved := observed(t, made, changed, "web", "web runs on the second", at("db2", "h2"))
	if moved.GetUID() != web.GetUID() {
		t.Errorf("it was %s and is %s", web.GetUID(), moved.GetUID())
	}
	if after := ask(t, one, leftovers); after != before {
		t.Errorf("on the first, before:\n%s\nafter:\n%s", before, after)
	}
	if got := ask(t, two, "curl -s http://127.0.0.1:8080/env?name=PORT"); got != "8080" {
		t.Errorf("on the second it answers %q", got)
	}

	// It cannot be stopped on a machine that is away; it is forgotten with the Host.
	second.cable(t, "down")
	apply("db1", "h3")
	observed(t, made, changed, "web", "the second is away", func(o *unstructured.Unstructured) bool {
		return said(o, "status", "cause", "class") == string(Unreachable)
	})
	made.fleet.Drop(types.NamespacedName{Namespace: "team-a", Name: "db2"})
	observed(t, made, changed, "web", "web runs on the first again", at("db1", "h3"))
}

func TestAFailedServiceTellsItsLastLines(t *testing.T) {
	b := boot(t)
	made, changed := on(t, b, 1)
	spec := app(8080)
	spec["env"] = append(spec["env"].([]any), map[string]any{"name": "FAIL", "value": "no database"})
	for name, s := range map[string]map[string]any{"failing": spec, "taken": app(22)} {
		if err := made.Apply(t.Context(), shop, wanted(name, "h1", s), false); err != nil {
			t.Fatal(err)
		}
	}
	failing := observed(t, made, changed, "failing", "its log is told", func(o *unstructured.Unstructured) bool {
		return phase(Failed)(o) && said(o, "status", "cause", "log") != ""
	})
	if class := said(failing, "status", "cause", "class"); class != "CrashLoop" {
		t.Errorf("class %s of %v", class, failing)
	}
	observed(t, made, changed, "taken", "its port is taken", func(o *unstructured.Unstructured) bool {
		return said(o, "status", "cause", "class") == string(PortTaken)
	})
	if log, err := made.Log(t.Context(), shop, "failing", "", false, 5); err != nil || log == "" {
		t.Errorf("Log() = %q, %v", log, err)
	}
}
