package plan_test

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

func made(t *testing.T, tiers ...tier) *plan.Plan {
	t.Helper()
	p, err := plan.Compute(input(v1alpha1.OrderGroups, tiers...))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// revised is a revision of a service's objects.
func revised(revision int) func(*render.Service) {
	return func(s *render.Service) {
		s.Image = fmt.Sprintf("registry/%s:%d", s.Name, revision)
		for _, o := range append(s.Passive, s.Workloads...) {
			o.Object["spec"] = map[string]any{"replicas": int64(revision), "template": map[string]any{"spec": map[string]any{"image": s.Image}}}
		}
	}
}

func two(t *testing.T, revision int) *plan.Plan {
	t.Helper()
	return made(t, group("data", service("db", revised(revision))), group("apps", service("api", revised(revision), hook("migrate"), needs("db"))))
}

func packed(t *testing.T, p *plan.Plan) []byte {
	t.Helper()
	b, err := p.Snapshot()
	if err != nil || b == nil {
		t.Fatalf("Snapshot() = %v, %v", b, err)
	}
	return b
}

func same(t *testing.T, what string, want, got *plan.Plan) {
	t.Helper()
	if diff := cmp.Diff(want, got, cmpopts.IgnoreUnexported(plan.Plan{}), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("%s (-want +got):\n%s", what, diff)
	}
	for _, n := range want.Nodes {
		for _, o := range n.Objects {
			if !got.Wants(o.Key) {
				t.Errorf("%s does not want %s", what, o.Key)
			}
		}
	}
}

func TestASnapshotIsThePlan(t *testing.T) {
	t.Parallel()
	p := two(t, 1)
	first := packed(t, p)
	if again := packed(t, two(t, 1)); !bytes.Equal(first, again) {
		t.Error("the same plan gives other bytes")
	}
	got, err := plan.FromSnapshot(first, p.Digest)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "the plan that is unpacked", p, got)
}

func TestASnapshotThatWasChangedIsRefused(t *testing.T) {
	t.Parallel()
	p := two(t, 1)
	r, err := gzip.NewReader(bytes.NewReader(packed(t, p)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	var changed bytes.Buffer
	w := gzip.NewWriter(&changed)
	if _, err := w.Write([]byte(strings.Replace(string(text), "registry/db:1", "registry/db:9", 1))); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	tests := map[string][]byte{"an image": changed.Bytes(), "no zip": []byte("PK"), "nothing": nil, "half of it": packed(t, p)[:60]}
	for name, snapshot := range tests {
		if _, err := plan.FromSnapshot(snapshot, p.Digest); err == nil || !strings.HasPrefix(err.Error(), "unpack the plan: ") {
			t.Errorf("%s: FromSnapshot() = %v", name, err)
		}
	}
	if _, err := plan.FromSnapshot(packed(t, p), two(t, 2).Digest); err == nil {
		t.Error("the snapshot of another plan is taken")
	}
}

func TestASnapshotFitsIntoARun(t *testing.T) {
	t.Parallel()
	var all []render.Service
	for i := range 500 {
		all = append(all, service(fmt.Sprintf("service-%d", i), revised(i)))
	}
	if got := len(packed(t, made(t, group("all", all...)))); got > plan.SnapshotLimit/4 {
		t.Errorf("500 services take %d bytes", got)
	}
	large := service("large")
	noise, x := make([]byte, 0, 2*plan.SnapshotLimit), uint32(1)
	for range cap(noise) {
		x = x*1664525 + 1013904223
		noise = append(noise, ' '+byte(x>>24)%95)
	}
	large.Passive[0].Object["data"] = map[string]any{"file": string(noise)}
	if b, err := made(t, group("all", large)).Snapshot(); b != nil || err != nil {
		t.Errorf("a plan that is too large gives %d bytes, %v", len(b), err)
	}
}

func TestRestore(t *testing.T) {
	t.Parallel()
	now, before := two(t, 2), two(t, 1)
	tests := map[string]struct {
		now, before *plan.Plan
		services    []string
		restored    []string
		images      map[string]string
	}{
		"one service":     {now, before, []string{"api"}, []string{"api"}, map[string]string{"db": "registry/db:2", "api": "registry/api:1"}},
		"all":             {now, before, []string{"db", "api"}, []string{"db", "api"}, map[string]string{"db": "registry/db:1", "api": "registry/api:1"}},
		"none":            {now, before, nil, nil, map[string]string{"db": "registry/db:2", "api": "registry/api:2"}},
		"one without any": {now, before, []string{"web"}, nil, map[string]string{"db": "registry/db:2", "api": "registry/api:2"}},
		"one that is as it was": {
			made(t, group("data", service("db", revised(1))), group("apps", service("api", revised(2)))),
			made(t, group("data", service("db", revised(1))), group("apps", service("api", revised(1)))),
			[]string{"db", "api"}, []string{"api"}, map[string]string{"db": "registry/db:1", "api": "registry/api:1"},
		},
		"one whose object is another's now": {
			made(t, group("data", service("db", revised(2)), service("api", revised(2)))),
			made(t, group("data", service("db", revised(1), func(s *render.Service) { s.Passive[0] = object("v1", "ConfigMap", "api") }))),
			[]string{"db"}, nil, map[string]string{"db": "registry/db:2", "api": "registry/api:2"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, restored := tc.now.Restore(tc.before, tc.services)
			if diff := cmp.Diff(tc.restored, restored); diff != "" {
				t.Errorf("restored (-want +got):\n%s", diff)
			}
			images := map[string]string{}
			for _, n := range got.Nodes {
				if n.Kind == plan.Service {
					images[n.Name] = n.Image
				}
			}
			if diff := cmp.Diff(tc.images, images); diff != "" {
				t.Errorf("images (-want +got):\n%s", diff)
			}
			if len(tc.restored) == 0 {
				same(t, "the plan", tc.now, got)
			}
		})
	}
	whole, _ := now.Restore(before, []string{"db", "api"})
	same(t, "with all restored, the plan", before, whole)
}

// A service comes back with the hooks that it had, after what it is after now.
func TestARestoredServiceKeepsItsPlace(t *testing.T) {
	t.Parallel()
	now := made(t, group("data", service("db"), service("cache")), group("apps", service("api", revised(2), needs("cache")), service("web", needs("api"))))
	before := made(t, group("data", service("db")), group("apps", service("api", revised(1), hook("migrate"), hook("seed"))))
	got, _ := now.Restore(before, []string{"api"})
	after := map[string][]string{}
	for _, n := range got.Nodes {
		after[n.Name] = n.After
	}
	want := map[string][]string{
		"db": nil, "cache": nil, "group:data": {"db", "cache"},
		"api/migrate": {"group:data", "cache"}, "api/seed": {"api/migrate"}, "api": {"api/seed"},
		"web": {"group:data", "api"}, "group:apps": {"api", "web", "group:data"},
	}
	if diff := cmp.Diff(want, after, cmpopts.SortSlices(strings.Compare), cmpopts.EquateEmpty()); diff != "" {
		t.Errorf("what each node is after (-want +got):\n%s", diff)
	}
}
