package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/deploy"
)

// wish is what the flags of `env up` ask for.
type wish struct {
	name, product, class, account, source, from, plan, file string
	images, params, only                                    []string
	restrict                                                bool // --only was given
	wait                                                    bool
	timeout                                                 time.Duration
}

const upLong = `Bring an environment up: make it when it does not exist, change it when it does, and
follow until all services are ready or one has failed. Asking again for the same changes
nothing, or tries again what failed.

Images, parameters and source are those of this deploy: the next one replaces them. What
--file and --only say stays until they are given again; --only "" lifts the restriction.
Ctrl-C and the timeout end the watching, not the rollout.`

func newUp(s *session) *cobra.Command {
	w := &wish{}
	cmd := &cobra.Command{
		Use:     "up NAME",
		Aliases: []string{"apply", "deploy"},
		Short:   "Bring an environment up, or change it",
		Long:    upLong,
		Example: examples(
			`spock env up shop --product shop --class dev`,
			`spock env up shop --image orders=registry.example.com/orders@sha256:0a1b... --param logLevel=debug`,
			`spock env up staging --product shop --class staging --from integration --source "release 1.4"`,
			`spock env up mine --product shop --class dev --only orders --only postgres`,
			`spock env up shop -f environment.yaml --wait=false`),
		Args:              positional(0, 1, "the NAME of an environment"),
		ValidArgsFunction: s.completeEnvironment,
	}
	format := outputFlag(cmd, asTable, asJSON, asYAML, asName)
	w.flags(cmd)
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			w.name = args[0]
		}
		w.restrict = cmd.Flags().Changed("only")
		return s.up(cmd.Context(), w, format)
	})
	return cmd
}

// asked are the flags that say what is to be deployed.
func (w *wish) asked(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&w.product, "product", "", "Product to make it of; needed when it is new")
	flags.StringVar(&w.class, "class", "", "EnvironmentClass to make it in; needed when it is new")
	flags.StringArrayVar(&w.images, "image", nil, "image of a service, as `service=image`, or of one of its containers, as service/container=image; repeat it for more")
	flags.StringArrayVar(&w.params, "param", nil, "parameter for all services that have it, as `name=value`; repeat it for more")
	flags.StringVar(&w.from, "from", "", "environment of the same product, and ready, whose images are deployed by digest where --image names none")
	flags.StringVarP(&w.file, "file", "f", "", "file with the Environment; - reads stdin")
}

func (w *wish) flags(cmd *cobra.Command) {
	w.asked(cmd)
	flags := cmd.Flags()
	flags.StringSliceVar(&w.only, "only", nil, "only these services of the product; repeat it or separate with commas")
	flags.StringVar(&w.account, "service-account", "", "service account as which the objects are written (default: default)")
	flags.StringVar(&w.source, "source", "", "what is deployed, a commit for instance; for people and traces")
	flags.StringVar(&w.plan, "plan", "", "`digest` of the plan that was looked at with env plan; another one is refused")
	flags.BoolVar(&w.wait, "wait", true, "follow until it is ready or failed")
	flags.DurationVar(&w.timeout, "timeout", 15*time.Minute, "how long to follow")
}

func (s *session) up(ctx context.Context, w *wish, format *format) error {
	if w.name == "" && w.file == "" {
		return usage("spock env up: name an environment, or a file with one: -f environment.yaml")
	}
	document, err := s.read(w.file)
	if err != nil {
		return err
	}
	cluster, err := s.Connect(s.connection)
	if err != nil {
		return err
	}
	if err := s.adopt(w, cluster, document); err != nil {
		return err
	}
	existing, err := cluster.Spock.SpockV1alpha1().Environments(cluster.Namespace).Get(ctx, w.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && !notInstalled(err) {
		existing, err = nil, nil
	}
	if err != nil {
		return explain(fmt.Errorf("get environment %s/%s: %w", cluster.Namespace, w.name, err))
	}
	request, err := s.request(w, cluster.Namespace, existing)
	if err != nil {
		return err
	}
	if err := writeBase(ctx, cluster, w, request, document, existing); err != nil {
		return err
	}
	stored, err := deploy.Apply(ctx, cluster.Spock, request)
	if err != nil {
		return explain(err)
	}
	if w.wait {
		return s.await(ctx, cluster, stored, w.timeout, format)
	}
	if done, err := format.environment(s.Streams.Out, stored); done {
		return err
	}
	_, err = fmt.Fprintf(s.Streams.Out, "environment %s/%s is asked for, in generation %d; look at it with: spock env show %s -n %s\n",
		stored.Namespace, stored.Name, stored.Generation, stored.Name, stored.Namespace)
	return err
}

// adopt takes what the document says and no flag does.
func (s *session) adopt(w *wish, cluster *Cluster, document *v1alpha1.Environment) error {
	if document == nil {
		return nil
	}
	if err := s.place(cluster, document); err != nil {
		return err
	}
	for _, field := range []struct {
		flag *string
		name string
		file string
	}{
		{&w.name, "metadata.name", document.Name},
		{&w.product, "spec.product", document.Spec.Product},
		{&w.class, "spec.class", document.Spec.Class},
	} {
		switch {
		case *field.flag == "":
			*field.flag = field.file
		case field.file != "" && field.file != *field.flag:
			return usage("%s: %s is %s, but the command line says %s; change one of them", called(w.file), field.name, field.file, *field.flag)
		}
	}
	return nil
}

// request is the wish as pkg/deploy takes it.
func (s *session) request(w *wish, namespace string, existing *v1alpha1.Environment) (deploy.Request, error) {
	images, wrongImages := deploy.Images(w.images)
	params, wrongParams := deploy.Parameters(w.params)
	if err := errors.Join(wrongImages, wrongParams); err != nil {
		return deploy.Request{}, usage("%w", err)
	}
	r := deploy.Request{
		Namespace: namespace, Environment: w.name, Product: w.product, Class: w.class, ServiceAccount: w.account,
		Services: images, Parameters: params, Source: w.source, From: w.from, PlanDigest: w.plan,
		Attempt: "up-" + s.Clock.Now().UTC().Format("20060102-150405"),
	}
	if existing != nil {
		r.Product, r.Class = first(w.product, existing.Spec.Product), first(w.class, existing.Spec.Class)
	}
	if r.Product == "" || r.Class == "" {
		return r, usage("environment %s/%s is new: say of what and in which class, with --product and --class; there are: kubectl get products -n %s, kubectl get environmentclasses",
			namespace, w.name, namespace)
	}
	if err := r.Validate(); err != nil {
		return r, usage("%w", err)
	}
	_, err := r.Manifest(existing)
	return r, err
}

func first(a, b string) string {
	if a != "" {
		return a
	}
	return b
}
