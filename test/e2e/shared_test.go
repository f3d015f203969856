//go:build e2e

package e2e

import (
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// TestTwoTeamsShareAMachineWithOneSlot has a machine in a namespace of its own, and teams
// that use it by their class. The plan of the first has the slot long before anything of it
// runs there; when it goes, the second one goes on by itself.
func TestTwoTeamsShareAMachineWithOneSlot(t *testing.T) {
	t.Parallel()
	needsNode(t, "no machine stands beside it")
	pool, m := machineLab(t)
	before := m.ask(leftovers)
	m.add("box")
	_, err := pool.spock.SpockV1alpha1().Hosts(pool.name).Patch(pool.ctx, "box", types.MergePatchType, []byte(`{"spec":{"capacity":{"slots":1}}}`), metav1.PatchOptions{})
	pool.must(err)
	sharing := func(spec *v1alpha1.EnvironmentClassSpec) { spec.HostNamespace = pool.name }
	first, second := newLab(t, sharing), newLab(t, sharing)
	first.create(stores(), page(), product("shop", group("data", first.slow("slow")), group("backend", onHost(first.service("db", "store")))), first.environment("shop", "shop"))
	first.isAt("shop", "slow", v1alpha1.ServiceProgressing)

	second.create(stores(), product("shop", group("backend", onHost(second.service("db", "store")))), second.environment("shop", "shop"))
	second.refused("shop", `"box" has no slot free`)
	first.reaches("shop", v1alpha1.PhaseReady, 1)
	second.refused("shop", `"box" has no slot free`)
	if logs := first.spockCommand("env", "exec", "shop", "db", "-n", first.name, "--", "cat", "/etc/greeting"); !strings.Contains(logs, "db says") {
		t.Errorf("on the shared machine a command prints %q", logs)
	}

	first.must(first.spock.SpockV1alpha1().Environments(first.name).Delete(first.ctx, "shop", metav1.DeleteOptions{}))
	second.reaches("shop", v1alpha1.PhaseReady, 1)
	second.must(second.spock.SpockV1alpha1().Environments(second.name).Delete(second.ctx, "shop", metav1.DeleteOptions{}))
	second.gone(second.environmentRef("shop"), 3*soon)
	if after := m.ask(leftovers); after != before {
		t.Errorf("the environments are gone, and the machine, before:\n%s\nafter:\n%s", before, after)
	}
	m.is("box", corev1.ConditionTrue, "Reachable", soon)
}

// refused waits until an environment is refused for a reason.
func (l *lab) refused(name, says string) {
	l.Helper()
	await(l, l.environmentRef(name), soon, "it is refused: "+says, func(env *v1alpha1.Environment) bool {
		return env != nil && env.Status.Phase == v1alpha1.PhaseFailed && strings.Contains(env.Status.Message, says)
	})
}
