package cli

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// wrote is what a run has written.
func wrote(digest string, services ...string) func(*v1alpha1.EnvironmentRun) {
	return func(r *v1alpha1.EnvironmentRun) {
		r.Spec.PlanDigest = digest
		for _, name := range append(services, "group:data", "orders/migrate") {
			r.Spec.Nodes = append(r.Spec.Nodes, v1alpha1.PlanNode{Name: name})
		}
	}
}

func TestRollback(t *testing.T) {
	t.Parallel()
	back := func(e *v1alpha1.Environment) {
		ready(e)
		e.Status.Run = "shop-5"
		e.Status.Rollback = &v1alpha1.Rollback{From: "shop-4", To: "shop-2"}
		e.MarkReady("rolled back to run shop-2: 3 services ready")
	}
	tests := map[string]struct {
		args []string
		end  func(*v1alpha1.Environment)
		want map[string]any
	}{
		"rollback":            {args: []string{"shop"}, end: back, want: map[string]any{"to": "shop-2"}},
		"rollback-service":    {args: []string{"shop", "orders"}, end: back, want: map[string]any{"to": "shop-2", "services": []any{"orders"}}},
		"rollback-to":         {args: []string{"shop", "--to", "shop-1", "--wait=false"}, end: unseen, want: map[string]any{"to": "shop-1"}},
		"rollback-fails":      {args: []string{"shop"}, end: failed, want: map[string]any{"to": "shop-2"}},
		"rollback-to-failed":  {args: []string{"shop", "--to", "shop-4"}},
		"rollback-to-nowhere": {args: []string{"shop", "--to", "shop-11"}},
		"rollback-no-service": {args: []string{"shop", "order"}},
		"rollback-nothing":    {args: []string{"empty"}},
		"rollback-nobody":     {args: []string{"shopp"}},
		"rollback-of-what":    {args: nil},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, environment("shop", failed), environment("empty", unseen),
				attempt(4, time.Minute, endedAs(v1alpha1.PhaseFailed, "1/3", "service orders failed", time.Second), wrote("sha256:c", "orders")),
				attempt(3, time.Hour, endedAs(v1alpha1.PhaseFailed, "1/3", "service orders failed", time.Second), wrote("sha256:x", "orders")),
				attempt(2, 2*time.Hour, endedAs(v1alpha1.PhaseReady, "3/3", "3 services ready", time.Second), wrote("sha256:b", "orders", "web")),
				attempt(1, 3*time.Hour, endedAs(v1alpha1.PhaseReady, "3/3", "3 services ready", time.Second), wrote("sha256:a", "orders")),
			)
			var patches *[]patch
			if tt.end != nil {
				patches = w.stores(t, environment("shop", tt.end))
			}
			w.run(append([]string{"env", "rollback"}, tt.args...)...).golden(t, name)
			if patches == nil {
				return
			}
			if len(*patches) != 1 {
				t.Fatalf("%d patches", len(*patches))
			}
			run := (*patches)[0].Spec["run"].(map[string]any)
			if diff := cmp.Diff(tt.want, run["rollback"]); diff != "" || run["attempt"] != "rollback-20260504-120000" {
				t.Errorf("attempt %v asks for (-want +got):\n%s", run["attempt"], diff)
			}
		})
	}
}
