package cli

import (
	"context"
	"fmt"

	"github.com/spf13/cobra"
	apiextensionsv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/deploy"
	"spock.dev/spock/pkg/plan"
)

const planLong = `Show what a rollout would do, and do nothing: the nodes in the order in which they start,
what each waits for, and for each object whether it would be created, changed, deleted or
left unchanged; of one that would be changed the fields, with their old and new values. Values
of Secrets are never shown. Product, templates and class are those of the cluster; with -f the
environment is the one of a file, as "env up -f" would write it, and with --image and the other
flags of a deploy as "env up" with them would make it; what its digest names is what "env up
--plan DIGEST" writes, or nothing. A rollback that was asked
for is left out, as it ends with the next deploy.

With --exit-code it exits 0 when there is nothing to do, 2 when there is. What is wrong
with the spec is printed one sentence per line, with exit code 1. With -o json or yaml it
prints the EnvironmentRun that would record the plan, and beside its spec what would become of
each object, as "changes".`

func newPlan(s *session) *cobra.Command {
	w := &wish{}
	var exitCode bool
	cmd := &cobra.Command{
		Use:               "plan NAME",
		Aliases:           []string{"diff"},
		Short:             "Show what a rollout would change, without changing it",
		Long:              planLong,
		Example:           examples(`spock env plan shop`, `spock env plan shop --image orders=registry.example.com/orders:1.4`, `spock env plan -f environment.yaml --exit-code`),
		Args:              positional(0, 1, "the NAME of an environment"),
		ValidArgsFunction: s.completeEnvironment,
	}
	format := outputFlag(cmd, asTable, asJSON, asYAML)
	w.asked(cmd)
	cmd.Flags().BoolVar(&exitCode, "exit-code", false, "exit with 2 when there is something to do")
	cmd.RunE = ran(func(cmd *cobra.Command, args []string) error {
		if len(args) > 0 {
			w.name = args[0]
		}
		work, err := s.plan(cmd.Context(), w)
		if err != nil {
			return err
		}
		if format.value == asTable {
			s.printPlan(work)
		} else if err := format.object(s.Streams.Out, planned{work.run(), work.objects()}); err != nil {
			return err
		}
		if exitCode && work.changes() > 0 {
			return &failure{code: ExitChanges}
		}
		return nil
	})
	return cmd
}

// work is a plan and what it means for the objects that are there.
type work struct {
	env     *v1alpha1.Environment
	plan    *plan.Plan
	steps   []step
	removed []plan.Key
}

func (s *session) plan(ctx context.Context, w *wish) (*work, error) {
	if w.name == "" && w.file == "" {
		return nil, usage("spock env plan: name an environment, or a file with one: -f environment.yaml")
	}
	document, err := s.read(w.file)
	if err != nil {
		return nil, err
	}
	cluster, err := s.Connect(s.connection)
	if err != nil {
		return nil, err
	}
	env, err := s.planned(ctx, cluster, w, document)
	if err == nil {
		env, err = s.deployed(ctx, cluster, w, env)
	}
	if err != nil {
		return nil, err
	}
	made, err := cluster.compute(ctx, env)
	if err != nil {
		return nil, err
	}
	live, err := cluster.live(ctx, env, made.Kinds())
	if err != nil {
		return nil, err
	}
	return compare(env, made, live), nil
}

// deployed is an environment as a deploy with these flags would make it.
func (s *session) deployed(ctx context.Context, cluster *Cluster, w *wish, env *v1alpha1.Environment) (*v1alpha1.Environment, error) {
	if w.product+w.class+w.from == "" && len(w.images)+len(w.params) == 0 {
		return env, nil
	}
	request, err := s.request(w, cluster.Namespace, env)
	if err != nil {
		return nil, err
	}
	if request, err = deploy.Resolve(ctx, cluster.Spock, request); err != nil {
		return nil, explain(err)
	}
	env = env.DeepCopy()
	env.Spec.Run = &v1alpha1.RunLayer{Source: request.Source, Services: request.Services}
	for name, value := range request.Parameters {
		if env.Spec.Parameters == nil {
			env.Spec.Parameters = map[string]apiextensionsv1.JSON{}
		}
		env.Spec.Parameters[name] = value
	}
	return env, nil
}

// planned is the environment to plan: the stored one, that of the file, the stored one with
// the spec of the file, or a new one of the product and class that are named.
func (s *session) planned(ctx context.Context, cluster *Cluster, w *wish, document *v1alpha1.Environment) (*v1alpha1.Environment, error) {
	if document == nil && (w.product == "" || w.class == "") {
		return cluster.environment(ctx, w.name)
	}
	if document == nil {
		document = &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Name: w.name}, Spec: v1alpha1.EnvironmentSpec{Product: w.product, Class: w.class}}
		return s.fresh(ctx, cluster, document)
	}
	if err := s.adopt(w, cluster, document); err != nil {
		return nil, err
	}
	stored, err := cluster.Spock.SpockV1alpha1().Environments(cluster.Namespace).Get(ctx, w.name, metav1.GetOptions{})
	if apierrors.IsNotFound(err) && !notInstalled(err) {
		document.Name = w.name
		return document, nil
	}
	if err != nil {
		return nil, explain(fmt.Errorf("get environment %s/%s: %w", cluster.Namespace, w.name, err))
	}
	stored.Spec = document.Spec
	return stored, nil
}

// fresh is the stored environment of a name, or a new one where there is none.
func (s *session) fresh(ctx context.Context, cluster *Cluster, document *v1alpha1.Environment) (*v1alpha1.Environment, error) {
	stored, err := cluster.Spock.SpockV1alpha1().Environments(cluster.Namespace).Get(ctx, document.Name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err) && !notInstalled(err):
		document.Namespace = cluster.Namespace
		return document, nil
	case err != nil:
		return nil, explain(fmt.Errorf("get environment %s/%s: %w", cluster.Namespace, document.Name, err))
	}
	return stored, nil
}

// run is the EnvironmentRun that would record the plan.
func (w *work) run() *v1alpha1.EnvironmentRun {
	run := &v1alpha1.EnvironmentRun{
		ObjectMeta: metav1.ObjectMeta{Namespace: w.env.Namespace},
		Spec: v1alpha1.EnvironmentRunSpec{
			Environment: w.env.Name, EnvironmentUID: string(w.env.UID), Generation: w.env.Generation,
			Number: w.env.Status.RunNumber + 1, PlanDigest: w.plan.Digest, Nodes: w.plan.Frozen(),
		},
	}
	if w.env.Spec.Run != nil {
		run.Spec.Source = w.env.Spec.Run.Source
	}
	run.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("EnvironmentRun"))
	return run
}
