//go:build e2e

package e2e

import (
	"context"
	"strings"
	"testing"
	"time"

	coordinationv1 "k8s.io/api/coordination/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/util/retry"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// TestTheStandbyTakesOver kills the leader of two controllers in each tier of a rollout.
// It is not parallel: it takes the controller from under the feet of all other tests.
func TestTheStandbyTakesOver(t *testing.T) {
	needsNode(t, "the controllers are no pods that could be killed")
	l := newLab(t)
	log := l.watchRequests()
	l.create(held(), l.shop(l.service("db", "held"), l.service("orders", "held"), l.service("web", "held")))
	l.scaleController(2)
	t.Cleanup(func() { l.scaleController(1) })

	name := l.deploy("shop", "shop")
	led := map[string]bool{}
	for _, service := range []string{"db", "orders", "web"} {
		l.isAt("shop", service, v1alpha1.ServiceProgressing)
		leader := l.leader()
		led[leader.Name] = true
		killed := time.Now()
		l.kill(leader, "custom-task-controller")
		t.Logf("%s led while %s came up, and was killed at %s", leader.Name, service, killed.Format(time.TimeOnly))
		l.release("shop", service)
	}
	l.reaches("shop", v1alpha1.PhaseReady, 1)
	led[l.leader().Name] = true
	if len(led) < 2 {
		t.Errorf("only %v led: no standby took over", led)
	}
	if end := l.ended(name); !end.IsTrue() {
		t.Errorf("the CustomRun ended %s: %s", end.Reason, end.Message)
	}
	l.broughtUpOnce(log, "db", "orders", "web")
}

// scaleController sets how many controllers there are, and waits until they are ready.
func (l *lab) scaleController(replicas int32) {
	l.Helper()
	ctx := context.Background() // it runs after the test too
	client := l.kube.AppsV1().Deployments(system)
	l.must(retry.RetryOnConflict(retry.DefaultRetry, func() error {
		scale, err := client.GetScale(ctx, "spock-controller", metav1.GetOptions{})
		if err != nil {
			return err
		}
		scale.Spec.Replicas = replicas
		_, err = client.UpdateScale(ctx, "spock-controller", scale, metav1.UpdateOptions{})
		return err
	}))
	l.eventually(2*soon, func(context.Context) string {
		d, err := client.Get(ctx, "spock-controller", metav1.GetOptions{})
		if err != nil {
			return err.Error()
		}
		if d.Status.ObservedGeneration < d.Generation || d.Status.ReadyReplicas != replicas || d.Status.Replicas != replicas {
			return "the controllers are not ready"
		}
		return ""
	})
}

// leader is the pod that holds the lease for environments, once a living one does.
func (l *lab) leader() *corev1.Pod {
	l.Helper()
	var found *corev1.Pod
	l.eventually(2*soon, func(ctx context.Context) string {
		leases, err := l.kube.CoordinationV1().Leases(system).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err.Error()
		}
		pod, err := l.kube.CoreV1().Pods(system).Get(ctx, holderOf(leases.Items), metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return "who held the lease is gone, and nobody has taken it over"
		case err != nil:
			return err.Error()
		case !isReady(pod):
			return "who holds the lease is not ready"
		}
		found = pod
		return ""
	})
	return found
}

// holderOf is the name of the pod that holds the lease for environments. An identity is
// the pod's name and something unique, with an underscore between.
func holderOf(leases []coordinationv1.Lease) string {
	for _, lease := range leases {
		if strings.Contains(lease.Name, "reconciler.environment.") && lease.Spec.HolderIdentity != nil {
			pod, _, _ := strings.Cut(*lease.Spec.HolderIdentity, "_")
			return pod
		}
	}
	return ""
}
