package graph_test

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/graph"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		edges [][2]string
		want  []string
	}{
		"an empty graph has an empty order": {want: []string{}},
		"a chain is followed":               {edges: [][2]string{{"a", "b"}, {"b", "c"}}, want: []string{"a", "b", "c"}},
		"a diamond joins":                   {edges: [][2]string{{"a", "b"}, {"a", "c"}, {"b", "d"}, {"c", "d"}}, want: []string{"a", "b", "c", "d"}},
		"an edge given twice counts once":   {edges: [][2]string{{"a", "b"}, {"a", "b"}}, want: []string{"a", "b"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var g graph.Graph
			for _, e := range tc.edges {
				g.AddEdge(e[0], e[1], "test")
			}
			got, err := g.Order()
			if err != nil {
				t.Fatalf("Order() failed: %v", err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("Order() (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCycle(t *testing.T) {
	t.Parallel()
	var g graph.Graph
	g.AddEdge("start", "a", "start first")
	g.AddEdge("a", "b", "b reads a")
	g.AddEdge("b", "c", "c needs b")
	g.AddEdge("c", "a", "a needs c")
	_, err := g.Order()
	var cycle *graph.CycleError
	if !errors.As(err, &cycle) {
		t.Fatalf("Order() = %v, want a CycleError", err)
	}
	want := "cycle a -> b -> c -> a (b reads a; c needs b; a needs c)"
	if diff := cmp.Diff(want, rotated(cycle, "a").Error()); diff != "" {
		t.Errorf("Error() (-want +got):\n%s", diff)
	}
}

// rotated lets the cycle start at a node, since any start is right.
func rotated(c *graph.CycleError, start string) *graph.CycleError {
	i := slices.IndexFunc(c.Edges, func(e graph.Edge) bool { return e.From == start })
	return &graph.CycleError{Edges: slices.Concat(c.Edges[i:], c.Edges[:i])}
}

// Whatever the edges, Order either respects all of them or names a true cycle.
func TestOrderProperties(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 12).Draw(t, "nodes")
		pairs := rapid.SliceOfN(rapid.IntRange(0, n*n-1), 0, 30).Draw(t, "edges")
		var g graph.Graph
		edges := map[graph.Edge]bool{}
		for i := range n {
			g.AddNode(fmt.Sprint(i))
		}
		for _, p := range pairs {
			e := graph.Edge{From: fmt.Sprint(p / n), To: fmt.Sprint(p % n), Why: "drawn"}
			edges[e] = true
			g.AddEdge(e.From, e.To, e.Why)
		}
		order, err := g.Order()
		var cycle *graph.CycleError
		if errors.As(err, &cycle) {
			checkCycle(t, edges, cycle)
			return
		}
		if len(order) != n {
			t.Fatalf("order %v has %d nodes, want %d", order, len(order), n)
		}
		for e := range edges {
			if slices.Index(order, e.From) > slices.Index(order, e.To) {
				t.Fatalf("order %v breaks %s -> %s", order, e.From, e.To)
			}
		}
	})
}

func checkCycle(t *rapid.T, edges map[graph.Edge]bool, cycle *graph.CycleError) {
	for i, e := range cycle.Edges {
		if !edges[e] {
			t.Fatalf("edge %v of the cycle was never added", e)
		}
		if next := cycle.Edges[(i+1)%len(cycle.Edges)]; next.From != e.To {
			t.Fatalf("cycle %v does not close", cycle)
		}
	}
}
