package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

// drifting is a world that a run has brought up, and what a caller keeps of it.
type drifting struct {
	*fakeWorld
	plan   *plan.Plan
	policy v1alpha1.DriftPolicy
	up     map[string]bool
	heals  map[plan.Key]engine.Heals
}

func bringUp(t interface{ Fatal(...any) }, p *plan.Plan, policy v1alpha1.DriftPolicy) *drifting {
	d := &drifting{fakeWorld: newFakeWorld(nil), plan: p, policy: policy, up: map[string]bool{}, heals: map[plan.Key]engine.Heals{}}
	for range 300 {
		decision := d.decide()
		if decision.Phase == v1alpha1.PhaseReady && decision.Idle() {
			for _, s := range decision.Services {
				d.up[s.Name] = true
			}
			return d
		}
		d.act(decision)
		d.tick()
	}
	t.Fatal("the world does not come up")
	return nil
}

func (d *drifting) decide() engine.Decision {
	w := d.world()
	w.Drift, w.Up, w.Heals = d.policy, d.up, d.heals
	return engine.Decide(d.plan, w, d.now)
}

// step decides, acts and lets a second pass.
func (d *drifting) step() engine.Decision {
	decision := d.decide()
	for _, drift := range decision.Drift {
		if drift.Healing {
			d.heals[drift.Key] = engine.Heals{Count: d.heals[drift.Key].Count + 1, At: d.now}
		}
	}
	d.act(decision)
	d.tick()
	return decision
}

// edit changes a field of an object as somebody with kubectl does.
func (d *drifting) edit(what string, value any, path ...string) {
	o := d.objects[key(d.plan, what)]
	if err := unstructured.SetNestedField(o.Object, value, path...); err != nil {
		panic(err)
	}
	o.SetGeneration(o.GetGeneration() + 1)
	o.age = 0
}

func (d *drifting) vanish(what string) { delete(d.objects, key(d.plan, what)) }

// told is a decision as people see it.
func told(d engine.Decision) string {
	lines := []string{fmt.Sprintf("%s: %s", d.Phase, d.Message)}
	for _, drift := range d.Drift {
		how := "stays: " + drift.Stays
		if drift.Healing {
			how = "is healed"
		}
		lines = append(lines, fmt.Sprintf("%s; %s", drift, how))
	}
	for _, o := range append(d.Passive, d.Apply...) {
		lines = append(lines, "write "+o.Key.String())
	}
	return strings.Join(lines, "\n") + "\n"
}

func TestDrift(t *testing.T) {
	t.Parallel()
	made := func(t *testing.T) *plan.Plan {
		return planOf(t, tiers, service("data", "db", 1), service("apps", "api", 1))
	}
	edited := func(d *drifting) { d.edit("Deployment/api", int64(7), "spec", "revision") }
	gone := func(d *drifting) { d.vanish("Deployment/api") }
	goneConfig := func(d *drifting) { d.vanish("ConfigMap/db") }
	tests := map[string]struct {
		policy v1alpha1.DriftPolicy
		change func(*drifting)
		want   string
	}{
		"nothing is changed": {v1alpha1.DriftHeal, func(*drifting) {}, `
			Ready: 2 services ready`},
		"a field is changed, and healed when nobody says more": {"", edited, `
			Progressing: 1 of 2 services ready; api: written
			Deployment/api: spec.revision was changed; is healed
			write Deployment/api`},
		"a field is changed, with Warn": {v1alpha1.DriftWarn, edited, `
			Progressing: 1 of 2 services ready; api: the cluster has not taken up the newest version of Deployment api yet
			Deployment/api: spec.revision was changed; stays: drift is Warn`},
		"a field is changed, with Ignore": {v1alpha1.DriftIgnore, edited, `
			Progressing: 1 of 2 services ready; api: the cluster has not taken up the newest version of Deployment api yet`},
		"a workload is deleted, and put back": {v1alpha1.DriftHeal, gone, `
			Progressing: 1 of 2 services ready; api: written
			Deployment/api was deleted; is healed
			write Deployment/api`},
		"a workload is deleted, with Warn": {v1alpha1.DriftWarn, gone, `
			Failed: service api failed: Drifted: Deployment/api was deleted and is not put back: drift is Warn
			Deployment/api was deleted; stays: drift is Warn`},
		"a workload is deleted, with Ignore": {v1alpha1.DriftIgnore, gone, `
			Failed: service api failed: Drifted: Deployment/api was deleted and is not put back: drift is Ignore`},
		"a config is deleted, and put back": {v1alpha1.DriftHeal, goneConfig, `
			Progressing: 1 of 2 services ready; db: writes ConfigMap/db
			ConfigMap/db was deleted; is healed
			write ConfigMap/db`},
		"a config is deleted, with Warn": {v1alpha1.DriftWarn, goneConfig, `
			Ready: 2 services ready
			ConfigMap/db was deleted; stays: drift is Warn`},
		"what the run did not bring up is missing, with Warn": {v1alpha1.DriftWarn, func(d *drifting) { delete(d.up, "api"); gone(d) }, `
			Progressing: 1 of 2 services ready; api: written
			write Deployment/api`},
		"a dependant is changed while what it needs is down": {v1alpha1.DriftHeal, func(d *drifting) {
			d.edit("Deployment/db", "other", "metadata", "labels", "mine")
			edited(d)
		}, `
			Progressing: 0 of 2 services ready; db: the cluster has not taken up the newest version of Deployment db yet
			Deployment/api: spec.revision was changed; stays: its service waits`},
		"healing was refused": {v1alpha1.DriftHeal, func(d *drifting) {
			d.edit("ConfigMap/db", int64(7), "spec", "revision")
			o := d.objects[key(d.plan, "ConfigMap/db")]
			d.refused[key(d.plan, "ConfigMap/db")] = engine.Refusal{Hash: o.GetAnnotations()[v1alpha1.AnnotationHash], Cause: v1alpha1.Cause{Message: "the field cannot change"}}
		}, `
			Ready: 2 services ready
			ConfigMap/db: spec.revision was changed; stays: writing it as it should be was refused: the field cannot change`},
		"it was healed a moment ago": {v1alpha1.DriftHeal, func(d *drifting) {
			d.edit("ConfigMap/db", int64(7), "spec", "revision")
			d.heals[key(d.plan, "ConfigMap/db")] = engine.Heals{Count: 2, At: began}
			d.now = began.Add(19 * time.Second)
		}, `
			Ready: 2 services ready
			ConfigMap/db: spec.revision was changed; stays: it was healed 2 times; the next try is at 2026-11-22T12:00:20Z`},
		"it was healed some time ago": {v1alpha1.DriftHeal, func(d *drifting) {
			d.edit("ConfigMap/db", int64(7), "spec", "revision")
			d.heals[key(d.plan, "ConfigMap/db")] = engine.Heals{Count: 2, At: began}
			d.now = began.Add(20 * time.Second)
		}, `
			Progressing: 1 of 2 services ready; db: writes ConfigMap/db
			ConfigMap/db: spec.revision was changed; is healed
			write ConfigMap/db`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := bringUp(t, made(t), tc.policy)
			tc.change(d)
			if diff := cmp.Diff(text(tc.want), told(d.decide())); diff != "" {
				t.Errorf("the decision (-want +got):\n%s", diff)
			}
		})
	}
}

func TestManyFieldsAndTheirWriter(t *testing.T) {
	t.Parallel()
	d := engine.Drift{Fields: []string{"a", "b", "c", "d", "e", "f"}, By: "kubectl-edit"}
	d.Kind, d.Name = "Deployment", "web"
	if got, want := d.String(), "Deployment/web: a, b, c, d and 2 more was changed by kubectl-edit"; got != want {
		t.Errorf("String() = %q, want %q", got, want)
	}
}

// Who changes an object again and again is written against less and less often.
func TestAFightSlowsDown(t *testing.T) {
	t.Parallel()
	d := bringUp(t, planOf(t, tiers, service("data", "db", 1)), v1alpha1.DriftHeal)
	start := d.now
	var at []time.Duration
	for d.now.Sub(start) < time.Hour {
		d.edit("ConfigMap/db", int64(7), "spec", "revision")
		before := d.writes
		decision := d.step()
		switch {
		case d.writes > before:
			at = append(at, d.now.Sub(start).Round(time.Second)-time.Second)
		case decision.Wake.IsZero():
			t.Fatalf("nothing brings it back: %s", told(decision))
		}
	}
	seconds := func(all ...int) (out []time.Duration) {
		for _, s := range all {
			out = append(out, time.Duration(s)*time.Second)
		}
		return out
	}
	if diff := cmp.Diff(seconds(0, 10, 30, 70, 150, 310, 630, 1230, 1830, 2430, 3030), at); diff != "" {
		t.Errorf("written after (-want +got):\n%s", diff)
	}
}

// scaling adds an autoscaler, and makes the replicas of a service ours.
func scaling(s *render.Service) {
	for _, w := range s.Workloads {
		w.Object["spec"].(map[string]any)["replicas"] = int64(1)
	}
	s.Passive = append(s.Passive, &unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "autoscaling/v2", "kind": "HorizontalPodAutoscaler", "metadata": map[string]any{"name": s.Name},
		"spec": map[string]any{"scaleTargetRef": map[string]any{"apiVersion": "apps/v1", "kind": "Deployment", "name": s.Name}},
	}})
}

func TestReplicasOfWhatIsScaledAreTheAutoscalers(t *testing.T) {
	t.Parallel()
	d := bringUp(t, planOf(t, tiers, service("data", "db", 1, scaling)), v1alpha1.DriftHeal)
	d.edit("Deployment/db", int64(5), "spec", "replicas")
	if decision := d.decide(); !decision.Idle() || len(decision.Drift) > 0 {
		t.Errorf("scaled, it decides\n%s", told(decision))
	}
	d.edit("Deployment/db", int64(9), "spec", "revision")
	decision := d.decide()
	if len(decision.Apply) != 1 {
		t.Fatalf("edited, it decides\n%s", told(decision))
	}
	spec := decision.Apply[0].Desired.Object["spec"]
	if diff := cmp.Diff(map[string]any{"replicas": int64(5), "revision": int64(1)}, spec); diff != "" {
		t.Errorf("it writes (-want +got):\n%s", diff)
	}
}

func TestReplicasThatAPersonScaledAreDrift(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		manager string
		drift   bool
	}{
		"an autoscaler that is not of the environment": {"kube-controller-manager", false},
		"a person": {"kubectl", true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := bringUp(t, planOf(t, tiers, service("data", "db", 1, func(s *render.Service) { scaling(s); s.Passive = s.Passive[:1] })), v1alpha1.DriftHeal)
			d.edit("Deployment/db", []any{map[string]any{"manager": tc.manager, "operation": "Update", "subresource": "scale"}}, "metadata", "managedFields")
			d.edit("Deployment/db", int64(5), "spec", "replicas")
			if decision := d.decide(); len(decision.Drift) > 0 != tc.drift {
				t.Errorf("it decides\n%s", told(decision))
			}
		})
	}
}

// Whatever is changed or deleted: with Heal it is as it was after one write of each object
// that had changed, and with Warn and Ignore nothing is written.
func TestDriftEnds(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		p := drawProduct(t)
		policy := rapid.SampledFrom([]v1alpha1.DriftPolicy{"", v1alpha1.DriftHeal, v1alpha1.DriftWarn, v1alpha1.DriftIgnore}).Draw(t, "policy")
		made := p.plan(t)
		d := bringUp(t, made, policy)
		changed := map[plan.Key]bool{}
		for _, o := range objectsOf(made) {
			if o.Kind == "Job" {
				continue
			}
			switch rapid.IntRange(0, 3).Draw(t, o.Key.String()) {
			case 0:
				d.edit(o.Key.String(), int64(99), "spec", "revision")
				changed[o.Key] = true
			case 1:
				d.vanish(o.Key.String())
				changed[o.Key] = true
			}
		}
		before := d.writes
		for range 80 {
			d.step()
		}
		heals := policy == "" || policy == v1alpha1.DriftHeal
		want := 0
		if heals {
			want = len(changed)
		}
		if got := d.writes - before; got != want {
			t.Fatalf("%d writes for %d changes with %q", got, len(changed), policy)
		}
		end := d.decide()
		if heals && (end.Phase != v1alpha1.PhaseReady || len(end.Drift) > 0) || policy == v1alpha1.DriftWarn && len(end.Drift) != len(changed) {
			t.Fatalf("with %q and %d changes it ends\n%s", policy, len(changed), told(end))
		}
	})
}
