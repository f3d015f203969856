package plan_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

const byGroups, byNeeds = v1alpha1.OrderGroups, v1alpha1.OrderNeeds

func TestCompute(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in   plan.Input
		want string
	}{
		"a group waits for the join of the group before": {
			in: input(byGroups, group("data", service("db"), service("cache")), group("apps", service("api"), service("web"))),
			want: `
			passive: ConfigMap/db ConfigMap/cache ConfigMap/api ConfigMap/web
			service db: Deployment/db
			service cache: Deployment/cache
			join group:data after db, cache
			service api after group:data: Deployment/api
			service web after group:data: Deployment/web
			join group:apps after api, web, group:data`,
		},
		"an order that is not given is that of the groups": {
			in: input("", group("data", service("db")), group("apps", service("api"))),
			want: `
			passive: ConfigMap/db ConfigMap/api
			service db: Deployment/db
			join group:data after db
			service api after group:data: Deployment/api
			join group:apps after api, group:data`,
		},
		"order Needs lets a group start before the group before is ready": {
			in: input(byNeeds, group("data", service("db"), service("cache")), group("apps", service("api", needs("db")), service("web"))),
			want: `
			passive: ConfigMap/db ConfigMap/cache ConfigMap/api ConfigMap/web
			service db: Deployment/db
			service cache: Deployment/cache
			service web: Deployment/web
			service api after db: Deployment/api
			join group:data after db, cache
			join group:apps after api, web`,
		},
		"a start is enough for a need that says so, whatever refers to it": {
			in: input(byNeeds, group("apps", service("db"), service("api", need(v1alpha1.Need{Service: "db", Until: v1alpha1.UntilStarted}), refersTo("db")))),
			want: `
			passive: ConfigMap/db ConfigMap/api
			service db: Deployment/db
			service api after db (started): Deployment/api
			join group:apps after db, api`,
		},
		"of two needs the stricter one holds": {
			in: input(byNeeds, group("apps", service("db"), service("api", need(v1alpha1.Need{Service: "db", Until: v1alpha1.UntilStarted}), needs("db")))),
			want: `
			passive: ConfigMap/db ConfigMap/api
			service db: Deployment/db
			service api after db: Deployment/api
			join group:apps after db, api`,
		},
		"the order of groups is stricter than a start": {
			in: input(byGroups, group("data", service("db")), group("apps", service("api", need(v1alpha1.Need{Group: "data", Until: v1alpha1.UntilStarted})))),
			want: `
			passive: ConfigMap/db ConfigMap/api
			service db: Deployment/db
			join group:data after db
			service api after group:data: Deployment/api
			join group:apps after api, group:data`,
		},
		"a need orders two services of a group": {
			in: input(byGroups, group("apps", service("api", needs("auth")), service("auth"))),
			want: `
			passive: ConfigMap/api ConfigMap/auth
			service auth: Deployment/auth
			service api after auth: Deployment/api
			join group:apps after api, auth`,
		},
		"a need of a group is an edge from its join": {
			in: input(byNeeds, group("data", service("db"), service("cache")), group("apps", service("api", need(v1alpha1.Need{Group: "data"})))),
			want: `
			passive: ConfigMap/db ConfigMap/cache ConfigMap/api
			service db: Deployment/db
			service cache: Deployment/cache
			join group:data after db, cache
			service api after group:data: Deployment/api
			join group:apps after api`,
		},
		"a need of a later group is an edge too": {
			in: input(byNeeds, group("data", service("db", needs("vault"))), group("late", service("vault"))),
			want: `
			passive: ConfigMap/db ConfigMap/vault
			service vault: Deployment/vault
			join group:late after vault
			service db after vault: Deployment/db
			join group:data after db`,
		},
		"a soft need gates nothing, also where the service refers to it": {
			in: input(byGroups, group("apps", service("api", need(v1alpha1.Need{Service: "web", Soft: true}), refersTo("web")), service("web", refersTo("api")))),
			want: `
			passive: ConfigMap/api ConfigMap/web
			service api: Deployment/api
			service web after api: Deployment/web
			join group:apps after api, web`,
		},
		"a soft need of a group covers references to its services": {
			in: input(byNeeds, group("data", service("db")), group("apps", service("api", need(v1alpha1.Need{Group: "data", Soft: true}), refersTo("db")))),
			want: `
			passive: ConfigMap/db ConfigMap/api
			service db: Deployment/db
			service api: Deployment/api
			join group:data after db
			join group:apps after api`,
		},
		"a reference to the same and to an earlier group is an edge": {
			in: input(byNeeds, group("data", service("db")), group("apps", service("api", refersTo("db")), service("web", refersTo("api")))),
			want: `
			passive: ConfigMap/db ConfigMap/api ConfigMap/web
			service db: Deployment/db
			join group:data after db
			service api after db: Deployment/api
			service web after api: Deployment/web
			join group:apps after api, web`,
		},
		"a reference to a later group and to itself is an address only": {
			in: input(byGroups, group("data", service("db", refersTo("web"), refersTo("db"))), group("apps", service("web", refersTo("db")))),
			want: `
			passive: ConfigMap/db ConfigMap/web
			service db: Deployment/db
			join group:data after db
			service web after group:data, db: Deployment/web
			join group:apps after web, group:data`,
		},
		"hooks run one after the other before their service, and wait for what it needs": {
			in: input(byGroups, group("data", service("db")), group("apps", service("api", hook("migrate"), hook("seed"), needs("db")), service("web", needs("api")))),
			want: `
			passive: ConfigMap/db ConfigMap/api ConfigMap/web
			service db: Deployment/db
			join group:data after db
			hook api/migrate after group:data, db: Job/api-migrate
			hook api/seed after api/migrate: Job/api-seed
			service api after api/seed: Deployment/api
			service web after group:data, api: Deployment/web
			join group:apps after api, web, group:data`,
		},
		"a group that the environment leaves out is passed through": {
			in: input(byGroups, group("data", service("db")), tier{name: "middle", absent: []string{"queue"}}, group("apps", service("api"))),
			want: `
			passive: ConfigMap/db ConfigMap/api
			service db: Deployment/db
			join group:data after db
			join group:middle after group:data
			service api after group:middle: Deployment/api
			join group:apps after api, group:middle`,
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(text(tc.want), picture(compute(t, tc.in))); diff != "" {
				t.Errorf("Compute() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestComputeRefusesCycles(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		in   plan.Input
		want string
	}{
		"services that need each other": {
			in:   input(byNeeds, group("apps", service("api", needs("web")), service("web", needs("api")))),
			want: "product.spec.groups: services wait for each other: cycle api -> web -> api (web needs service api; api needs service web); set `soft: true` on the need of service web for service api, or remove it",
		},
		"services of a group that refer to each other": {
			in:   input(byGroups, group("apps", service("api", refersTo("web")), service("web", refersTo("api")))),
			want: "product.spec.groups: services wait for each other: cycle api -> web -> api (file app.yaml of web refers to api; file app.yaml of api refers to web); add `{service: api, soft: true}` to the needs of service web: then it gets the address and does not wait",
		},
		"a need against the order of the groups names the need": {
			in:   input(byGroups, group("data", service("db", needs("api"))), group("apps", service("api"))),
			want: "product.spec.groups: services wait for each other: cycle db -> group:data -> api -> db (db is in group data; group apps comes after group data; db needs service api); set `soft: true` on the need of service db for service api, or remove it",
		},
		"a service that needs its own group": {
			in:   input(byNeeds, group("apps", service("api", need(v1alpha1.Need{Group: "apps"})))),
			want: "product.spec.groups: services wait for each other: cycle api -> group:apps -> api (api is in group apps; api needs group apps); set `soft: true` on the need of service api for group apps, or remove it",
		},
		"a cycle through a hook": {
			in:   input(byNeeds, group("apps", service("api", hook("migrate"), needs("web")), service("web", needs("api")))),
			want: "product.spec.groups: services wait for each other: cycle api/migrate -> api -> web -> api/migrate (api/migrate runs before api; web needs service api; api needs service web); set `soft: true` on the need of service web for service api, or remove it",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := plan.Compute(tc.in)
			if err == nil {
				t.Fatal("Compute() made a plan of a cycle")
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("Compute() error (-want +got):\n%s", diff)
			}
		})
	}
}

// Following the advice of a refusal must make the plan possible.
func TestTheRemedyOfACycleWorks(t *testing.T) {
	t.Parallel()
	soft := need(v1alpha1.Need{Service: "web", Soft: true})
	compute(t, input(byGroups, group("apps", service("api", refersTo("web"), soft), service("web", refersTo("api")))))
	compute(t, input(byNeeds, group("apps", service("api", soft), service("web", needs("api")))))
}

func TestComputeStampsWhatIsWritten(t *testing.T) {
	t.Parallel()
	in := input(byGroups, group("apps", service("api", hook("migrate"), func(s *render.Service) { s.URL = "http://api.shop.localhost" })))
	p := compute(t, in)
	got := map[string]map[string]string{p.Passive[0].String(): annotations(p.Passive[0])}
	for _, n := range p.Nodes[:2] {
		got[n.Objects[0].String()] = annotations(n.Objects[0])
	}
	want := map[string]map[string]string{
		"ConfigMap/api":   {v1alpha1.AnnotationEnvironmentUID: "uid-1", v1alpha1.AnnotationNode: "", v1alpha1.AnnotationHash: p.Passive[0].Hash},
		"Job/api-migrate": {v1alpha1.AnnotationEnvironmentUID: "uid-1", v1alpha1.AnnotationNode: "api/migrate", v1alpha1.AnnotationHash: p.Nodes[0].Objects[0].Hash},
		"Deployment/api":  {v1alpha1.AnnotationEnvironmentUID: "uid-1", v1alpha1.AnnotationNode: "api", v1alpha1.AnnotationHash: p.Nodes[1].Objects[0].Hash},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("annotations (-want +got):\n%s", diff)
	}
	if n := p.Nodes[1]; n.Image != "registry/api:1" || n.URL != "http://api.shop.localhost" || n.Group != "apps" {
		t.Errorf("node %+v lacks image, URL or group", n)
	}
	if in.Rendered.Services[0].Workloads[0].GetAnnotations() != nil {
		t.Error("Compute() changed the rendered object")
	}
}

func annotations(o plan.Object) map[string]string { return o.Desired.GetAnnotations() }

func TestFrozenKeepsOrderAndImages(t *testing.T) {
	t.Parallel()
	p := compute(t, input(byGroups, group("data", service("db")), group("apps", service("api", hook("migrate")))))
	want := []v1alpha1.PlanNode{
		{Name: "db", Group: "data", After: []string{}, Image: "registry/db:1"},
		{Name: "group:data", Group: "data", After: []string{"db"}},
		{Name: "api/migrate", Group: "apps", After: []string{"group:data"}, Image: "registry/api:1"},
		{Name: "api", Group: "apps", After: []string{"api/migrate"}, Image: "registry/api:1"},
		{Name: "group:apps", Group: "apps", After: []string{"api", "group:data"}},
	}
	if diff := cmp.Diff(want, p.Frozen()); diff != "" {
		t.Errorf("Frozen() (-want +got):\n%s", diff)
	}
}

func TestWantsAnObjectInEveryVersionOfItsKind(t *testing.T) {
	t.Parallel()
	p := compute(t, input(byGroups, group("apps", service("api", func(s *render.Service) {
		s.Passive = append(s.Passive, object("autoscaling/v2", "HorizontalPodAutoscaler", "api"))
	}))))
	key := p.Passive[1].Key
	older, other, foreign := key, key, key
	older.Version, other.Name, foreign.Group = "v1", "web", "example.com"
	for k, want := range map[plan.Key]bool{key: true, older: true, other: false, foreign: false} {
		if got := p.Wants(k); got != want {
			t.Errorf("Wants(%v %s) = %t, want %t", k.GroupVersionKind, k.Name, got, want)
		}
	}
}

func TestKindsAreNamedOnce(t *testing.T) {
	t.Parallel()
	p := compute(t, input(byGroups, group("data", service("db"), service("cache")), group("apps", service("api", hook("migrate")))))
	var got []string
	for _, k := range p.Kinds() {
		got = append(got, k.Kind)
	}
	if diff := cmp.Diff([]string{"ConfigMap", "Deployment", "Job"}, got); diff != "" {
		t.Errorf("Kinds() (-want +got):\n%s", diff)
	}
}
