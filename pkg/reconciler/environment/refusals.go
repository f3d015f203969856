package environment

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

const (
	// refusedFor is how long a refused write is left alone before it is tried again.
	refusedFor = 30 * time.Second
	// rightsSettle is how long to wait for new rights to reach the apiserver's authorizer.
	rightsSettle = 200 * time.Millisecond
)

// refusal is an end that only a change brings on from: the environment says it, and
// nothing is retried until something changes.
type refusal struct {
	reason string
	error
}

func (r refusal) Unwrap() error { return r.error }

// refusalLimit is how many bytes of sentences a status takes: it holds them twice.
const refusalLimit = 16 << 10

// lines keeps as many whole lines of a text as fit, and says how many more there are.
func lines(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	cut := strings.LastIndexByte(text[:limit], '\n')
	if cut < 0 {
		cut = limit
	}
	return fmt.Sprintf("%s\nand %d more like these", text[:cut], strings.Count(text[cut:], "\n"))
}

// invalid refuses what a user wrote.
func invalid(err error) error { return refusal{v1alpha1.ReasonInvalid, err} }

// closed ends the run of a pass that was refused, and passes the end of the pass on.
func (r *Reconciler) closed(ctx context.Context, p *pass, why error) error {
	var wrong refusal
	if !errors.As(why, &wrong) || p.run == nil || p.run.Done() {
		return why
	}
	ended, err := r.end(ctx, p, p.run, ending{phase: v1alpha1.PhaseFailed, message: lines(wrong.Error(), refusalLimit)})
	if err != nil {
		return err
	}
	p.memory.run = ended
	return why
}

// unseen says how to go on when the engine could not see what is there.
func (r *Reconciler) unseen(p *pass, err error) error {
	var kind *target.KindError
	switch {
	case errors.Is(err, target.ErrNotSynced):
		return errWait
	case errors.As(err, &kind):
		r.after(p.key, refusedFor) // nobody tells when the kind is installed
		return invalid(fmt.Errorf("%w; install what defines it, or remove the manifest from the template", kind))
	default:
		return err
	}
}

// reconsider lets writes that were refused long ago be tried again, since rights and
// quotas change without an event for us.
func (r *Reconciler) reconsider(p *pass) {
	if len(p.memory.refused) == 0 {
		p.memory.refusedAt = r.clock.Now()
	}
	if r.clock.Since(p.memory.refusedAt) >= refusedFor {
		p.memory.refusedAt = r.clock.Now()
		p.memory.refused = map[plan.Key]engine.Refusal{}
	}
}

// retryRefused asks for the pass in which refused writes are tried again: soon when the
// rights are so new that the apiserver may not know them, else after a while. It says
// whether what was seen is not worth telling.
func (r *Reconciler) retryRefused(p *pass) bool {
	if len(p.memory.refused) == 0 {
		return false
	}
	if r.homes.Fresh(p.scope.Namespace, r.clock.Now()) && p.memory.forgive(v1alpha1.CauseForbidden) {
		p.env.MarkProgressing("waiting for the rights of service account " + p.scope.ServiceAccount)
		r.after(p.key, rightsSettle)
		return true
	}
	r.after(p.key, refusedFor-r.clock.Since(p.memory.refusedAt))
	return false
}
