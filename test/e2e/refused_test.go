//go:build e2e

package e2e

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// TestBadInputIsRefusedInASentence changes one thing of a shop that is right otherwise.
func TestBadInputIsRefusedInASentence(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.create(page(), idle())
	long := strings.Repeat("a", 60)
	cycle := func(p *v1alpha1.Product) {
		p.Spec.Groups[0].Services[0].Needs = []v1alpha1.Need{{Service: "web"}}
	}
	expression := func(p *v1alpha1.Product) {
		p.Spec.Groups[2].Services[0].Env = []v1alpha1.EnvVar{{Name: "ORDERS", Value: ptr.To("http://${services.order.host}")}}
	}
	tests := map[string]struct {
		name    string // of the environment and its product
		product func(*v1alpha1.Product)
		env     func(*v1alpha1.EnvironmentSpec)
		want    string
	}{
		"an unknown product": {name: "product", env: func(s *v1alpha1.EnvironmentSpec) { s.Product = "shoop" },
			want: `spec.product: there is no Product "shoop" in namespace LAB; create it, or name one of: kubectl get products -n LAB`},
		"an unknown class": {name: "class", env: func(s *v1alpha1.EnvironmentSpec) { s.Class = "e2e-no-such-class" },
			want: `spec.class: there is no EnvironmentClass "e2e-no-such-class"; create it, or name one of: kubectl get environmentclasses`},
		"an unknown template": {name: "template", product: func(p *v1alpha1.Product) { p.Spec.Groups[0].Services[0].Template = "pagee" },
			want: `product.spec.groups[0].services[0] (db): there is no template "pagee"; did you mean "page"?`},
		"a cycle": {name: "cycle", product: cycle,
			want: "product.spec.groups: services wait for each other: cycle db -> group:data -> orders -> group:backend -> web -> db " +
				"(db is in group data; group backend comes after group data; orders is in group backend; group frontend comes after group backend; db needs service web); " +
				"set `soft: true` on the need of service db for service web, or remove it"},
		"a wrong expression": {name: "expression", product: expression,
			want: `product.spec.groups[2].services[0] (web): env ORDERS: column 10: there is no service "order"; did you mean "orders"?`},
		"an image that is no reference": {name: "image", product: func(p *v1alpha1.Product) { p.Spec.Groups[2].Services[0].Image = "Web:1:2" },
			want: `product.spec.groups[2].services[0] (web): image: "Web:1:2" is not an image reference; write an image like registry/name:tag or registry/name@sha256:...`},
		"two services of one name": {name: "twice", product: func(p *v1alpha1.Product) { p.Spec.Groups[2].Services[0].Name = "db" },
			want: `product.spec.groups[2].services[0] (db): the service "db" is in groups "data" and "frontend"; rename one of them`},
		"a product without groups": {name: "empty", product: func(p *v1alpha1.Product) { p.Spec.Groups = []v1alpha1.Group{} },
			want: `product.spec.groups: the product "empty" has no groups; add a group with a service`},
		"a name too long for a namespace": {name: long,
			want: `environment.metadata.name (` + long + `): its namespace "LAB-` + long + `" is 70 characters long, 7 more than the 63 a namespace may have; shorten the name of the environment`},
		"a name too long for a service": {name: "service", product: func(p *v1alpha1.Product) { p.Spec.Groups[0].Services[0].Name = strings.Repeat("d", 41) },
			want: `product.spec.groups[0].services[0] (` + strings.Repeat("d", 41) + `): the service name is 41 characters long, 1 more than the 40 that fit into the names of its objects; shorten it`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			l := *l
			l.T = t
			p := l.shop(l.service("db", "page"), l.service("orders", "page"), l.service("web", "page"))
			p.Name = tc.name
			if tc.product != nil {
				tc.product(p)
			}
			env := l.environment(tc.name, tc.name)
			if tc.env != nil {
				tc.env(&env.Spec)
			}
			l.create(p, env)
			env = l.reaches(tc.name, v1alpha1.PhaseFailed, 1)
			want := strings.ReplaceAll(tc.want, "LAB", l.name)
			if env.Status.Message != want {
				t.Errorf("the Environment says\n%s\nwant the one sentence\n%s", env.Status.Message, want)
			}
			if ready := env.Status.GetCondition(apis.ConditionReady); !ready.IsFalse() || ready.Reason != v1alpha1.ReasonInvalid {
				t.Errorf("condition %+v", ready)
			}
			if why := l.spockCommand("env", "why", tc.name, "-n", l.name); !strings.Contains(why, want) {
				t.Errorf("spock env why says\n%s", why)
			}
			if _, err := l.kube.CoreV1().Namespaces().Get(l.ctx, l.home(tc.name), metav1.GetOptions{}); !apierrors.IsNotFound(err) {
				t.Errorf("a namespace was made: %v", err)
			}
			if runs := l.runs(tc.name); len(runs) > 0 {
				t.Errorf("there are runs %v", runs)
			}
		})
	}
}

func TestAnAccountWithoutRightsIsRefusedInASentence(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	role := l.name + "-no-deployments"
	l.clusterRole(role, nil, rbacv1.PolicyRule{APIGroups: []string{""}, Resources: []string{"services", "configmaps"}, Verbs: []string{"create", "patch", "get", "delete"}})
	l.clusterRole(l.name+"-bind", map[string]string{"spock.dev/aggregate-to-controller": "true"}, rbacv1.PolicyRule{
		APIGroups: []string{rbacv1.GroupName}, Resources: []string{"clusterroles"}, ResourceNames: []string{role}, Verbs: []string{"bind"},
	})
	await(l, ref{clusterRoles, "", "spock-controller-additional"}, soon, "it has the right to bind "+role, func(r *rbacv1.ClusterRole) bool {
		return r != nil && slices.ContainsFunc(r.Rules, func(rule rbacv1.PolicyRule) bool { return slices.Contains(rule.ResourceNames, role) })
	})
	class, err := l.spock.SpockV1alpha1().EnvironmentClasses().Get(l.ctx, l.name, metav1.GetOptions{})
	l.must(err)
	class.Spec.DeployerRole = role
	_, err = l.spock.SpockV1alpha1().EnvironmentClasses().Update(l.ctx, class, metav1.UpdateOptions{})
	l.must(err)

	l.create(page(), l.shop(l.service("db", "page"), l.service("orders", "page"), l.service("web", "page")), l.environment("shop", "shop"))
	env := l.reaches("shop", v1alpha1.PhaseFailed, 1)
	got := env.Status.Service("db").Cause
	if got == nil {
		t.Fatalf("db is %s without a cause: %s", env.Status.Service("db").State, env.Status.Message)
	}
	want := &v1alpha1.Cause{
		Class: v1alpha1.CauseForbidden, Object: "Deployment/db",
		Message: "service account " + l.name + "/" + account + " may not patch deployments.apps in namespace " + l.home("shop"),
		Hint: "give service account " + l.name + "/" + account + ` the rule apiGroups: ["apps"], resources: [deployments], verbs: [create, patch] by a Role bound to it in namespace ` +
			l.home("shop") + ", or the deployer role of the environment's class",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("the cause of db (-want +got):\n%s", diff)
	}
	if message := "service db failed: Forbidden: " + want.Message + "; 2 services blocked by it"; env.Status.Message != message {
		t.Errorf("the Environment says %q, want %q", env.Status.Message, message)
	}
	if got := l.written("shop"); len(got) > 0 {
		t.Errorf("there are deployments %v", got)
	}
}

// clusterRole makes a ClusterRole for the time of the test.
func (l *lab) clusterRole(name string, labels map[string]string, rules ...rbacv1.PolicyRule) {
	l.Helper()
	_, err := l.kube.RbacV1().ClusterRoles().Create(l.ctx, &rbacv1.ClusterRole{ObjectMeta: metav1.ObjectMeta{Name: name, Labels: labels}, Rules: rules}, metav1.CreateOptions{})
	l.must(err)
	l.Cleanup(func() {
		if err := l.kube.RbacV1().ClusterRoles().Delete(context.Background(), name, metav1.DeleteOptions{}); err != nil {
			l.Errorf("delete cluster role %s: %v", name, err)
		}
	})
}
