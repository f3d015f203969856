package host

import (
	"errors"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	"knative.dev/pkg/controller"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	fakespockclient "spock.dev/spock/pkg/client/injection/client/fake"
	environmentinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environment"
	_ "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environment/fake"
	"spock.dev/spock/pkg/target/host"
)

const finalizer = v1alpha1.FinalizerHost

// holds says whether the Host is still held.
func (r *rig) holds() bool {
	r.Helper()
	if err := r.pass(); err != nil && !controller.IsSkipKey(err) {
		r.Fatal(err)
	}
	return slices.Contains(r.stored().Finalizers, finalizer)
}

func TestAHostIsHeldFromItsFirstPass(t *testing.T) {
	t.Parallel()
	r := newRig(t, machine(), host.Sight{}, nil)
	if err := r.pass(); err != nil {
		t.Fatal(err)
	}
	var patches []string
	for _, a := range fakespockclient.Get(r.ctx).Actions() {
		if p, ok := a.(clienttesting.PatchAction); ok {
			patches = append(patches, string(p.GetPatch()))
		}
	}
	if len(patches) != 1 || !strings.Contains(patches[0], `"finalizers":["spock.dev/host"]`) {
		t.Errorf("patches %q", patches)
	}
}

// A Host that is deleted goes when its environments have taken their services away.
func TestAHostThatIsDeletedWaitsForItsServices(t *testing.T) {
	t.Parallel()
	now := metav1.Now()
	deleted := func(h *v1alpha1.Host) {
		h.Finalizers, h.DeletionTimestamp = []string{finalizer, "somebody.else/too"}, &now
	}
	shop := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "shop"}}
	tests := map[string]struct {
		sight  host.Sight
		change func(*v1alpha1.Host)
		held   bool
	}{
		"a service is left":             {sight: on(service("shop", "web", "active"), service("gone", "db", "active")), held: true},
		"what no environment has":       {sight: on(service("gone", "db", "active"))},
		"nothing is left":               {sight: on()},
		"it is being connected":         {sight: host.Sight{}, held: true},
		"it is away":                    {sight: host.Sight{Failure: &host.Failure{Class: host.Unreachable, Host: "db1", Message: "it does not answer"}}},
		"its credentials are gone":      {sight: host.Sight{Failure: errors.Join(host.ErrNoCredentials, errors.New("not found"))}},
		"nobody can say whether it was": {change: func(h *v1alpha1.Host) { h.Spec.HostKey = "nonsense" }},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			change := []func(*v1alpha1.Host){deleted}
			if tt.change != nil {
				change = append(change, tt.change)
			}
			r := newRig(t, machine(change...), tt.sight, nil)
			if err := environmentinformer.Get(r.ctx).Informer().GetIndexer().Add(shop); err != nil {
				t.Fatal(err)
			}
			if held := r.holds(); held != tt.held {
				t.Errorf("held %t, want %t", held, tt.held)
			}
		})
	}
}

func TestAHostThatIsDeletedSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	now := metav1.Now()
	r := newRig(t, machine(func(h *v1alpha1.Host) { h.Finalizers, h.DeletionTimestamp = []string{finalizer}, &now }),
		on(service("shop", "web", "active")), nil)
	shop := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "shop"}}
	environments := environmentinformer.Get(r.ctx).Informer().GetIndexer()
	if err := environments.Add(shop); err != nil {
		t.Fatal(err)
	}
	if !r.holds() {
		t.Fatal("it is not held")
	}
	got := r.stored().Status.GetCondition("Ready")
	if got.Reason != v1alpha1.ReasonDeleting || !strings.Contains(got.Message, "web of team-a/shop") {
		t.Errorf("it says %+v", got)
	}
	if err := environments.Delete(shop); err != nil {
		t.Fatal(err)
	}
	if err := r.pass(); err != nil {
		t.Fatal(err)
	}
	left, err := fakespockclient.Get(r.ctx).SpockV1alpha1().Hosts("team-a").Get(r.ctx, "db1", metav1.GetOptions{})
	if err == nil && slices.Contains(left.Finalizers, finalizer) {
		t.Errorf("its environment is gone, and it is held: %v", left.Finalizers)
	}
	if _, set := r.fleet.places[types.NamespacedName{Namespace: "team-a", Name: "db1"}]; !set {
		t.Error("the connection was closed before the Host was gone")
	}
}
