package environment

import (
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
)

func (l *lab) drop(resource, namespace, name string) {
	l.t.Helper()
	l.must(l.client.Tracker().Delete(v1alpha1.SchemeGroupVersion.WithResource(resource), namespace, name))
}

func TestAnInvalidEnvironmentIsToldAndNothingIsWritten(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*lab)
		want   string
	}{
		"no product": {
			func(l *lab) { l.drop("products", team, "shop") },
			`spec.product: there is no Product "shop" in namespace team-a; create it, or name one of: kubectl get products -n team-a`,
		},
		"no class": {
			func(l *lab) { l.drop("environmentclasses", "", "dev") },
			`spec.class: there is no EnvironmentClass "dev"; create it, or name one of: kubectl get environmentclasses`,
		},
		"no template": {
			func(l *lab) { l.drop("servicetemplates", team, "service") },
			"product.spec.groups[0].services[0] (db): there is no template \"service\"; create it in the namespace of the product\n" +
				"product.spec.groups[1].services[0] (api): there is no template \"service\"; create it in the namespace of the product",
		},
		"services that wait for each other": {
			func(l *lab) {
				p := shop()
				p.Spec.Groups[0].Services[0].Needs = []v1alpha1.Need{{Service: "api"}}
				l.put(p, "products")
			},
			"product.spec.groups: services wait for each other: cycle db -> group:data -> api -> db (db is in group data; group apps comes after group data; db needs service api); set `soft: true` on the need of service db for service api, or remove it",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			tc.change(l)
			l.pass()
			l.tells("Failed: " + tc.want)
			want := []string{"patch environments", "update environments/status"}
			if diff := cmp.Diff(want, l.writes()); diff != "" {
				t.Errorf("requests (-want +got):\n%s", diff)
			}
			if ready := l.env().Status.GetCondition(apis.ConditionReady); !ready.IsFalse() || ready.Reason != v1alpha1.ReasonInvalid {
				t.Errorf("condition %+v", ready)
			}
			if l.target.writes > 0 || len(l.homes.prepared) > 0 || len(l.runs()) > 0 {
				t.Errorf("%d writes, %d namespaces, runs %v", l.target.writes, len(l.homes.prepared), l.runs())
			}
			l.pass()
			if got := l.writes(); len(got) > 0 {
				t.Errorf("a repeated pass does %v", got)
			}
			events := []string{`Normal FinalizerUpdate Updated "shop" finalizers`, "Warning InvalidSpec " + tc.want}
			if diff := cmp.Diff(events, l.happened()); diff != "" {
				t.Errorf("events (-want +got):\n%s", diff)
			}
		})
	}
}

func TestARefusalAfterTheRunBeganEndsIt(t *testing.T) {
	t.Parallel()
	kind := &target.KindError{Kind: schema.GroupVersionKind{Group: "example.com", Version: "v1", Kind: "Topic"}, Err: errors.New("the cluster does not know the kind")}
	tests := map[string]struct {
		begin, end func(*lab)
		want       string
	}{
		"a namespace of somebody else": {
			func(l *lab) { l.homes.err = foreign{} }, func(l *lab) { l.homes.err = nil },
			foreign{}.Error(),
		},
		"a kind that the cluster does not know": {
			func(l *lab) { l.target.observe = kind }, func(l *lab) { l.target.observe = nil },
			"kind Topic of example.com/v1: the cluster does not know the kind; install what defines it, or remove the manifest from the template",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			tc.begin(l)
			l.pass()
			l.tells("Failed: " + tc.want)
			run := l.run("shop-1")
			if !run.Done() || run.Status.Phase != v1alpha1.PhaseFailed || run.Status.Message != tc.want || l.target.writes > 0 {
				t.Errorf("run %+v after %d writes", run.Status, l.target.writes)
			}
			if !slices.Equal(l.woken, []time.Duration{refusedFor}) {
				t.Errorf("wakes after %v", l.woken)
			}
			l.pass()
			if got := l.writes(); len(got) > 0 {
				t.Errorf("a repeated pass does %v", got)
			}
			tc.end(l)
			l.bringUp()
		})
	}
}

func TestAnEarlierNamespaceIsWaitedFor(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.homes.waiting = true
	l.pass()
	l.tells("Progressing: waiting for an older namespace team-a-shop to go")
	l.homes.waiting = false
	l.bringUp()
}

func TestANamespaceThatCannotBePreparedIsTold(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.homes.err = errors.New("create namespace team-a-shop: etcd is away")
	if err := l.try(); !errors.Is(err, l.homes.err) {
		t.Errorf("Reconcile() = %v, want %v", err, l.homes.err)
	}
	l.tells("Progressing: preparing namespace team-a-shop; trying again: create namespace team-a-shop: etcd is away")
}

var forbidden = apierrors.NewForbidden(schema.GroupResource{Group: "apps", Resource: "deployments"}, "db", errors.New("no"))

func TestARefusedWriteIsTriedAgainAfterAWhile(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.target.apply["Deployment/db"] = forbidden
	l.pass()
	l.tells("Failed: service db failed: Forbidden: the cluster forbids it: no; 1 service blocked by it")
	if !slices.Contains(l.woken, refusedFor) {
		t.Errorf("wakes after %v, want %s", l.woken, refusedFor)
	}
	delete(l.target.apply, "Deployment/db")
	l.clock.SetTime(began.Add(refusedFor - time.Second))
	l.pass()
	if l.target.deployment("db") != nil || !slices.Contains(l.woken, time.Second) {
		t.Errorf("it is tried again too early, or never: wakes after %v", l.woken)
	}
	l.clock.SetTime(began.Add(refusedFor))
	l.pass()
	if l.target.deployment("db") == nil {
		t.Error("it is not tried again")
	}
	l.tells("Progressing: 0 of 2 services ready; db: written")
}

// Rights that were given a moment ago may not have reached every apiserver.
func TestRightsThatAreFreshAreWaitedFor(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.homes.fresh = true
	l.target.apply["Deployment/db"] = forbidden
	l.pass()
	l.tells("Progressing: waiting for the rights of service account default")
	if !slices.Contains(l.woken, rightsSettle) || l.run("shop-1").Done() {
		t.Errorf("wakes after %v, run done: %t", l.woken, l.run("shop-1").Done())
	}
	delete(l.target.apply, "Deployment/db")
	l.bringUp()
}

func TestAWriteThatMaySucceedLaterIsToldAndTriedAgain(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	busy := errors.New("apply Deployment/db: failed calling webhook: timeout")
	l.target.apply["Deployment/db"] = busy
	if err := l.try(); !errors.Is(err, busy) {
		t.Errorf("Reconcile() = %v, want %v", err, busy)
	}
	l.tells("Progressing: 0 of 2 services ready; db: written; trying again: apply Deployment/db: failed calling webhook: timeout")
	delete(l.target.apply, "Deployment/db")
	l.bringUp()
}

func TestWhatWasToldIsNotTheWordOnANewerSpec(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.bringUp()
	l.edit(func(env *v1alpha1.Environment) {
		env.Spec.Services = []v1alpha1.ServiceOverride{{Name: "db", Image: "registry/db:2"}}
	})
	busy := errors.New("etcd is away")
	l.client.PrependReactor("create", "environmentruns", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, busy })
	if err := l.try(); !errors.Is(err, busy) {
		t.Errorf("Reconcile() = %v, want %v", err, busy)
	}
	l.tells("Progressing: trying again: create run 2 of environment team-a/shop: etcd is away")
}

func TestWatchesThatAreNotInSyncAreWaitedFor(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.target.observe = target.ErrNotSynced
	l.pass()
	if l.target.writes > 0 || l.run("shop-1").Done() {
		t.Errorf("%d writes, run done: %t", l.target.writes, l.run("shop-1").Done())
	}
	l.target.observe = nil
	l.bringUp()
}

func TestSentencesThatDoNotFitAreCounted(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ text, want string }{
		"all fit":         {"one\ntwo", "one\ntwo"},
		"one is too much": {"one\ntwo\nthree", "one\ntwo\nand 1 more like these"},
		"a long first":    {"a sentence that is too long\ntwo", "a sentence\nand 1 more like these"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := lines(tc.text, 10); got != tc.want {
				t.Errorf("lines() = %q, want %q", got, tc.want)
			}
		})
	}
}
