package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/worktree"
)

func newPipeline(s *session) *cobra.Command {
	cmd := &cobra.Command{
		Use: "pipeline", Short: "Run pipelines on what is not committed yet",
		Example: examples(`spock pipeline run -f .spock/self-test.yaml --to registry.example.com/team-a/trees`),
		Args:    knownCommand, RunE: func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(newPipelineRun(s))
	return cmd
}

// trial is what the flags of `pipeline run` ask for.
type trial struct {
	file, dir, to, from string
	params              []string
	registry            worktree.Registry
	wait                bool
	timeout             time.Duration
}

const pipelineRunLong = `Pack the working tree, committed or not, push it to a registry, and start a PipelineRun
with it: the one of the file, whose param source names the tree by its digest.

What git tracks belongs to the tree, and what is new and not ignored. The credentials of
the registry are those of docker login. Ctrl-C and the timeout end the watching, not the
run.`

func newPipelineRun(s *session) *cobra.Command {
	t := &trial{}
	cmd := &cobra.Command{
		Use: "run -f FILE --to REPOSITORY", Short: "Run a pipeline on the working tree", Long: pipelineRunLong,
		Example: examples(
			`spock pipeline run -f .spock/self-test.yaml --to registry.example.com/team-a/trees`,
			`spock pipeline run -f self-test.yaml --to registry.example.com/team-a/trees -p environment=shop-ann -p 'packages=["./cmd/web"]'`),
		Args: positional(0, 0, "no argument"),
		RunE: ran(func(cmd *cobra.Command, _ []string) error { return s.try(cmd.Context(), t) }),
	}
	flags := cmd.Flags()
	flags.StringVarP(&t.file, "file", "f", "", "file with the PipelineRun; - reads stdin")
	flags.StringVar(&t.dir, "source", ".", "directory in the working tree")
	flags.StringVar(&t.to, "to", "", "`repository` of a registry that the tree is pushed to, and that the cluster can pull from")
	flags.StringVar(&t.from, "pull-from", "", "the same `repository` as the cluster calls it, where that is another name")
	flags.StringArrayVarP(&t.params, "param", "p", nil, "param of the pipeline, as `name=value`, or name=[\"a\", \"b\"] for an array; repeat it for more")
	flags.BoolVar(&t.registry.Insecure, "insecure-registry", false, "allow plain HTTP to the registry")
	flags.BoolVar(&t.wait, "wait", true, "follow until the run has ended")
	flags.DurationVar(&t.timeout, "timeout", time.Hour, "how long to follow")
	return cmd
}

func (s *session) try(ctx context.Context, t *trial) error {
	if t.file == "" || t.to == "" {
		return usage("spock pipeline run: name a file with a PipelineRun and where the tree goes: -f self-test.yaml --to registry.example.com/team-a/trees")
	}
	run, err := s.pipelineRun(t)
	if err != nil {
		return err
	}
	cluster, err := s.Connect(s.connection)
	if err != nil {
		return err
	}
	if run.Namespace == "" {
		run.Namespace = cluster.Namespace
	}
	reference, err := s.carry(ctx, t)
	if err != nil {
		return err
	}
	set(run, "source", *tektonv1.NewStructuredValues(reference))
	made, err := cluster.Tekton.TektonV1().PipelineRuns(run.Namespace).Create(ctx, run, metav1.CreateOptions{})
	if err != nil {
		return fmt.Errorf("start the pipeline in namespace %s: %w", run.Namespace, err)
	}
	s.progress(fmt.Sprintf("pipelinerun %s; its log: tkn pipelinerun logs -f %s -n %s", made.Name, made.Name, made.Namespace))
	if !t.wait {
		_, err := fmt.Fprintf(s.Streams.Out, "pipelinerun/%s\n", made.Name)
		return err
	}
	return s.ends(ctx, cluster, made, t.timeout)
}

// carry pushes the tree and returns its reference.
func (s *session) carry(ctx context.Context, t *trial) (string, error) {
	tree, err := worktree.Open(ctx, t.dir)
	if err != nil {
		return "", err
	}
	image, err := tree.Pack()
	if err != nil {
		return "", err
	}
	reference, err := t.registry.Push(ctx, image, t.to)
	if err != nil {
		return "", err
	}
	if _, digest, found := strings.Cut(reference, "@"); found && t.from != "" {
		reference = t.from + "@" + digest
	}
	state := "as committed"
	if tree.Dirty || tree.Commit == "" {
		state = "with what is not committed"
	}
	s.progress(fmt.Sprintf("%d files of %s, %s: %s", len(tree.Files), tree.Dir, state, reference))
	return reference, nil
}

// pipelineRun is the one of the file, with the params of the command line.
func (s *session) pipelineRun(t *trial) (*tektonv1.PipelineRun, error) {
	documents, err := s.documents(t.file)
	if err != nil {
		return nil, err
	}
	run := &tektonv1.PipelineRun{}
	if len(documents) != 1 {
		return nil, usage("%s: it holds %d documents; keep one PipelineRun in it", called(t.file), len(documents))
	}
	if err := yaml.UnmarshalStrict(documents[0], run); err != nil {
		return nil, usage("%s: the PipelineRun cannot be read: %w", called(t.file), err)
	}
	if run.Kind != "PipelineRun" || run.APIVersion != "tekton.dev/v1" {
		return nil, usage("%s: it is a %s of %s and no PipelineRun of tekton.dev/v1", called(t.file), run.Kind, run.APIVersion)
	}
	if run.Name == "" && run.GenerateName == "" {
		return nil, usage("%s: metadata has no name; write a generateName, for example self-test-", called(t.file))
	}
	for _, text := range t.params {
		name, value, found := strings.Cut(text, "=")
		if !found || name == "" {
			return nil, usage("--param %q: not name=value; write for example environment=shop-ann", text)
		}
		set(run, name, paramValue(value))
	}
	return run, nil
}

// paramValue is an array where the text is one in JSON, else a string.
func paramValue(text string) tektonv1.ParamValue {
	var list []string
	if strings.HasPrefix(text, "[") && json.Unmarshal([]byte(text), &list) == nil {
		return tektonv1.ParamValue{Type: tektonv1.ParamTypeArray, ArrayVal: list}
	}
	return *tektonv1.NewStructuredValues(text)
}

// set gives a param its value, whether the file has one or not.
func set(run *tektonv1.PipelineRun, name string, value tektonv1.ParamValue) {
	run.Spec.Params = slices.DeleteFunc(run.Spec.Params, func(p tektonv1.Param) bool { return p.Name == name })
	run.Spec.Params = append(run.Spec.Params, tektonv1.Param{Name: name, Value: value})
}
