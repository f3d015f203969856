//go:build e2e

package e2e

import (
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

var products = v1alpha1.SchemeGroupVersion.WithResource("products")

// A wrong product is told when it is applied, before anybody makes an environment of it, and
// so is one that a change of a template mends or breaks.
func TestAWrongProductIsToldWhenItIsApplied(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	template := page()
	template.Spec.Files[0].Content = "${service.name} says ${params.greting}\n"
	l.create(template, product("shop", group("frontend", l.service("web", "page"))), product("lost", group("frontend", l.service("web", "pages"))))
	says := func(name, status, part string) {
		l.Helper()
		await(l, ref{products, l.name, name}, soon, name+" says "+part, func(p *v1alpha1.Product) bool {
			c := (*apis.Condition)(nil)
			if p != nil {
				c = p.Status.GetCondition(apis.ConditionReady)
			}
			return c != nil && string(c.Status) == status && strings.Contains(c.Message, part)
		})
	}
	says("shop", "False", `there is no parameter "greting"; did you mean "greeting"?`)
	says("lost", "False", `there is no template "pages"; did you mean "page"?`)

	stored, err := l.spock.SpockV1alpha1().ServiceTemplates(l.name).Get(l.ctx, "page", metav1.GetOptions{})
	l.must(err)
	stored.Spec.Files[0].Content = "${service.name} says ${params.greeting}\n"
	_, err = l.spock.SpockV1alpha1().ServiceTemplates(l.name).Update(l.ctx, stored, metav1.UpdateOptions{})
	l.must(err)
	says("shop", "True", "1 services in 1 groups")

	out, err := l.tool("", "kubectl", "get", "products", "-n", l.name, "--no-headers")
	l.must(err)
	if !strings.Contains(out, "True") || !strings.Contains(out, "False") {
		t.Errorf("kubectl shows\n%s", out)
	}
}
