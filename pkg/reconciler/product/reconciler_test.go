package product

import (
	"context"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"go.uber.org/zap"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"
	_ "knative.dev/pkg/client/injection/kube/client/fake"
	"knative.dev/pkg/logging"
	"knative.dev/pkg/reconciler"
	rtesting "knative.dev/pkg/reconciler/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	fakespockclient "spock.dev/spock/pkg/client/injection/client/fake"
	productinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/product"
	_ "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/product/fake"
	templateinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/servicetemplate"
	_ "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/servicetemplate/fake"
	"spock.dev/spock/pkg/reconciler/lease"
)

func web() *v1alpha1.ServiceTemplate {
	return &v1alpha1.ServiceTemplate{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "web"},
		Spec: v1alpha1.ServiceTemplateSpec{
			Parameters: []v1alpha1.Parameter{{Name: "logLevel", Type: v1alpha1.ParameterString, Default: &apiextensionsv1.JSON{Raw: []byte(`"info"`)}}},
			Container:  &v1alpha1.Container{},
		},
	}
}

func shop(change func(*v1alpha1.ProductService)) *v1alpha1.Product {
	s := v1alpha1.ProductService{Name: "web", Template: "web"}
	change(&s)
	return &v1alpha1.Product{
		ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "shop", Generation: 2},
		Spec:       v1alpha1.ProductSpec{Groups: []v1alpha1.Group{{Name: "frontend", Services: []v1alpha1.ProductService{s}}}},
	}
}

// lab is a cluster with a product and a template in it.
type lab struct {
	ctx context.Context
	rec interface {
		Reconcile(context.Context, string) error
	}
}

func newLab(t *testing.T, p *v1alpha1.Product) *lab {
	t.Helper()
	ctx, cancel, _ := rtesting.SetupFakeContextWithCancel(t, func(ctx context.Context) context.Context {
		return logging.WithLogger(ctx, zap.NewNop().Sugar())
	})
	t.Cleanup(cancel)
	if err := fakespockclient.Get(ctx).Tracker().Add(p); err != nil {
		t.Fatal(err)
	}
	if err := productinformer.Get(ctx).Informer().GetIndexer().Add(p); err != nil {
		t.Fatal(err)
	}
	if err := templateinformer.Get(ctx).Informer().GetIndexer().Add(web()); err != nil {
		t.Fatal(err)
	}
	impl := newController(ctx, &lease.Health{})
	if err := impl.Reconciler.(reconciler.LeaderAware).Promote(reconciler.UniversalBucket(), nil); err != nil {
		t.Fatal(err)
	}
	return &lab{ctx, impl.Reconciler}
}

// told is the product as it is stored after a pass, which the lister learns of.
func (l *lab) told(t *testing.T) *v1alpha1.Product {
	t.Helper()
	if err := l.rec.Reconcile(l.ctx, "team-a/shop"); err != nil {
		t.Fatal(err)
	}
	got, err := fakespockclient.Get(l.ctx).SpockV1alpha1().Products("team-a").Get(l.ctx, "shop", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := productinformer.Get(l.ctx).Informer().GetIndexer().Update(got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestAProductTellsWhetherItIsRight(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		change          func(*v1alpha1.ProductService)
		status          string
		reason, message string
	}{
		"right": {func(*v1alpha1.ProductService) {}, "True", "Valid", "1 services in 1 groups"},
		"template": {func(s *v1alpha1.ProductService) { s.Template = "wep" }, "False", "InvalidSpec",
			`product.spec.groups[0].services[0] (web): there is no template "wep"; did you mean "web"?`},
		"two things": {func(s *v1alpha1.ProductService) {
			s.Parameters = map[string]apiextensionsv1.JSON{"loglevel": {Raw: []byte(`"debug"`)}}
			s.Image = "Not An Image"
		}, "False", "InvalidSpec", `product.spec.groups[0].services[0] (web): parameter loglevel: template "web" has no such parameter; did you mean "logLevel"?
product.spec.groups[0].services[0] (web): image: "Not An Image" is not an image reference; write an image like registry/name:tag or registry/name@sha256:...`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, shop(c.change))
			got := l.told(t)
			condition := got.Status.GetCondition(apis.ConditionReady)
			want := []string{c.status, c.reason, c.message}
			if diff := cmp.Diff(want, []string{string(condition.Status), condition.Reason, condition.Message}); diff != "" {
				t.Errorf("condition (-want +got):\n%s", diff)
			}
			if got.Status.ObservedGeneration != 2 {
				t.Errorf("the status is of generation %d", got.Status.ObservedGeneration)
			}
			fakespockclient.Get(l.ctx).ClearActions()
			l.told(t)
			for _, a := range fakespockclient.Get(l.ctx).Actions() {
				if a.GetVerb() != "get" {
					t.Errorf("a second pass does %s of %s", a.GetVerb(), a.GetResource().Resource)
				}
			}
		})
	}
}

func TestALongMessageKeepsWholeSentences(t *testing.T) {
	t.Parallel()
	got := shorten(strings.Repeat(strings.Repeat("x", 99)+"\n", 50))
	if !strings.HasSuffix(got, "x\n(11 more)") || len(got) > most+20 {
		t.Errorf("%d bytes, the end is %q", len(got), got[len(got)-30:])
	}
}
