package environment

import (
	"context"
	"fmt"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
)

// ending is how a run ends that is not brought to its end by the engine.
type ending struct {
	phase   v1alpha1.Phase
	message string
	by      string // the run that took over
}

// supersede ends a run that another one took over from.
func (r *Reconciler) supersede(ctx context.Context, p *pass, run *v1alpha1.EnvironmentRun, by string) error {
	if run.Done() {
		return nil
	}
	_, err := r.end(ctx, p, run, ending{phase: v1alpha1.PhaseFailed, message: "superseded by run " + by, by: by})
	return err
}

// end writes the end of a run, with what is remembered of it.
func (r *Reconciler) end(ctx context.Context, p *pass, run *v1alpha1.EnvironmentRun, how ending) (*v1alpha1.EnvironmentRun, error) {
	ended := run.DeepCopy()
	ended.Status.Phase, ended.Status.Message, ended.Status.SupersededBy = how.phase, how.message, how.by
	if mine := p.memory.run; mine != nil && mine.Name == run.Name && p.memory.record != nil {
		ended.Status.Services, ended.Status.Writes = engine.Fit(p.memory.record, engine.StoryLimit), p.memory.writes
		ended.Status.Progress = p.told.Progress
	}
	r.started(ended)
	return r.write(ctx, r.ended(ended))
}

// started sets the start of a run that has none.
func (r *Reconciler) started(run *v1alpha1.EnvironmentRun) {
	if run.Status.StartTime == nil {
		now := metav1.NewTime(r.clock.Now())
		run.Status.StartTime = &now
	}
}

func (r *Reconciler) ended(run *v1alpha1.EnvironmentRun) *v1alpha1.EnvironmentRun {
	now := metav1.NewTime(r.clock.Now())
	run.Status.CompletionTime = &now
	return run
}

// write updates a run's status and returns the run as it is then; one that is gone needs
// none.
func (r *Reconciler) write(ctx context.Context, run *v1alpha1.EnvironmentRun) (*v1alpha1.EnvironmentRun, error) {
	written, err := r.client.SpockV1alpha1().EnvironmentRuns(run.Namespace).UpdateStatus(ctx, run, metav1.UpdateOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return run, nil
	case err != nil:
		return nil, fmt.Errorf("write the status of run %s: %w", run.Name, err)
	}
	return written, nil
}
