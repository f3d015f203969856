package engine_test

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/health"
)

// pod is a pod of a service that was created some time after the run began.
func pod(name string, after time.Duration, changes ...func(*corev1.Pod)) *corev1.Pod {
	p := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{
			Name: name, CreationTimestamp: metav1.NewTime(began.Add(after)),
			Labels: map[string]string{v1alpha1.LabelRole: v1alpha1.RoleWorkload},
		},
		Spec:   corev1.PodSpec{NodeName: "node-1", Containers: []corev1.Container{{Name: "app", Image: "registry/app:1"}}},
		Status: corev1.PodStatus{Phase: corev1.PodRunning, ContainerStatuses: []corev1.ContainerStatus{{Name: "app", Image: "registry/app:1"}}},
	}
	for _, change := range changes {
		change(p)
	}
	return p
}

func crashes(p *corev1.Pod) {
	c := &p.Status.ContainerStatuses[0]
	c.RestartCount = 4
	c.State.Waiting = &corev1.ContainerStateWaiting{Reason: "CrashLoopBackOff"}
	c.LastTerminationState.Terminated = &corev1.ContainerStateTerminated{ExitCode: 3, Reason: "Error"}
}

func ended(p *corev1.Pod) {
	p.Status.Phase = corev1.PodFailed
	p.Status.ContainerStatuses[0].State.Terminated = &corev1.ContainerStateTerminated{ExitCode: 7, Reason: "Error"}
}

func runsUnprobed(p *corev1.Pod) {
	p.Spec.Containers[0].ReadinessProbe = &corev1.Probe{}
	p.Status.ContainerStatuses[0].State.Running = &corev1.ContainerStateRunning{}
}

// ofJob makes it a pod of a hook's job.
func ofJob(job string) func(*corev1.Pod) {
	return func(p *corev1.Pod) {
		p.Labels[v1alpha1.LabelRole] = v1alpha1.RoleHook
		yes := true
		p.OwnerReferences = []metav1.OwnerReference{{Kind: "Job", Name: job, Controller: &yes}}
	}
}

func TestPodsThatSpeakForANode(t *testing.T) {
	t.Parallel()
	running := map[string]fate{"Deployment/api": never}
	migrating := map[string]fate{"Job/api-migrate-1": never}
	tests := map[string]struct {
		fates    map[string]fate
		run      string // that looks; the objects were written by shop-1
		pod      *corev1.Pod
		state    v1alpha1.ServiceState
		class    v1alpha1.CauseClass
		evidence health.Evidence
	}{
		"a pod of this run that crashes is why": {
			fates: running, run: "shop-1", pod: pod("api-1", time.Second, crashes),
			state: v1alpha1.ServiceFailed, class: v1alpha1.CauseCrashLoop, evidence: health.Evidence{Pod: "api-1", Container: "app", Previous: true},
		},
		"a pod from before the run says nothing of what the run wrote": {
			fates: running, run: "shop-1", pod: pod("api-0", -time.Minute, crashes), state: v1alpha1.ServiceProgressing,
		},
		"a pod of the second in which the run began counts": {
			fates: running, run: "shop-1", pod: pod("api-1", 0, crashes),
			state: v1alpha1.ServiceFailed, class: v1alpha1.CauseCrashLoop, evidence: health.Evidence{Pod: "api-1", Container: "app", Previous: true},
		},
		"a pod from before the run counts when the run left its service alone": {
			fates: running, run: "shop-2", pod: pod("api-0", -time.Minute, crashes),
			state: v1alpha1.ServiceFailed, class: v1alpha1.CauseCrashLoop, evidence: health.Evidence{Pod: "api-0", Container: "app", Previous: true},
		},
		"a pod of a hook says nothing of the service": {
			fates: running, run: "shop-1", pod: pod("api-migrate-0", time.Second, ofJob("api-migrate-0"), crashes), state: v1alpha1.ServiceProgressing,
		},
		"a pod of the service says nothing of its hook": {
			fates: migrating, run: "shop-1", pod: pod("api-1", time.Second, crashes), state: v1alpha1.ServiceProgressing,
		},
		"a pod of another hook says nothing of a hook": {
			fates: migrating, run: "shop-1", pod: pod("seed", time.Second, ofJob("api-seed-1"), crashes), state: v1alpha1.ServiceProgressing,
		},
		"a pod of the hook is why the hook fails": {
			fates: migrating, run: "shop-1", pod: pod("migrate", time.Second, ofJob("api-migrate-1"), crashes),
			state: v1alpha1.ServiceFailed, class: v1alpha1.CauseCrashLoop, evidence: health.Evidence{Pod: "migrate", Container: "app", Previous: true},
		},
		"a failed job is explained by its dead pod": {
			fates: map[string]fate{"Job/api-migrate-1": breaks}, run: "shop-1", pod: pod("migrate", time.Second, ofJob("api-migrate-1"), ended),
			state: v1alpha1.ServiceFailed, class: v1alpha1.CauseJobFailed, evidence: health.Evidence{Pod: "migrate", Container: "app"},
		},
		"a deployment that gave up is explained by its pod": {
			fates: map[string]fate{"Deployment/api": breaks}, run: "shop-1", pod: pod("api-1", time.Second, crashes),
			state: v1alpha1.ServiceFailed, class: v1alpha1.CauseCrashLoop, evidence: health.Evidence{Pod: "api-1", Container: "app", Previous: true},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := planOf(t, tiers, service("apps", "api", 1, hook("migrate", 1)))
			w := newFakeWorld(ends(p, tc.fates))
			w.run(p, 4)
			world := w.world()
			world.Scope.Run = tc.run
			world.State.Pods = map[string][]*corev1.Pod{"api": {tc.pod}}
			d := engine.Decide(p, world, w.now)
			s := d.Services[0]
			if s.State != tc.state || class(s) != tc.class {
				t.Errorf("the service is %s %s (%s), want %s %s", s.State, class(s), s.Message, tc.state, tc.class)
			}
			if diff := cmp.Diff(tc.evidence, d.Evidence["api"]); diff != "" {
				t.Errorf("evidence (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAProbeThatNeverSucceedsIsNamedWhenTimeIsOver(t *testing.T) {
	t.Parallel()
	p, w := slow(t)
	pods := map[string][]*corev1.Pod{"api": {pod("api-1", time.Second, runsUnprobed)}}
	look := func(since time.Duration) engine.Decision {
		w.now = began.Add(since)
		world := w.world()
		world.State.Pods = pods
		d := engine.Decide(p, world, w.now)
		w.record = d.Services
		return d
	}
	look(2 * time.Second)
	for _, since := range []time.Duration{22 * time.Second, 40 * time.Second} {
		d := look(since)
		s := d.Services[0]
		if class(s) != v1alpha1.CauseProbe {
			t.Fatalf("after %s it is %s %s (%s)", since, s.State, class(s), s.Message)
		}
		want := "no progress for 20s: container app runs but its readiness probe has not succeeded"
		if s.Message != want || d.Evidence["api"].Pod != "api-1" {
			t.Errorf("after %s it says %q with the log of %v, want %q", since, s.Message, d.Evidence["api"], want)
		}
	}
}
