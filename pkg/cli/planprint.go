package cli

import (
	"fmt"
	"io"
	"strings"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/diff"
	"spock.dev/spock/pkg/scaffold"
)

// planned is a plan for programs: the EnvironmentRun that would record it, and what would
// become of the objects.
type planned struct {
	*v1alpha1.EnvironmentRun
	Changes []objectChange `json:"changes"`
}

// objectChange is what would become of an object.
type objectChange struct {
	Node       string        `json:"node,omitempty"` // none of a passive object, or one that goes
	APIVersion string        `json:"apiVersion"`
	Kind       string        `json:"kind"`
	Name       string        `json:"name"`
	Change     string        `json:"change"`
	Fields     []diff.Change `json:"fields,omitempty"`
}

// objects are all objects of the plan, in the order of the table.
func (w *work) objects() []objectChange {
	out := []objectChange{}
	add := func(node string, o outcome) {
		out = append(out, objectChange{
			Node: node, APIVersion: o.key.GroupVersion().String(), Kind: o.key.Kind, Name: o.key.Name, Change: o.change, Fields: o.fields,
		})
	}
	for _, step := range w.steps {
		node := step.name
		if step.wave == 0 {
			node = ""
		}
		for _, o := range step.objects {
			add(node, o)
		}
	}
	for _, key := range w.removed {
		add("", outcome{key: key, change: deleted})
	}
	return out
}

func (w *work) changes() int {
	return len(w.removed) + w.count(created) + w.count(changed) + w.count(foreign)
}

func (w *work) count(what string) int {
	n := 0
	for _, step := range w.steps {
		for _, o := range step.objects {
			if o.change == what {
				n++
			}
		}
	}
	return n
}

func (s *session) printPlan(w *work) {
	out := s.Streams.Out
	fmt.Fprintf(out, "environment %s/%s: product %s in class %s, in namespace %s\n%s\n\n",
		w.env.Namespace, w.env.Name, w.env.Spec.Product, w.env.Spec.Class, scaffold.NamespaceOf(w.env), w.plan.Digest)
	t := table{paint: s.outPaint(), painted: "CHANGE", titles: []string{"WAVE", "GROUP", "NODE", "AFTER", "OBJECT", "CHANGE"}}
	for _, step := range w.steps {
		cells := []string{fmt.Sprint(step.wave), or(step.group), step.name, or(strings.Join(step.after, ", "))}
		for _, o := range step.objects {
			t.row(append(cells, o.key.String(), o.change)...)
			cells = []string{"", "", "", ""}
		}
	}
	for i, key := range w.removed {
		name := ""
		if i == 0 {
			name = "(no longer wanted, when all is ready)"
		}
		t.row("", "", name, "", key.String(), deleted)
	}
	t.print(out, false)
	w.printFields(out)
	fmt.Fprintf(out, "\n%s\n", w.summary())
	if w.env.Spec.Suspend {
		fmt.Fprintln(s.Streams.Err, "The environment is suspended: nothing is written until the next deploy, or until spec.suspend is cleared.")
	}
}

func (w *work) summary() string {
	if w.changes() == 0 {
		return fmt.Sprintf("nothing to do: %d objects are as they should be", w.count(unchanged))
	}
	text := fmt.Sprintf("%d created, %d changed, %d deleted, %d unchanged", w.count(created), w.count(changed), len(w.removed), w.count(unchanged))
	if n := w.count(foreign); n > 0 {
		text += fmt.Sprintf("; %d refused, since somebody else owns it", n)
	}
	return text
}

// printFields names the fields of the objects that would be changed, a line each.
func (w *work) printFields(out io.Writer) {
	for _, step := range w.steps {
		for _, o := range step.objects {
			if o.change != changed {
				continue
			}
			fmt.Fprintf(out, "\n%s\n", o.key)
			for _, field := range o.fields {
				fmt.Fprintf(out, "  %s\n", field)
			}
			if len(o.fields) == 0 {
				fmt.Fprintln(out, "  (only the marks by which one revision is told from another)")
			}
		}
	}
}
