//go:build e2e

// Package target_test holds the target for Kubernetes against a real cluster, the one of
// KUBECONFIG or the local one. Spock need not be installed in it.
package target_test

import (
	"cmp"
	"context"
	"errors"
	"os"
	"testing"
	"time"

	authorizationv1 "k8s.io/api/authorization/v1"
	corev1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/apimachinery/pkg/util/wait"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/scaffold"
	"spock.dev/spock/pkg/target"
	"spock.dev/spock/pkg/target/kube"
	"spock.dev/spock/pkg/target/targettest"
)

const (
	account  = "deployer"
	patience = 2 * time.Minute
)

// lab is a team's namespace on the cluster, and a target that drives its environments.
type lab struct {
	*testing.T
	config  *rest.Config
	kube    kubernetes.Interface
	team    string
	target  *kube.Target
	changed chan types.NamespacedName
}

func newLab(t *testing.T) *lab {
	t.Helper()
	path := cmp.Or(os.Getenv("KUBECONFIG"), "../../.cluster/kubeconfig")
	if _, err := os.Stat(path); errors.Is(err, os.ErrNotExist) {
		t.Skip("there is no cluster: set KUBECONFIG, or start the local one with make cluster")
	}
	config, err := clientcmd.BuildConfigFromFlags("", path)
	if err != nil {
		t.Fatalf("read kubeconfig %s: %v", path, err)
	}
	l := &lab{T: t, config: config, kube: kubernetes.NewForConfigOrDie(config), changed: make(chan types.NamespacedName, 10000)}
	l.team = l.namespace("target-")
	l.target, err = kube.New(t.Context(), config, func(env types.NamespacedName) { l.changed <- env }, func() {})
	l.must(err)
	return l
}

func (l *lab) must(err error) {
	l.Helper()
	if err != nil {
		l.Fatal(err)
	}
}

// namespace makes one that is removed at the end of the test.
func (l *lab) namespace(prefix string) string {
	l.Helper()
	ns, err := l.kube.CoreV1().Namespaces().Create(l.Context(), &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{GenerateName: prefix}}, metav1.CreateOptions{})
	l.must(err)
	l.Cleanup(func() {
		err := l.kube.CoreV1().Namespaces().Delete(context.WithoutCancel(l.Context()), ns.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			l.Errorf("remove namespace %s: %v", ns.Name, err)
		}
	})
	return ns.Name
}

// environment makes the place of an environment, in which the team's account may write.
func (l *lab) environment(name string) target.Scope {
	l.Helper()
	scope := target.Scope{
		Environment: types.NamespacedName{Namespace: l.team, Name: name}, UID: types.UID(l.team + "-" + name),
		Namespace: l.namespace(l.team + "-" + name + "-"), ServiceAccount: account, Run: name + "-1",
	}
	_, err := l.kube.RbacV1().RoleBindings(scope.Namespace).Create(l.Context(), &rbacv1.RoleBinding{
		ObjectMeta: metav1.ObjectMeta{Name: account},
		RoleRef:    rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Kind: "ClusterRole", Name: "edit"},
		Subjects:   []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: account, Namespace: l.team}},
	}, metav1.CreateOptions{})
	l.must(err)
	l.must(wait.PollUntilContextTimeout(l.Context(), 100*time.Millisecond, patience, true, func(ctx context.Context) (bool, error) {
		review, err := l.kube.AuthorizationV1().SubjectAccessReviews().Create(ctx, &authorizationv1.SubjectAccessReview{
			Spec: authorizationv1.SubjectAccessReviewSpec{User: kube.User(scope), ResourceAttributes: &authorizationv1.ResourceAttributes{
				Namespace: scope.Namespace, Verb: "patch", Resource: "configmaps",
			}},
		}, metav1.CreateOptions{})
		return err == nil && review.Status.Allowed, err
	}))
	return scope
}

// until waits for changes until something is so.
func (l *lab) until(expected string, is func() bool) {
	l.Helper()
	late := time.After(patience)
	for !is() {
		select {
		case <-l.changed:
		case <-late:
			l.Fatalf("after %s not yet: %s", patience, expected)
		}
	}
}

func TestTheTargetIsOne(t *testing.T) {
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		l := newLab(t)
		return targettest.Fixture{Target: l.target, Changed: l.changed, Scope: l.environment("shop"), Other: l.environment("other")}
	})
}

func TestAFieldOfAnotherManagerIsNotTaken(t *testing.T) {
	l := newLab(t)
	scope := l.environment("shop")
	configs := l.kube.CoreV1().ConfigMaps(scope.Namespace)
	_, err := configs.Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "config"}, Data: map[string]string{"key": "theirs"}}, metav1.CreateOptions{})
	l.must(err)
	o := &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "config"}, "data": map[string]any{"key": "ours"},
	}}
	wish := plan.Object{Key: plan.Key{GroupVersionKind: o.GroupVersionKind(), Name: "config"}, Desired: o}
	if err := l.target.Apply(t.Context(), scope, wish, false); !apierrors.IsConflict(err) {
		t.Errorf("Apply() = %v, want a conflict", err)
	}
	got, err := configs.Get(t.Context(), "config", metav1.GetOptions{})
	l.must(err)
	if got.Data["key"] != "theirs" || len(got.Annotations) != 0 {
		t.Errorf("the object of another manager is now %v with annotations %v", got.Data, got.Annotations)
	}
}

func TestANamespaceComesAndGoes(t *testing.T) {
	l := newLab(t)
	homes, err := kube.NewHomes(t.Context(), l.config, l.target, func(env types.NamespacedName) { l.changed <- env })
	l.must(err)
	env := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: l.team, Name: "shop", UID: types.UID(l.team)}}
	class := &v1alpha1.EnvironmentClass{Spec: v1alpha1.EnvironmentClassSpec{DeployerRole: "edit", Isolated: true}}
	scope := target.Scope{
		Environment: types.NamespacedName{Namespace: l.team, Name: "shop"}, UID: env.UID,
		Namespace: scaffold.NamespaceOf(env), ServiceAccount: account,
	}
	want, err := scaffold.For(env, class, nil)
	l.must(err)
	for range 3 {
		if ready, err := homes.Prepare(t.Context(), scope, want); !ready || err != nil {
			t.Fatalf("Prepare() = %t, %v", ready, err)
		}
		if !homes.Exists(scope) {
			t.Fatal("it was prepared and does not exist")
		}
	}
	policies := l.kube.NetworkingV1().NetworkPolicies(scope.Namespace)
	if _, err := policies.Get(t.Context(), "environment", metav1.GetOptions{}); err != nil {
		t.Errorf("the class wants isolation: %v", err)
	}
	class.Spec.Isolated = false
	want, err = scaffold.For(env, class, nil)
	l.must(err)
	l.until("what is not wanted any more is gone", func() bool {
		_, err := homes.Prepare(t.Context(), scope, want)
		l.must(err)
		_, err = policies.Get(t.Context(), "environment", metav1.GetOptions{})
		return apierrors.IsNotFound(err)
	})
	l.until("the namespace is gone", func() bool {
		gone, err := homes.Remove(t.Context(), scope)
		l.must(err)
		return gone
	})
}
