package environment

import (
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"
	"knative.dev/pkg/controller"
	rtesting "knative.dev/pkg/reconciler/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	environmentinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environment"
	classinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environmentclass"
	productinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/product"
	templateinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/servicetemplate"
	listers "spock.dev/spock/pkg/client/listers/spock/v1alpha1"
)

// listen runs an informer until the end of the test.
func (l *lab) listen(informer controller.Informer) {
	l.t.Helper()
	wait, err := rtesting.RunAndSyncInformers(l.ctx, informer)
	l.must(err)
	l.t.Cleanup(func() { l.cancel(); wait() })
}

// next is the name that is enqueued next.
func (l *lab) next() string {
	k, _ := l.impl.WorkQueue().Get()
	l.impl.WorkQueue().Done(k)
	return k.(types.NamespacedName).String()
}

func TestWhatAnEnvironmentIsMadeFromBringsItBack(t *testing.T) {
	t.Parallel()
	for name, listen := range map[string]func(*lab){
		"itself":       func(l *lab) { l.listen(environmentinformer.Get(l.ctx).Informer()) },
		"its product":  func(l *lab) { l.listen(productinformer.Get(l.ctx).Informer()) },
		"its class":    func(l *lab) { l.listen(classinformer.Get(l.ctx).Informer()) },
		"its template": func(l *lab) { l.listen(templateinformer.Get(l.ctx).Informer()) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			l.catchUp()
			listen(l)
			if got := l.next(); got != key {
				t.Errorf("%s was enqueued, want %s", got, key)
			}
		})
	}
}

func TestAProductOfOthersBringsNothingBack(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	other := shop()
	other.Name = "other"
	users := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "theirs"}, Spec: v1alpha1.EnvironmentSpec{Product: "other", Class: "dev"}}
	l.must(l.client.Tracker().Add(users))
	l.drop("products", team, "shop")
	l.must(l.client.Tracker().Add(other))
	l.catchUp()
	l.listen(productinformer.Get(l.ctx).Informer())
	if got := l.next(); got != team+"/theirs" {
		t.Errorf("%s was enqueued, want the environment of the product", got)
	}
}

func TestWhatMovesIsGatheredOnlyWhileAnEnvironmentIsTakenDown(t *testing.T) {
	t.Parallel()
	lister := func(env *v1alpha1.Environment) *Reconciler {
		store := cache.NewIndexer(cache.MetaNamespaceKeyFunc, cache.Indexers{})
		if err := store.Add(env); err != nil {
			t.Fatal(err)
		}
		return &Reconciler{environments: listers.NewEnvironmentLister(store)}
	}
	env := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "shop"}}
	name := types.NamespacedName{Namespace: team, Name: "shop"}
	if got := lister(env).calm(name); got != 0 {
		t.Errorf("what moves waits for %s", got)
	}
	if got := lister(env).calm(types.NamespacedName{Namespace: team, Name: "gone"}); got != 0 {
		t.Errorf("what moves where no environment is waits for %s", got)
	}
	now := metav1.Now()
	going := env.DeepCopy()
	going.DeletionTimestamp, going.Status.Services = &now, make([]v1alpha1.ServiceStatus, 500)
	if got := lister(going).calm(name); got != 500*dismantling {
		t.Errorf("what moves while it is taken down waits for %s, want %s", got, 500*dismantling)
	}
}
