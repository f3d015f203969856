package environment

import (
	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/artifact"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/source"
)

// fetched are the artifacts that a plan is made from. Together they keep to the limits.
type fetched struct {
	ask    func(source.Artifact) artifact.Answer
	limits source.Limits
	size   int64
	away   *away
}

func (r *Reconciler) newFetched(p *pass) *fetched {
	return &fetched{limits: source.OfArtifacts(), ask: func(a source.Artifact) artifact.Answer {
		return r.artifacts.Ask(artifact.Want{Artifact: a, Namespace: p.key.Namespace, ServiceAccount: p.scope.ServiceAccount}, p.key)
	}}
}

// files are those of an artifact that is here. One that is not counts as away, unless it
// would be too much anyway: fetched again and again, the artifacts would push each other out.
func (f *fetched) files(wanted source.Artifact) source.Found {
	ref, err := wanted.Reference()
	if err != nil {
		return source.Found{Err: err}
	}
	answer := f.ask(wanted)
	if f.size += answer.Size; f.size > f.limits.Whole() {
		return source.Found{Named: ref.DigestStr(), Err: f.limits.TooMuch()}
	}
	if !answer.There() {
		f.miss(wanted.Image, answer)
		return source.Found{Named: ref.DigestStr()}
	}
	var found source.Found
	found, f.limits = source.FromLayers(ref.DigestStr(), answer.Layers, f.limits)
	return found
}

// miss notes what is away: the first one that failed, else the first one.
func (f *fetched) miss(image string, answer artifact.Answer) {
	if f.away == nil || f.away.Failure == nil && answer.Failure != nil {
		f.away = &away{image: image, Answer: answer}
	}
}

func (f *fetched) missing() error {
	if f.away == nil {
		return nil
	}
	return f.away
}

// away is an artifact that is on its way, or cannot be had for now.
type away struct {
	image string
	artifact.Answer
}

func (a *away) Error() string { return "fetching " + a.image }

// without goes on without an artifact that is away. While all is the same that the current
// run was made from, its copy of the plan is what the files gave, so that a registry that is
// down holds nobody up; else the environment waits, and says so.
func (r *Reconciler) without(p *pass, missing *away) (*plan.Plan, error) {
	current, err := r.current(p)
	if err != nil {
		return nil, err
	}
	if current != nil && current.Spec.MadeFrom == p.madeFrom && current.Spec.Rollback == nil && len(current.Spec.Snapshot) > 0 {
		if kept, err := p.memory.unpack(current); err == nil {
			p.sources = current.Spec.Sources
			return kept, nil
		}
	}
	switch {
	case missing.Failure != nil:
		p.env.MarkPending(missing.Failure.Reason, missing.Failure.Error()+"; it is tried again by itself")
	case p.memory.plan != nil || p.told.Phase == "" || p.told.ObservedGeneration != p.env.Generation:
		p.env.MarkPending(v1alpha1.ReasonFetching, missing.Error())
	} // else what was told before this controller started stands a little longer
	if !missing.RetryAt.IsZero() {
		r.after(p.key, max(missing.RetryAt.Sub(r.clock.Now()), 0))
	}
	return nil, errWait
}
