package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"spock.dev/spock/pkg/plan"
)

// The formats of a graph, besides text.
const asDot = "dot"

func newProductGraph(s *session) *cobra.Command {
	var files []string
	format := asTable
	cmd := &cobra.Command{
		Use:   "graph NAME",
		Short: "Show what waits for what in a product",
		Long: `Show what waits for what in a product: its groups, their services, and of each what has to be
ready before it. With -o dot it is a picture for Graphviz, with -o json the nodes and edges.`,
		Example:           examples(`spock product graph shop`, `spock product graph shop -f spock/ -o dot | dot -Tsvg > shop.svg`),
		Args:              positional(1, 1, "the NAME of a product"),
		ValidArgsFunction: s.completeProduct,
		RunE: ran(func(cmd *cobra.Command, args []string) error {
			if !slices.Contains([]string{asTable, asDot, asJSON}, format) {
				return usage("-o %s: write one of %s, %s, %s", format, asTable, asDot, asJSON)
			}
			all, err := s.subjects(cmd.Context(), files, args)
			if err != nil {
				return err
			}
			p, err := all[0].check()
			if err != nil {
				return err
			}
			switch format {
			case asDot:
				return dot(s.Streams.Out, args[0], p)
			case asJSON:
				return nodesJSON(s.Streams.Out, p)
			}
			return all[0].tree(s.Streams.Out, p)
		}),
	}
	filesFlag(cmd, &files)
	cmd.Flags().StringVarP(&format, "output", "o", asTable, "one of table, dot, json")
	return cmd
}

// tree prints the groups with their services, in the order of the product.
func (s subject) tree(out io.Writer, p *plan.Plan) error {
	var text strings.Builder
	fmt.Fprintf(&text, "product %s: %s\n", s.product.Name, s.size())
	for _, group := range s.product.Spec.Groups {
		fmt.Fprintf(&text, "\n%s\n", group.Name)
		for _, n := range p.Nodes {
			if n.Group != group.Name || n.Kind == plan.Join {
				continue
			}
			line := "  " + n.Name
			if len(n.After) > 0 {
				line = fmt.Sprintf("  %-24s after %s", n.Name, strings.Join(steps(n), ", "))
			}
			fmt.Fprintln(&text, line)
		}
	}
	_, err := io.WriteString(out, text.String())
	return err
}

// steps are what a node waits for, in words.
func steps(n plan.Node) []string {
	var all []string
	for _, after := range n.After {
		word := after
		if group, is := strings.CutPrefix(after, "group:"); is {
			word = "group " + group
		}
		if slices.Contains(n.Started, after) {
			word += " (started)"
		}
		all = append(all, word)
	}
	return all
}

// dot prints a plan as Graphviz reads it: a box a group, an arrow from what is first.
func dot(out io.Writer, name string, p *plan.Plan) error {
	var text strings.Builder
	fmt.Fprintf(&text, "digraph %q {\n  rankdir=LR; node [shape=box, style=rounded];\n", name)
	var groups []string
	for _, n := range p.Nodes {
		if n.Group != "" && !slices.Contains(groups, n.Group) {
			groups = append(groups, n.Group)
		}
	}
	for _, group := range groups {
		fmt.Fprintf(&text, "  subgraph %q { label=%q; color=gray;\n", "cluster_"+group, group)
		for _, n := range p.Nodes {
			switch {
			case n.Group != group:
			case n.Kind == plan.Join:
				fmt.Fprintf(&text, "    %q [shape=point];\n", n.Name)
			default:
				fmt.Fprintf(&text, "    %q;\n", n.Name)
			}
		}
		fmt.Fprintln(&text, "  }")
	}
	for _, n := range p.Nodes {
		for _, after := range n.After {
			style := ""
			if slices.Contains(n.Started, after) {
				style = " [style=dashed]"
			}
			fmt.Fprintf(&text, "  %q -> %q%s;\n", after, n.Name, style)
		}
	}
	text.WriteString("}\n")
	_, err := io.WriteString(out, text.String())
	return err
}

// graphNode is a node as -o json prints it.
type graphNode struct {
	Name    string   `json:"name"`
	Kind    string   `json:"kind"`
	Group   string   `json:"group,omitempty"`
	After   []string `json:"after,omitempty"`
	Started []string `json:"started,omitempty"`
}

func nodesJSON(out io.Writer, p *plan.Plan) error {
	all := []graphNode{}
	for _, n := range p.Nodes {
		all = append(all, graphNode{n.Name, string(n.Kind), n.Group, n.After, n.Started})
	}
	text, err := json.MarshalIndent(all, "", "  ")
	if err != nil {
		return fmt.Errorf("print the graph: %w", err)
	}
	_, err = fmt.Fprintf(out, "%s\n", text)
	return err
}
