package engine_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

// runsPods gives a service's workload a pod template.
func runsPods(s *render.Service) {
	spec := s.Workloads[0].Object["spec"].(map[string]any)
	spec["template"] = map[string]any{"spec": map[string]any{"containers": []any{map[string]any{"name": "app", "image": s.Image}}}}
}

func marked(hash string) func(*corev1.Pod) {
	return func(p *corev1.Pod) { p.Annotations = map[string]string{v1alpha1.AnnotationPodHash: hash} }
}

func TestOnlyPodsOfTheWantedRevisionSpeak(t *testing.T) {
	t.Parallel()
	p := planOf(t, tiers, service("apps", "api", 2, runsPods))
	wanted := p.Nodes[indexOf(t, p, "api")].Objects[0].PodHash
	tests := map[string]struct {
		pod  *corev1.Pod
		want v1alpha1.ServiceState
	}{
		"an older revision is silent, born in the second in which the run began": {
			pod: pod("api-old", 0, marked("of-revision-1"), crashes), want: v1alpha1.ServiceProgressing,
		},
		"an older revision is silent, born after the run began": {
			pod: pod("api-old", time.Second, marked("of-revision-1"), crashes), want: v1alpha1.ServiceProgressing,
		},
		"the wanted revision speaks": {
			pod: pod("api-new", time.Second, marked(wanted), crashes), want: v1alpha1.ServiceFailed,
		},
		"the wanted revision speaks, though it is from before a run that changed no pod": {
			pod: pod("api-new", -time.Minute, marked(wanted), crashes), want: v1alpha1.ServiceFailed,
		},
		"no mark, from before the run": {
			pod: pod("api-old", -time.Minute, crashes), want: v1alpha1.ServiceProgressing,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newFakeWorld(ends(p, map[string]fate{"Deployment/api": never}))
			w.run(p, 4)
			world := w.world()
			world.State.Pods = map[string][]*corev1.Pod{"api": {tc.pod}}
			if s := engine.Decide(p, world, w.now).Services[0]; s.State != tc.want {
				t.Errorf("the service is %s (%s), want %s", s.State, s.Message, tc.want)
			}
		})
	}
}

func indexOf(t *testing.T, p *plan.Plan, node string) int {
	t.Helper()
	for i, n := range p.Nodes {
		if n.Name == node {
			return i
		}
	}
	t.Fatalf("no node %s in the plan", node)
	return -1
}
