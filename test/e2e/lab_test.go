//go:build e2e

package e2e

import (
	"context"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

const (
	// soon is for what a healthy cluster does within seconds, however busy the machine is.
	soon = 60 * time.Second
	// account is the service account as which a lab's environments are written.
	account = "deployer"
)

// lab is a team of its own: a namespace with a service account, and a class of the same
// name that nobody else uses.
type lab struct {
	*testing.T
	*cluster
	ctx  context.Context
	name string
}

// newLab makes a lab, which is taken away at the end of the test.
func newLab(t *testing.T, change ...func(*v1alpha1.EnvironmentClassSpec)) *lab {
	t.Helper()
	c, err := connect()
	if err != nil {
		t.Fatal(err)
	}
	if c == nil {
		t.Skip("there is no cluster: set KUBECONFIG, or start the local one with make cluster")
	}
	l := &lab{T: t, cluster: c, ctx: t.Context()}
	ns, err := c.kube.CoreV1().Namespaces().Create(l.ctx, &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: "e2e-"}}, metav1.CreateOptions{})
	l.must(err)
	l.name = ns.Name
	l.Cleanup(l.clear)
	l.Cleanup(l.report)
	l.giveRights()
	class := &v1alpha1.EnvironmentClass{ObjectMeta: metav1.ObjectMeta{Name: l.name}}
	class.Spec = v1alpha1.EnvironmentClassSpec{Domain: l.domain(), NoProgressSeconds: 300, DeadlineSeconds: 600}
	for _, f := range change {
		f(&class.Spec)
	}
	_, err = l.spock.SpockV1alpha1().EnvironmentClasses().Create(l.ctx, class, metav1.CreateOptions{})
	l.must(err)
	return l
}

func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

func (l *lab) domain() string {
	domain := l.name + ".localhost"
	if port := l.settings["INGRESS_PORT"]; port != "" {
		domain += ":" + port
	}
	return domain
}

// giveRights makes the service account and waits until its rights are known: who asks
// before is refused, and rightly so.
func (l *lab) giveRights() {
	l.Helper()
	_, err := l.kube.CoreV1().ServiceAccounts(l.name).Create(l.ctx, &corev1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: account}}, metav1.CreateOptions{})
	l.must(err)
	_, err = l.kube.RbacV1().RoleBindings(l.name).Create(l.ctx, &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: account},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: l.name}},
	}, metav1.CreateOptions{})
	l.must(err)
	l.eventually(soon, func(ctx context.Context) string {
		review := &authorizationv1.SubjectAccessReview{Spec: authorizationv1.SubjectAccessReviewSpec{
			User:               "system:serviceaccount:" + l.name + ":" + account,
			ResourceAttributes: &authorizationv1.ResourceAttributes{Namespace: l.name, Verb: "patch", Group: v1alpha1.SchemeGroupVersion.Group, Resource: "environments"},
		}}
		review, err := l.kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, review, metav1.CreateOptions{})
		if err != nil {
			return err.Error()
		}
		if !review.Status.Allowed {
			return "the service account may not patch environments"
		}
		return ""
	})
}

// clear takes away all that the test made, and waits until it is gone.
func (l *lab) clear() {
	ctx, cancel := context.WithTimeout(context.Background(), soon)
	defer cancel()
	all, err := l.spock.SpockV1alpha1().Environments(l.name).List(ctx, metav1.ListOptions{})
	l.must(err)
	for _, env := range all.Items {
		if err := l.spock.SpockV1alpha1().Environments(l.name).Delete(ctx, env.Name, metav1.DeleteOptions{}); !apierrors.IsNotFound(err) {
			l.must(err)
		}
	}
	for _, env := range all.Items {
		l.gone(l.environmentRef(env.Name), 2*soon)
	}
	l.must(l.spock.SpockV1alpha1().EnvironmentClasses().Delete(ctx, l.name, metav1.DeleteOptions{}))
	l.must(l.kube.CoreV1().Namespaces().Delete(ctx, l.name, metav1.DeleteOptions{}))
	l.gone(ref{namespaces, "", l.name}, 2*soon)
}

func (l *lab) environmentRef(name string) ref { return ref{environments, l.name, name} }

// home is the namespace in which an environment runs.
func (l *lab) home(environment string) string { return l.name + "-" + environment }

// create makes templates, products and environments.
func (l *lab) create(objects ...any) {
	l.Helper()
	api := l.spock.SpockV1alpha1()
	for _, o := range objects {
		var err error
		switch o := o.(type) {
		case *v1alpha1.ServiceTemplate:
			_, err = api.ServiceTemplates(l.name).Create(l.ctx, o, metav1.CreateOptions{})
		case *v1alpha1.Product:
			_, err = api.Products(l.name).Create(l.ctx, o, metav1.CreateOptions{})
		case *v1alpha1.Environment:
			_, err = api.Environments(l.name).Create(l.ctx, o, metav1.CreateOptions{})
		default:
			l.Fatalf("a lab has no %T", o)
		}
		l.must(err)
	}
}

// change edits an environment as a person does, and returns the generation it then has.
func (l *lab) change(name string, edit func(*v1alpha1.EnvironmentSpec)) int64 {
	l.Helper()
	api, generation := l.spock.SpockV1alpha1().Environments(l.name), int64(0)
	l.must(retry.RetryOnConflict(retry.DefaultBackoff, func() error {
		env, err := api.Get(l.ctx, name, metav1.GetOptions{})
		if err != nil {
			return err
		}
		edit(&env.Spec)
		env, err = api.Update(l.ctx, env, metav1.UpdateOptions{})
		if err == nil {
			generation = env.Generation
		}
		return err
	}))
	return generation
}

// reaches waits until an environment tells a phase of its newest, or a later, spec.
func (l *lab) reaches(name string, phase v1alpha1.Phase, generation int64) *v1alpha1.Environment {
	l.Helper()
	return await(l, l.environmentRef(name), 3*soon, "it is "+string(phase), func(env *v1alpha1.Environment) bool {
		return env != nil && env.Status.Phase == phase && env.Status.ObservedGeneration >= max(generation, 1)
	})
}

// isAt waits until a service of an environment has a state.
func (l *lab) isAt(name, service string, state v1alpha1.ServiceState) *v1alpha1.Environment {
	l.Helper()
	return await(l, l.environmentRef(name), 2*soon, service+" is "+string(state), func(env *v1alpha1.Environment) bool {
		return env != nil && env.Status.Service(service) != nil && env.Status.Service(service).State == state
	})
}

// runs are the EnvironmentRuns of an environment by number.
func (l *lab) runs(name string) map[int64]v1alpha1.EnvironmentRun {
	l.Helper()
	all, err := l.spock.SpockV1alpha1().EnvironmentRuns(l.name).List(l.ctx, metav1.ListOptions{LabelSelector: v1alpha1.LabelEnvironment + "=" + name})
	l.must(err)
	byNumber := map[int64]v1alpha1.EnvironmentRun{}
	for _, run := range all.Items {
		byNumber[run.Spec.Number] = run
	}
	return byNumber
}
