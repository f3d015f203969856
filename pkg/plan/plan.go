// Package plan turns a rendered product into what the engine walks: nodes in an
// order, the objects each of them writes, what gates it, and one digest over it all.
//
// A node is a service, a hook of one, or the join of a group. Groups are ordered by
// joins, so that two tiers of N and M services cost N+M edges. It reads no cluster and
// no clock: the same input gives the same plan.
package plan

import (
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// Plan is what an environment should be, ready to be walked. It is never changed
// after Compute made it.
type Plan struct {
	// Digest of everything the plan writes and of what waits for what. It stays when only
	// the order in which things are listed changes.
	Digest string
	// Passive objects of all services: they gate nothing and are written first.
	Passive []Object
	// Nodes in an order in which they can be done.
	Nodes []Node
	// keys of all objects, passive ones too.
	keys map[identity]bool
}

// Kind is what a node stands for.
type Kind string

// The kinds of nodes.
const (
	Service Kind = "Service"
	Hook    Kind = "Hook"
	Join    Kind = "Join"
)

// Node is one step: its objects may be written when all nodes of After are ready.
type Node struct {
	// Name is the service's name, `service/hook`, or `group:NAME`.
	Name string
	// Kind of the node.
	Kind Kind
	// Group the node belongs to.
	Group string
	// Service the node belongs to; empty for a join.
	Service string
	// After are the nodes that gate this one.
	After []string
	// Started are those of After that need not be ready: it is enough that their objects
	// are written.
	Started []string
	// Objects to write; none for a join.
	Objects []Object
	// Image and URL of a service.
	Image, URL string
	// Ready are the template's rules for kinds Kubernetes has none for.
	Ready []v1alpha1.ReadyRule
}

// Object is one object to write.
type Object struct {
	Key
	// Service it belongs to.
	Service string
	// Hash of Desired without the annotations of the hash and of the environment's uid, which is
	// compared on its own.
	Hash string
	// PodHash is what the object's pods carry as v1alpha1.AnnotationPodHash; empty for an
	// object that replaces no pods.
	PodHash string
	// Desired is the object as it is applied. Readers must not change it.
	Desired *unstructured.Unstructured
}

// Key names an object in the environment's namespace.
type Key struct {
	schema.GroupVersionKind
	Name string
}

// String returns `kind/name`, as people write it.
func (k Key) String() string { return k.Kind + "/" + k.Name }

// identity is what makes two keys one object: the cluster serves the same object in all
// versions of its kind.
type identity struct {
	schema.GroupKind
	name string
}

func identityOf(key Key) identity { return identity{key.GroupKind(), key.Name} }

// Wants says whether the plan writes the object of this key, in whatever version of its
// kind.
func (p *Plan) Wants(key Key) bool { return p.keys[identityOf(key)] }

// Kinds returns the kinds of objects the plan writes, each once, in first-use order.
func (p *Plan) Kinds() []schema.GroupVersionKind {
	seen := map[schema.GroupVersionKind]bool{}
	var kinds []schema.GroupVersionKind
	add := func(objects []Object) {
		for _, o := range objects {
			if !seen[o.GroupVersionKind] {
				seen[o.GroupVersionKind] = true
				kinds = append(kinds, o.GroupVersionKind)
			}
		}
	}
	add(p.Passive)
	for _, n := range p.Nodes {
		add(n.Objects)
	}
	return kinds
}

// Frozen returns the nodes as an EnvironmentRun records them.
func (p *Plan) Frozen() []v1alpha1.PlanNode {
	nodes := make([]v1alpha1.PlanNode, 0, len(p.Nodes))
	for _, n := range p.Nodes {
		nodes = append(nodes, v1alpha1.PlanNode{Name: n.Name, Group: n.Group, After: n.After, Image: n.Image})
	}
	return nodes
}
