package cli

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/nearest"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/render"
)

func newProduct(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "product", Aliases: []string{"products"}, Short: "Check products, and look at what they are made of",
		Example: examples(`spock product validate -f spock/`, `spock product graph shop`),
		Args:    knownCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newProductValidate(s), newProductGraph(s), newProductRender(s))
	return cmd
}

// subject is a product that a command is about, with the templates beside it.
type subject struct {
	product   *v1alpha1.Product
	templates map[string]*v1alpha1.ServiceTemplate
}

// check is the plan of a product for any environment, and what is wrong with it.
func (s subject) check() (*plan.Plan, error) { return plan.Check(render.Draft(s.product, s.templates)) }

// subjects are the products of files, or of the namespace, by name where names are given.
func (s *session) subjects(ctx context.Context, paths, names []string) ([]subject, error) {
	products, templates, err := s.described(ctx, paths)
	if err != nil {
		return nil, err
	}
	var known []string
	var all []subject
	for i := range products {
		p := &products[i]
		known = append(known, p.Name)
		if len(names) == 0 || slices.Contains(names, p.Name) {
			all = append(all, subject{p, templates[p.Namespace]})
		}
	}
	for _, name := range names {
		if !slices.Contains(known, name) {
			return nil, fmt.Errorf("there is no product %s; %s", name, nearest.Hint(name, known, "apply it first, or name its files with -f"))
		}
	}
	if len(all) == 0 {
		return nil, errors.New("there is no product; name its files with -f, or another namespace with -n")
	}
	return all, nil
}

// described are the products, and the templates by namespace and name.
func (s *session) described(ctx context.Context, paths []string) ([]v1alpha1.Product, map[string]map[string]*v1alpha1.ServiceTemplate, error) {
	if len(paths) > 0 {
		return s.ofFiles(paths)
	}
	cluster, err := s.Connect(s.connection)
	if err != nil {
		return nil, nil, err
	}
	spock := cluster.Spock.SpockV1alpha1()
	products, err := spock.Products(cluster.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, nil, explain(fmt.Errorf("list the products of namespace %s: %w", cluster.Namespace, err))
	}
	templates, err := spock.ServiceTemplates(cluster.Namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, nil, explain(fmt.Errorf("list the templates of namespace %s: %w", cluster.Namespace, err))
	}
	byName := map[string]*v1alpha1.ServiceTemplate{}
	for i := range templates.Items {
		byName[templates.Items[i].Name] = &templates.Items[i]
	}
	return products.Items, map[string]map[string]*v1alpha1.ServiceTemplate{cluster.Namespace: byName}, nil
}

func newProductValidate(s *session) *cobra.Command {
	var files []string
	cmd := &cobra.Command{
		Use:   "validate [NAME...]",
		Short: "Say what is wrong with products and their templates",
		Long: `Say what is wrong with products and their templates for every environment that could be made
of them: names, values, expressions, shapes and cycles, as the controller finds it. What a
class or an environment may still say is not missing.

With -f the files need no cluster: each holds products and templates, a folder all its
YAML files. Otherwise those of the namespace are checked. The exit code is 1 when
something is wrong.`,
		Example:           examples(`spock product validate -f spock/`, `spock product validate shop`, `kustomize build . | spock product validate -f -`),
		Args:              cobra.ArbitraryArgs,
		ValidArgsFunction: s.completeProduct,
		RunE: ran(func(cmd *cobra.Command, args []string) error {
			all, err := s.subjects(cmd.Context(), files, args)
			if err != nil {
				return err
			}
			wrong := 0
			for _, one := range all {
				if _, err := one.check(); err != nil {
					wrong++
					s.progress(fmt.Sprintf("product %s:", one.product.Name), err.Error())
					continue
				}
				fmt.Fprintf(s.Streams.Out, "product %s is valid: %s\n", one.product.Name, one.size())
			}
			if wrong > 0 {
				return fmt.Errorf("%d of %d products cannot be brought up", wrong, len(all))
			}
			return nil
		}),
	}
	filesFlag(cmd, &files)
	return cmd
}

func filesFlag(cmd *cobra.Command, files *[]string) {
	cmd.Flags().StringSliceVarP(files, "file", "f", nil, "file or folder with products and templates, instead of those of the namespace; - reads stdin; repeat it for more")
}

func (s subject) size() string {
	services := 0
	for _, g := range s.product.Spec.Groups {
		services += len(g.Services)
	}
	return fmt.Sprintf("%d services in %d groups", services, len(s.product.Spec.Groups))
}

func newProductRender(s *session) *cobra.Command {
	var files, services []string
	cmd := &cobra.Command{
		Use:   "render NAME",
		Short: "Print the objects of a product, as YAML",
		Long: `Print the objects that a product's services are made of, in the order in which they can be
written, as YAML. The environment is called draft; where only an environment could say a
value, something stands for it. What an environment really writes is shown by spock env plan.`,
		Example:           examples(`spock product render shop --service orders`, `spock product render shop -f spock/`),
		Args:              positional(1, 1, "the NAME of a product"),
		ValidArgsFunction: s.completeProduct,
		RunE: ran(func(cmd *cobra.Command, args []string) error {
			all, err := s.subjects(cmd.Context(), files, args)
			if err != nil {
				return err
			}
			p, err := all[0].check()
			if err != nil {
				return err
			}
			return s.objects(p, services)
		}),
	}
	filesFlag(cmd, &files)
	cmd.Flags().StringSliceVar(&services, "service", nil, "only these services; repeat it or separate with commas")
	return cmd
}

// objects prints the objects of a plan, of some services or of all.
func (s *session) objects(p *plan.Plan, services []string) error {
	known := map[string]bool{}
	objects := slices.Clone(p.Passive)
	for _, n := range p.Nodes {
		if n.Kind == plan.Service {
			known[n.Name] = true
		}
		objects = append(objects, n.Objects...)
	}
	for _, name := range services {
		if !known[name] {
			return fmt.Errorf("the product has no service %s; %s", name, nearest.Hint(name, slices.Sorted(maps.Keys(known)), ""))
		}
	}
	for _, o := range objects {
		if len(services) > 0 && !slices.Contains(services, o.Service) {
			continue
		}
		text, err := yaml.Marshal(o.Desired.Object)
		if err != nil {
			return fmt.Errorf("print %s: %w", o.Key, err)
		}
		if _, err := fmt.Fprintf(s.Streams.Out, "---\n%s", text); err != nil {
			return fmt.Errorf("print %s: %w", o.Key, err)
		}
	}
	return nil
}
