package environment

import (
	"context"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"knative.dev/pkg/kmeta"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
)

// keptRuns is how many EnvironmentRuns of an environment are kept.
const keptRuns = 10

// open finds the EnvironmentRun of this plan, or starts it: a new one for a new
// generation or a new plan, which supersedes the one that is on its way.
func (r *Reconciler) open(ctx context.Context, p *pass) error {
	current, err := r.current(p)
	if err != nil {
		return err
	}
	if current != nil && p.fits(current) {
		p.adopt(current)
		return p.restored(current)
	}
	if err := p.asPlanned(current); err != nil {
		return err
	}
	return r.begin(ctx, p, current)
}

// asPlanned refuses a deploy whose plan is another one than that which was looked at. Once
// a run of it has begun, later changes of product and templates are none of its business.
func (p *pass) asPlanned(current *v1alpha1.EnvironmentRun) error {
	if p.env.Spec.Run == nil || current != nil && current.Spec.Generation == p.env.Generation {
		return nil
	}
	if wanted := p.env.Spec.Run.PlanDigest; wanted != "" && wanted != p.plan.Digest {
		return invalid(fmt.Errorf("spec.run.planDigest: %s was planned, and %s would be written now: product, template, class or files have changed since; look at spock env plan %s -n %s, and deploy again",
			wanted, p.plan.Digest, p.key.Name, p.key.Namespace))
	}
	return nil
}

// fits says whether a run is about what is asked for: it brings it, or has gone back from it.
func (p *pass) fits(run *v1alpha1.EnvironmentRun) bool {
	asked := run.Spec.PlanDigest
	if back := run.Spec.Rollback; back != nil && !back.Asked() {
		asked = back.PlanDigest
	}
	return run.Spec.Generation == p.env.Generation && asked == p.plan.Digest
}

// begin starts the run of the plan of this pass, which takes over from the current one.
func (r *Reconciler) begin(ctx context.Context, p *pass, current *v1alpha1.EnvironmentRun) error {
	started, passed, err := r.start(ctx, p)
	if err != nil {
		return err
	}
	if current != nil && !slices.ContainsFunc(passed, func(run *v1alpha1.EnvironmentRun) bool { return run.Name == current.Name }) {
		passed = append(passed, current)
	}
	for _, run := range passed {
		if err := r.supersede(ctx, p, run, started.Name); err != nil {
			return err
		}
	}
	p.memory.record, p.memory.refused, p.memory.writes = nil, map[plan.Key]engine.Refusal{}, 0
	p.memory.compared = engine.Compared{}
	p.adopt(started)
	return r.prune(ctx, p)
}

// adopt makes a run the one of this pass.
func (p *pass) adopt(run *v1alpha1.EnvironmentRun) {
	if p.memory.run == nil || p.memory.run.Name != run.Name {
		// After a restart the story goes on from what was last told.
		if p.told.Run == run.Name {
			p.memory.record = p.told.Services
		}
		p.memory.writes = run.Status.Writes
	}
	p.run, p.memory.run = run, run
	p.scope.Run = run.Name
	p.env.Status.Run = run.Name
	p.env.Status.RunNumber = run.Spec.Number
	p.env.Status.Rollback = run.Spec.Rollback
}

// current is the newest run: the remembered one while the lister lags behind.
func (r *Reconciler) current(p *pass) (*v1alpha1.EnvironmentRun, error) {
	if p.memory.run == nil {
		if left, err := r.leftBehind(p); left != nil || err != nil {
			return left, err
		}
	}
	name := p.env.Status.Run
	if mine := p.memory.run; mine != nil {
		name = mine.Name
	}
	if name == "" {
		return nil, nil
	}
	run, err := r.runs.EnvironmentRuns(p.key.Namespace).Get(name)
	switch {
	case apierrors.IsNotFound(err):
		return p.memory.run, nil
	case err != nil:
		return nil, fmt.Errorf("get run %s: %w", name, err)
	case run.Spec.EnvironmentUID != string(p.env.UID):
		return nil, nil
	}
	if mine := p.memory.run; mine != nil && mine.UID == run.UID && ahead(mine, run) {
		return mine, nil
	}
	return run, nil
}

// leftBehind is a run that rolls back and was begun before a crash, and that the status does
// not name yet. It may have written already, so what failed must not be written again.
func (r *Reconciler) leftBehind(p *pass) (*v1alpha1.EnvironmentRun, error) {
	all, err := r.ofEnvironment(p.env)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	newest := all[len(all)-1]
	if newest.Spec.Rollback != nil && newest.Spec.Number > p.env.Status.RunNumber {
		return newest, nil
	}
	return nil, nil
}

// ahead says whether our own copy of a run has something that the lister's has not.
func ahead(mine, seen *v1alpha1.EnvironmentRun) bool {
	return mine.Done() && !seen.Done() || mine.Status.StartTime != nil && seen.Status.StartTime == nil
}

// start creates the next EnvironmentRun. Its name is its number: after a crash between
// this and the status, the same number is found again and adopted. Runs that such a crash
// left behind and that no longer fit are passed by.
func (r *Reconciler) start(ctx context.Context, p *pass) (started *v1alpha1.EnvironmentRun, passed []*v1alpha1.EnvironmentRun, err error) {
	runs := r.client.SpockV1alpha1().EnvironmentRuns(p.key.Namespace)
	snapshot, err := p.plan.Snapshot()
	if err != nil {
		return nil, nil, err
	}
	for number := p.env.Status.RunNumber + 1; ; number++ {
		run, err := runs.Create(ctx, p.newRun(number, snapshot), metav1.CreateOptions{})
		if err == nil {
			return run, passed, nil
		}
		if !apierrors.IsAlreadyExists(err) {
			return nil, nil, fmt.Errorf("create run %d of environment %s: %w", number, p.key, err)
		}
		run, err = runs.Get(ctx, runName(p.env, number), metav1.GetOptions{})
		if err != nil {
			return nil, nil, fmt.Errorf("get run %d of environment %s: %w", number, p.key, err)
		}
		if run.Spec.EnvironmentUID != string(p.env.UID) {
			continue
		}
		if run.Spec.Generation == p.env.Generation && run.Spec.PlanDigest == p.plan.Digest && (run.Spec.Rollback == nil) == (p.back == nil) {
			return run, passed, nil
		}
		passed = append(passed, run)
	}
}

func runName(env *v1alpha1.Environment, number int64) string {
	return kmeta.ChildName(env.Name, fmt.Sprintf("-%d", number))
}

func (p *pass) newRun(number int64, snapshot []byte) *v1alpha1.EnvironmentRun {
	madeFrom := p.madeFrom
	if p.back != nil {
		madeFrom = "" // it is what ran before
	}
	return &v1alpha1.EnvironmentRun{
		ObjectMeta: metav1.ObjectMeta{
			Name: runName(p.env, number), Namespace: p.key.Namespace,
			Labels:          map[string]string{v1alpha1.LabelEnvironment: p.env.Name, v1alpha1.LabelProduct: p.env.Spec.Product},
			OwnerReferences: []metav1.OwnerReference{*kmeta.NewControllerRef(p.env)},
		},
		Spec: v1alpha1.EnvironmentRunSpec{
			Environment: p.env.Name, EnvironmentUID: string(p.env.UID), Generation: p.env.Generation,
			Number: number, Source: p.source, PlanDigest: p.plan.Digest, Nodes: p.plan.Frozen(),
			Sources: p.sources, MadeFrom: madeFrom, Rollback: p.back, Snapshot: snapshot,
		},
	}
}

// prune deletes the oldest runs beyond the ones that are kept; the one of this pass may
// not be listed yet, and the last good one is kept to go back to.
func (r *Reconciler) prune(ctx context.Context, p *pass) error {
	all, err := r.ofEnvironment(p.env)
	if err != nil {
		return err
	}
	all = slices.DeleteFunc(all, func(run *v1alpha1.EnvironmentRun) bool { return run.Name == p.run.Name })
	good := lastGood(all, p.run.Spec.Number)
	for _, old := range all[:max(0, len(all)+1-keptRuns)] {
		if old == good {
			continue
		}
		err := r.client.SpockV1alpha1().EnvironmentRuns(old.Namespace).Delete(ctx, old.Name, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			return fmt.Errorf("delete run %s: %w", old.Name, err)
		}
	}
	return nil
}

// ofEnvironment lists the runs of an environment, oldest first.
func (r *Reconciler) ofEnvironment(env *v1alpha1.Environment) ([]*v1alpha1.EnvironmentRun, error) {
	selector := labels.SelectorFromSet(labels.Set{v1alpha1.LabelEnvironment: env.Name})
	all, err := r.runs.EnvironmentRuns(env.Namespace).List(selector)
	if err != nil {
		return nil, fmt.Errorf("list the runs of environment %s: %w", env.Name, err)
	}
	all = slices.DeleteFunc(all, func(run *v1alpha1.EnvironmentRun) bool { return run.Spec.EnvironmentUID != string(env.UID) })
	slices.SortFunc(all, func(a, b *v1alpha1.EnvironmentRun) int { return int(a.Spec.Number - b.Spec.Number) })
	return all, nil
}

// lastNodes is the frozen plan of the newest run: the order to take down in.
func (r *Reconciler) lastNodes(env *v1alpha1.Environment) ([]v1alpha1.PlanNode, error) {
	all, err := r.ofEnvironment(env)
	if err != nil || len(all) == 0 {
		return nil, err
	}
	return all[len(all)-1].Spec.Nodes, nil
}
