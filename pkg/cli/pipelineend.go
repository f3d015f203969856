package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline"
	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/fields"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/follow"
)

// ends follows a PipelineRun, a line whenever it says something new, and prints its results.
func (s *session) ends(ctx context.Context, cluster *Cluster, run *tektonv1.PipelineRun, timeout time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	only := metav1.ListOptions{FieldSelector: fields.OneTermEqualSelector(metav1.ObjectNameField, run.Name).String()}
	last, told, deleted := run, "", false
	err := follow.Objects(ctx, cluster.Tekton, cluster.Tekton.TektonV1().PipelineRuns(run.Namespace), only, run, false,
		func(now *tektonv1.PipelineRun, gone bool) bool {
			last, deleted = now, gone
			if c := now.Status.GetCondition(apis.ConditionSucceeded); c != nil && c.Message != told {
				told = c.Message
				s.progress(told)
			}
			return gone || now.IsDone()
		})
	if err == nil && deleted {
		err = errors.New("it was deleted")
	}
	if err != nil {
		return unended(ctx, err, run, timeout)
	}
	s.failures(ctx, cluster, last)
	return s.outcome(last)
}

// failures tells which tasks failed, and why. That they cannot be listed hides nothing: the
// outcome says the rest.
func (s *session) failures(ctx context.Context, cluster *Cluster, run *tektonv1.PipelineRun) {
	if run.Status.GetCondition(apis.ConditionSucceeded).IsTrue() {
		return
	}
	tasks, err := cluster.Tekton.TektonV1().TaskRuns(run.Namespace).List(ctx, metav1.ListOptions{LabelSelector: pipeline.PipelineRunLabelKey + "=" + run.Name})
	if err != nil {
		return
	}
	for i := range tasks.Items {
		task := &tasks.Items[i]
		if c := task.Status.GetCondition(apis.ConditionSucceeded); c.IsFalse() {
			s.progress(fmt.Sprintf("%s failed: %s", task.Labels[pipeline.PipelineTaskLabelKey], c.Message))
		}
	}
}

// outcome prints the results of a run that has ended, and is its failure.
func (s *session) outcome(run *tektonv1.PipelineRun) error {
	for _, r := range run.Status.Results {
		if _, err := fmt.Fprintf(s.Streams.Out, "%s: %s\n", r.Name, r.Value.StringVal); err != nil {
			return fmt.Errorf("print the results: %w", err)
		}
	}
	if c := run.Status.GetCondition(apis.ConditionSucceeded); !c.IsTrue() {
		return fmt.Errorf("pipelinerun %s/%s: %s; more with: tkn pipelinerun logs %s -n %s", run.Namespace, run.Name, c.GetMessage(), run.Name, run.Namespace)
	}
	return nil
}

// unended says why the watching ended before the run did.
func unended(ctx context.Context, err error, run *tektonv1.PipelineRun, timeout time.Duration) error {
	next := fmt.Sprintf("pipelinerun %s/%s goes on; see: tkn pipelinerun logs -f %s -n %s", run.Namespace, run.Name, run.Name, run.Namespace)
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &failure{ExitTimeout, fmt.Errorf("the time is up after %s: %s", timeout, next)}
	case ctx.Err() != nil:
		return &failure{ExitInterrupted, fmt.Errorf("interrupted: %s", next)}
	}
	return fmt.Errorf("follow pipelinerun %s/%s: %w", run.Namespace, run.Name, err)
}
