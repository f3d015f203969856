package engine_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

// story prints a decision: what is told, then what is to be done.
func story(d engine.Decision, now time.Time) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %s\n", d.Phase, d.Message)
	for _, s := range d.Services {
		fmt.Fprintf(&b, "%s %s", s.Name, s.State)
		if s.Message != "" {
			b.WriteString(": " + s.Message)
		}
		b.WriteString("\n")
	}
	for _, o := range d.Passive {
		fmt.Fprintf(&b, "write passive %s\n", o.Key)
	}
	for _, o := range d.Apply {
		fmt.Fprintf(&b, "write %s\n", o.Key)
	}
	for _, deletion := range d.Delete {
		fmt.Fprintf(&b, "delete %s\n", deletion.Key)
	}
	if !d.Wake.IsZero() {
		fmt.Fprintf(&b, "wake in %s\n", d.Wake.Sub(now))
	}
	return b.String()
}

func text(literal string) string {
	lines := strings.Split(strings.Trim(literal, "\n\t"), "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n") + "\n"
}

func (w *fakeWorld) tells(t *testing.T, when string, p *plan.Plan, want string) engine.Decision {
	t.Helper()
	d := w.decide(p)
	if diff := cmp.Diff(text(want), story(d, w.now)); diff != "" {
		t.Errorf("%s (-want +got):\n%s", when, diff)
	}
	return d
}

// run decides, acts and lets time pass.
func (w *fakeWorld) run(p *plan.Plan, ticks int) {
	for range ticks {
		w.act(w.decide(p))
		w.tick()
	}
}

func key(p *plan.Plan, name string) plan.Key {
	for _, o := range objectsOf(p) {
		if o.Key.String() == name {
			return o.Key
		}
	}
	panic("the plan has no " + name)
}

// ends gives objects of a plan, by name, a fate; the others come at once.
func ends(p *plan.Plan, fates map[string]fate) map[plan.Key]behaviour {
	behaves := map[plan.Key]behaviour{}
	for name, f := range fates {
		behaves[key(p, name)] = behaviour{fate: f}
	}
	return behaves
}

// services are what a test puts into a plan.
type services []render.Service

var tiers = []string{"data", "apps", "edge"}

// shop is three tiers with a hook.
func shop(t *testing.T, changes ...func(*services)) *plan.Plan {
	t.Helper()
	r := services{
		service("data", "db", 1), service("data", "cache", 1),
		service("apps", "api", 1, hook("migrate", 1)), service("apps", "worker", 1),
		service("edge", "web", 1),
	}
	for _, change := range changes {
		change(&r)
	}
	return planOf(t, tiers, r...)
}

func TestDecideTellsTheStory(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		fates map[string]fate
		ticks int
		want  string
	}{
		"nothing is there": {want: `
			Progressing: 0 of 5 services ready; db: written (and 1 more on their way)
			db Progressing: written
			cache Progressing: written
			worker Waiting: waits for db, cache
			api Waiting: waits for db, cache
			web Waiting: waits for db, cache
			write passive ConfigMap/db
			write passive ConfigMap/cache
			write passive ConfigMap/api
			write passive ConfigMap/worker
			write passive ConfigMap/web
			write Deployment/db
			write Deployment/cache
			wake in 20s`},
		"the first tier is written": {ticks: 1, fates: map[string]fate{"Deployment/db": never}, want: `
			Progressing: 1 of 5 services ready; db: 0 of 1 pods are ready at the new version
			db Progressing: 0 of 1 pods are ready at the new version
			cache Ready
			worker Waiting: waits for db
			api Waiting: waits for db
			web Waiting: waits for db
			wake in 20s`},
		"a hook runs": {ticks: 2, fates: map[string]fate{"Job/api-migrate-1": never}, want: `
			Progressing: 3 of 5 services ready; api: hook api/migrate: 1 pod running
			db Ready
			cache Ready
			worker Ready
			api Progressing: hook api/migrate: 1 pod running
			web Waiting: waits for api
			wake in 20s`},
		"a hook has failed": {ticks: 2, fates: map[string]fate{"Job/api-migrate-1": breaks}, want: `
			Failed: service api failed: JobFailed: Job api-migrate-1 failed: 1 pod ended with an error and no further try is allowed; 1 service blocked by it
			db Ready
			cache Ready
			worker Ready
			api Failed: Job api-migrate-1 failed: 1 pod ended with an error and no further try is allowed
			web Blocked: blocked by api`},
		"a service has failed while another is on its way": {ticks: 2, fates: map[string]fate{"Deployment/cache": breaks, "Deployment/db": never}, want: `
			Progressing: 0 of 5 services ready; cache failed: Deployment cache made no progress for 600 seconds: 0 of 1 pods are ready at the new version
			db Progressing: 0 of 1 pods are ready at the new version
			cache Failed: Deployment cache made no progress for 600 seconds: 0 of 1 pods are ready at the new version
			worker Blocked: blocked by cache
			api Blocked: blocked by cache
			web Blocked: blocked by cache
			wake in 19s`},
		"two services have failed": {ticks: 2, fates: map[string]fate{"Deployment/cache": breaks, "Deployment/db": breaks}, want: `
			Failed: service db failed: NoProgress: Deployment db made no progress for 600 seconds: 0 of 1 pods are ready at the new version; 2 services failed in all; 3 services blocked by it
			db Failed: Deployment db made no progress for 600 seconds: 0 of 1 pods are ready at the new version
			cache Failed: Deployment cache made no progress for 600 seconds: 0 of 1 pods are ready at the new version
			worker Blocked: blocked by db, cache
			api Blocked: blocked by db, cache
			web Blocked: blocked by db, cache`},
		"a write was refused": {ticks: 4, fates: map[string]fate{"Deployment/api": refused}, want: `
			Failed: service api failed: Forbidden: may not write Deployment/api; 1 service blocked by it
			db Ready
			cache Ready
			worker Ready
			api Failed: may not write Deployment/api
			web Blocked: blocked by api`},
		"a passive object was refused": {ticks: 4, fates: map[string]fate{"ConfigMap/worker": refused}, want: `
			Failed: service worker failed: Forbidden: may not write ConfigMap/worker; 1 service blocked by it
			db Ready
			cache Ready
			worker Failed: may not write ConfigMap/worker
			api Ready
			web Blocked: blocked by worker`},
		"all is ready": {ticks: 9, want: `
			Ready: 5 services ready
			db Ready
			cache Ready
			worker Ready
			api Ready
			web Ready`},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			p := shop(t)
			w := newFakeWorld(ends(p, tc.fates))
			w.run(p, tc.ticks)
			w.tells(t, "the story", p, tc.want)
		})
	}
}

func TestManyHoldersAreNotAllNamed(t *testing.T) {
	t.Parallel()
	var all services
	for i := range 9 {
		all = append(all, service("data", fmt.Sprintf("db-%d", i), 1))
	}
	all = append(all, service("apps", "api", 1), service("apps", "worker", 1), service("edge", "web", 1))
	d := newFakeWorld(nil).decide(planOf(t, tiers, all...))
	for _, s := range d.Services[9:] {
		if want := "waits for db-0, db-1, db-2, db-3 and others"; s.Message != want {
			t.Errorf("%s tells %q, want %q", s.Name, s.Message, want)
		}
		if want := []string{"db-0", "db-1", "db-2", "db-3"}; !cmp.Equal(want, s.WaitingFor) {
			t.Errorf("%s waits for %v, want %v", s.Name, s.WaitingFor, want)
		}
	}
}

// A service whose own objects are unchanged is not ready while its hook runs again.
func TestAHookThatChangesAlone(t *testing.T) {
	t.Parallel()
	first, second := shop(t), shop(t, func(r *services) { (*r)[2] = service("apps", "api", 1, hook("migrate", 2)) })
	w := newFakeWorld(ends(second, map[string]fate{"Job/api-migrate-2": breaks}))
	w.run(first, 9)
	w.scope.Run, w.record = "shop-2", nil
	w.tells(t, "before the hook", second, `
		Progressing: 4 of 5 services ready; api: hook api/migrate: written
		db Ready
		cache Ready
		worker Ready
		api Progressing: hook api/migrate: written
		web Ready
		write Job/api-migrate-2
		wake in 20s`)
	w.run(second, 1)
	w.tells(t, "after the hook", second, `
		Failed: service api failed: JobFailed: Job api-migrate-2 failed: 1 pod ended with an error and no further try is allowed
		db Ready
		cache Ready
		worker Ready
		api Failed: Job api-migrate-2 failed: 1 pod ended with an error and no further try is allowed
		web Ready`)
}

func TestAFailedJobOfAnEarlierRunIsTriedAgain(t *testing.T) {
	t.Parallel()
	p := planOf(t, tiers, service("apps", "api", 1, hook("migrate", 1)))
	w := newFakeWorld(ends(p, map[string]fate{"Job/api-migrate-1": breaks}))
	w.run(p, 3)
	w.scope.Run, w.record = "shop-2", nil
	w.behaves[key(p, "Job/api-migrate-1")] = behaviour{going: 1}
	w.tells(t, "the next run", p, `
		Progressing: 0 of 1 service ready; api: hook api/migrate: runs Job/api-migrate-1 again
		api Progressing: hook api/migrate: runs Job/api-migrate-1 again
		delete Job/api-migrate-1
		wake in 20s`)
	w.run(p, 1)
	w.tells(t, "while the old one goes", p, `
		Progressing: 0 of 1 service ready; api: hook api/migrate: waits for the old Job/api-migrate-1 to go
		api Progressing: hook api/migrate: waits for the old Job/api-migrate-1 to go
		wake in 20s`)
	w.run(p, 1)
	w.tells(t, "when it is gone", p, `
		Progressing: 0 of 1 service ready; api: hook api/migrate: written
		api Progressing: hook api/migrate: written
		write Job/api-migrate-1
		wake in 20s`)
	w.run(p, 3)
	if d := w.decide(p); d.Phase != v1alpha1.PhaseReady {
		t.Errorf("ended %s: %s", d.Phase, d.Message)
	}
}

// A service that did not change is ready, but what waits for it also waits for what it
// waits for itself.
func TestAnUnchangedServiceOpensNoGateOfItsOwn(t *testing.T) {
	t.Parallel()
	chain := func(revision int) *plan.Plan {
		return product{order: v1alpha1.OrderNeeds, groups: tiers, services: services{
			service("data", "db", revision), service("apps", "api", 1, needs("db")), service("edge", "web", revision, needs("api")),
		}}.plan(t)
	}
	w := newFakeWorld(nil)
	w.run(chain(1), 9)
	w.scope.Run, w.record = "shop-2", nil
	w.tells(t, "the database and the web change", chain(2), `
		Progressing: 1 of 3 services ready; db: written
		db Progressing: written
		api Ready
		web Waiting: waits for db
		write passive ConfigMap/db
		write passive ConfigMap/web
		write Deployment/db
		wake in 20s`)
}

// Two migrations must not work on one database: the job of a superseded run stops before
// its successor starts.
func TestAJobOfAnEarlierRunStopsFirst(t *testing.T) {
	t.Parallel()
	first := planOf(t, tiers, service("apps", "api", 1, hook("migrate", 1)))
	second := planOf(t, tiers, service("apps", "api", 1, hook("migrate", 2)))
	w := newFakeWorld(ends(first, map[string]fate{"Job/api-migrate-1": never}))
	w.run(first, 2)
	w.scope.Run, w.record = "shop-2", nil
	w.behaves[key(first, "Job/api-migrate-1")] = behaviour{going: 1}
	w.tells(t, "while the first migration runs", second, `
		Progressing: 0 of 1 service ready; api: hook api/migrate: waits for Job/api-migrate-1 of an earlier run to stop
		api Progressing: hook api/migrate: waits for Job/api-migrate-1 of an earlier run to stop
		delete Job/api-migrate-1
		wake in 20s`)
	w.run(second, 1)
	w.tells(t, "while it goes", second, `
		Progressing: 0 of 1 service ready; api: hook api/migrate: waits for Job/api-migrate-1 of an earlier run to stop
		api Progressing: hook api/migrate: waits for Job/api-migrate-1 of an earlier run to stop
		wake in 19s`)
	w.run(second, 1)
	w.tells(t, "when it is gone", second, `
		Progressing: 0 of 1 service ready; api: hook api/migrate: written
		api Progressing: hook api/migrate: written
		write Job/api-migrate-2
		wake in 20s`)
}
