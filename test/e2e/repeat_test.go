//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func TestARepeatedDeployWritesNothing(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.watchRequests()
	l.create(page(), l.shop(l.service("db", "page"), l.service("orders", "page"), l.service("web", "page")))
	if end := l.ended(l.deploy("shop", "shop")); !end.IsTrue() {
		t.Fatalf("the first deploy ended %s: %s", end.Reason, end.Message)
	}
	before := l.reaches("shop", v1alpha1.PhaseReady, 1)
	if wrote := of("patch", "deployments", in(l.home("shop"), writes(log.read()))); len(wrote) != 3 {
		t.Fatalf("the first deploy wrote the deployments %v: the audit log shows not what it should", wrote)
	}

	// A change that means nothing brings the environment back to the controller.
	_, err := l.spock.SpockV1alpha1().Products(l.name).Patch(l.ctx, "shop", types.MergePatchType, []byte(`{"metadata":{"annotations":{"touched":"yes"}}}`), metav1.PatchOptions{})
	l.must(err)
	if end := l.ended(l.deploy("shop", "shop")); !end.IsTrue() {
		t.Errorf("the repeated deploy ended %s: %s", end.Reason, end.Message)
	}
	if again := l.spockCommand("env", "up", "shop", "-n", l.name, "--product", "shop", "--class", l.name, "--service-account", account); !strings.Contains(again, "ready") {
		t.Errorf("spock env up says:\n%s", again)
	}
	all := writes(log.read())
	if home := in(l.home("shop"), all); len(home) > 0 {
		t.Errorf("a repeated deploy writes into the environment:\n%s", listing(home))
	}
	// A Deploy asks by one apply as its service account, which changes nothing here.
	asked := slices.DeleteFunc(in(l.name, all), func(r request) bool { return r.ObjectRef.Resource == "customruns" })
	if len(asked) != 1 || asked[0].ObjectRef.Resource != "environments" || asked[0].ObjectRef.Subresource != "" {
		t.Errorf("beside the CustomRun and the one apply of it there is:\n%s", listing(asked))
	}
	after, err := l.spock.SpockV1alpha1().Environments(l.name).Get(l.ctx, "shop", metav1.GetOptions{})
	l.must(err)
	if after.ResourceVersion != before.ResourceVersion {
		t.Errorf("the Environment changed:\n%s", cmp.Diff(before, after))
	}
}

func TestAParameterRollsOnlyWhoUsesIt(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	log := l.watchRequests()
	l.create(page(), idle(), product("shop",
		group("data", l.service("db", "idle")),
		group("backend", l.service("orders", "page"), l.service("worker", "idle")),
		group("frontend", l.service("web", "page")),
	), l.environment("shop", "shop"))
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	log.read()

	generation := l.change("shop", func(spec *v1alpha1.EnvironmentSpec) {
		spec.Parameters = map[string]apiextensionsv1.JSON{"greeting": *raw("good morning")}
	})
	l.reaches("shop", v1alpha1.PhaseReady, generation)
	all := in(l.home("shop"), writes(log.read()))
	if diff := cmp.Diff([]string{"orders", "web"}, of("patch", "deployments", all)); diff != "" {
		t.Errorf("the deployments that were written (-want +got):\n%s\n%s", diff, listing(all))
	}
	got := map[string]int64{}
	list, err := l.kube.AppsV1().Deployments(l.home("shop")).List(l.ctx, metav1.ListOptions{})
	l.must(err)
	for _, d := range list.Items {
		got[d.Name] = d.Generation
	}
	if diff := cmp.Diff(map[string]int64{"db": 1, "worker": 1, "orders": 2, "web": 2}, got); diff != "" {
		t.Errorf("generations of the deployments (-want +got):\n%s", diff)
	}
}
