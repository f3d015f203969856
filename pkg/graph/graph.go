// Package graph is a directed graph of named nodes: add nodes and edges, find a
// cycle, put the nodes into an order in which they can be done, say what holds a
// node back. It knows nothing of deployments.
//
// An edge runs from what comes first to what comes after. Order is deterministic:
// among nodes that may come next, the one added first wins.
package graph

import (
	"fmt"
	"slices"
	"strings"
)

// Graph is a directed graph. The zero value is empty and ready to use. It is not
// safe for concurrent use.
type Graph struct {
	index map[string]int
	nodes []node
}

type node struct {
	name   string
	before []edge // what must come first, in order of addition
	after  []int  // what comes after
}

type edge struct {
	from int
	why  string
}

// Edge is an edge with the reason it was added for.
type Edge struct {
	From, To, Why string
}

// AddNode adds a node, unless it is there already.
func (g *Graph) AddNode(name string) {
	g.at(name)
}

// AddEdge says that from comes before to, and why. Both nodes are added when they
// are new; a second edge between the same two keeps the first reason.
func (g *Graph) AddEdge(from, to, why string) {
	f, t := g.at(from), g.at(to)
	if g.hasEdge(f, t) {
		return
	}
	g.nodes[f].after = append(g.nodes[f].after, t)
	g.nodes[t].before = append(g.nodes[t].before, edge{from: f, why: why})
}

// Has says whether there is a node of this name.
func (g *Graph) Has(name string) bool {
	_, ok := g.index[name]
	return ok
}

// Before returns the names of the nodes that must come right before a node, in the
// order their edges were added.
func (g *Graph) Before(name string) []string {
	i, ok := g.index[name]
	if !ok {
		return nil
	}
	names := make([]string, 0, len(g.nodes[i].before))
	for _, e := range g.nodes[i].before {
		names = append(names, g.nodes[e.from].name)
	}
	return names
}

// After returns the names of the nodes that come right after a node.
func (g *Graph) After(name string) []string {
	i, ok := g.index[name]
	if !ok {
		return nil
	}
	names := make([]string, 0, len(g.nodes[i].after))
	for _, a := range g.nodes[i].after {
		names = append(names, g.nodes[a].name)
	}
	return names
}

// Order returns all nodes so that each stands after everything that must come
// before it. On a cycle it returns a *CycleError.
func (g *Graph) Order() ([]string, error) {
	waiting := make([]int, len(g.nodes))
	var ready []int
	for i := range g.nodes {
		waiting[i] = len(g.nodes[i].before)
		if waiting[i] == 0 {
			ready = append(ready, i)
		}
	}
	names := make([]string, 0, len(g.nodes))
	for len(ready) > 0 {
		next := ready[0]
		ready = ready[1:]
		names = append(names, g.nodes[next].name)
		for _, a := range g.nodes[next].after {
			if waiting[a]--; waiting[a] == 0 {
				ready = append(ready, a)
			}
		}
	}
	if len(names) < len(g.nodes) {
		return nil, &CycleError{Edges: g.cycle(waiting)}
	}
	return names, nil
}

// CycleError tells which edges make a cycle.
type CycleError struct {
	// Edges of the cycle; the To of each is the From of the next, and the last To is
	// the first From.
	Edges []Edge
}

// Error prints the cycle as `a -> b -> a` with the reason of each edge.
func (e *CycleError) Error() string {
	var path strings.Builder
	whys := make([]string, 0, len(e.Edges))
	for i, edge := range e.Edges {
		if i == 0 {
			path.WriteString(edge.From)
		}
		path.WriteString(" -> " + edge.To)
		whys = append(whys, edge.Why)
	}
	return fmt.Sprintf("cycle %s (%s)", path.String(), strings.Join(whys, "; "))
}

// cycle walks back from a node that never became ready until one comes twice.
func (g *Graph) cycle(waiting []int) []Edge {
	at := slices.IndexFunc(waiting, func(n int) bool { return n > 0 })
	seen := map[int]int{}
	var path []Edge
	for {
		if first, ok := seen[at]; ok {
			path = path[first:]
			slices.Reverse(path)
			return path
		}
		seen[at] = len(path)
		i := slices.IndexFunc(g.nodes[at].before, func(e edge) bool { return waiting[e.from] > 0 })
		e := g.nodes[at].before[i]
		path = append(path, Edge{From: g.nodes[e.from].name, To: g.nodes[at].name, Why: e.why})
		at = e.from
	}
}

// hasEdge looks at the shorter side: a join has many edges on one side and few on
// the other.
func (g *Graph) hasEdge(from, to int) bool {
	if len(g.nodes[from].after) < len(g.nodes[to].before) {
		return slices.Contains(g.nodes[from].after, to)
	}
	return slices.ContainsFunc(g.nodes[to].before, func(e edge) bool { return e.from == from })
}

func (g *Graph) at(name string) int {
	if i, ok := g.index[name]; ok {
		return i
	}
	if g.index == nil {
		g.index = map[string]int{}
	}
	i := len(g.nodes)
	g.index[name] = i
	g.nodes = append(g.nodes, node{name: name})
	return i
}
