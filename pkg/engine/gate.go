package engine

import (
	"slices"
	"strings"

	"spock.dev/spock/pkg/plan"
)

// gate is what a node tells the nodes after it.
type gate struct {
	// open: the node and everything before it is ready at the wanted revision.
	open bool
	// started: its own objects are written as wanted, and what it waits for let it; of a
	// group, those of all its services.
	started bool
	// failed: it will not open without a change.
	failed bool
	// holders are services that keep it shut, the first few of them.
	holders []string
	// more says that there are others. How many is not known: the same one can hold a node
	// on several ways.
	more bool
}

// maxHolders bounds what each service tells, so that a wide tier does not make the
// status quadratic.
const maxHolders = 4

// incoming joins the gates a node waits for. Failed holders hide waiting ones, since
// they are why nothing will happen.
func (k *walk) incoming(n plan.Node) gate {
	in := gate{open: true}
	for _, name := range n.After {
		g := k.gates[name]
		switch {
		case g.open, g.started && slices.Contains(n.Started, name):
			continue
		case g.failed && !in.failed:
			in = gate{failed: true}
		case in.failed && !g.failed:
			continue
		}
		in.open = false
		in.add(g)
	}
	return in
}

func (g *gate) add(from gate) {
	g.more = g.more || from.more
	for _, h := range from.holders {
		switch {
		case slices.Contains(g.holders, h):
		case len(g.holders) < maxHolders:
			g.holders = append(g.holders[:len(g.holders):len(g.holders)], h)
		default:
			g.more = true
		}
	}
}

// joined is the gate of a group: as open as what it comes after, and started when all of
// that is.
func (k *walk) joined(n plan.Node, in gate) gate {
	in.started = !slices.ContainsFunc(n.After, func(name string) bool { return !k.gates[name].started })
	return in
}

// outgoing is the gate of a service or hook: shut by itself when it is not ready,
// else as open as what it comes after.
func (k *walk) outgoing(n plan.Node, in gate, v view) gate {
	switch {
	case v.cause != nil:
		return gate{failed: true, started: in.open && v.written, holders: []string{n.Service}}
	case in.open && v.settled:
		return gate{open: true, started: true}
	case in.open:
		return gate{started: v.written, holders: []string{n.Service}}
	default:
		return in
	}
}

func (k *walk) set(node string, g gate) {
	k.gates[node] = g
	if g.open {
		k.open++
	}
}

// names lists the holders in a sentence.
func (g gate) names() string {
	s := strings.Join(g.holders, ", ")
	if g.more {
		s += " and others"
	}
	return s
}
