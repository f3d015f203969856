// Package environment reconciles Environments: it reads the product, the templates
// and the class, makes the plan, keeps one EnvironmentRun per attempt, and lets the
// engine take the next step.
//
// Each pass is a list of phases; what a later pass needs of an earlier one is in the
// cluster, and what is only remembered here (plan cache, last story) can be lost at
// any moment.
package environment

import (
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/types"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/utils/clock"
	"knative.dev/pkg/controller"
	"knative.dev/pkg/reconciler"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/artifact"
	"spock.dev/spock/pkg/client/clientset/versioned"
	listers "spock.dev/spock/pkg/client/listers/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
	"spock.dev/spock/pkg/scaffold"
	"spock.dev/spock/pkg/source"
	"spock.dev/spock/pkg/target"
)

// Homes makes and removes the namespaces of environments.
type Homes interface {
	// Prepare makes the namespace; ready is false while it cannot be used yet.
	Prepare(ctx context.Context, scope target.Scope, want *scaffold.Scaffold) (ready bool, err error)
	// Fresh says whether rights may not have reached the whole cluster yet.
	Fresh(namespace string, now time.Time) bool
	// Exists says whether the environment has a namespace.
	Exists(scope target.Scope) bool
	// Remove deletes the namespace and says whether it is gone.
	Remove(ctx context.Context, scope target.Scope) (gone bool, err error)
}

// Reconciler reconciles Environments.
type Reconciler struct {
	client       versioned.Interface
	environments listers.EnvironmentLister
	products     listers.ProductLister
	templates    listers.ServiceTemplateLister
	classes      listers.EnvironmentClassLister
	runs         listers.EnvironmentRunLister
	hosts        listers.HostLister
	configMaps   corelisters.ConfigMapLister // marked to hold manifests

	engine *engine.Engine
	homes  Homes
	clock  clock.PassiveClock
	// after asks for another pass of an environment when time has passed.
	after    func(types.NamespacedName, time.Duration)
	memories *memories
	places   *places
	// artifacts brings OCI artifacts.
	artifacts *artifact.Store
	// sources keeps what charts and Kustomize directories gave.
	sources *source.Cache
}

// maxSources bounds, in bytes, what is kept of charts and Kustomize directories.
const maxSources = 16 << 20

var _ reconciler.OnDeletionInterface = (*Reconciler)(nil)

// errWait ends a pass that has nothing more to do until an event comes.
var errWait = errors.New("waiting for an event")

// ReconcileKind takes one step towards the spec.
func (r *Reconciler) ReconcileKind(ctx context.Context, env *v1alpha1.Environment) reconciler.Event {
	p := r.newPass(env)
	defer func() { r.memories.move(p.memory, onTheirWay(env)) }()
	for _, phase := range []func(context.Context, *pass) error{
		r.suspend, // stop here when the spec says so
		r.gather,  // product, templates and class -> plan
		r.open,    // the EnvironmentRun of this plan
		r.prepare, // the namespace
		r.advance, // one step of the engine
		r.retreat, // back to what ran before, when that failed
		r.record,  // the EnvironmentRun's story
	} {
		if err := phase(ctx, p); err != nil {
			return p.finish(r.closed(ctx, p, err))
		}
	}
	return p.finish(nil)
}

// FinalizeKind takes the environment down: services in reverse order, then the
// namespace. It returns nil only when nothing is left.
func (r *Reconciler) FinalizeKind(ctx context.Context, env *v1alpha1.Environment) reconciler.Event {
	p := r.newPass(env)
	if !r.homes.Exists(p.scope) {
		r.forget(p.key)
		return nil
	}
	r.memories.move(p.memory, 0)
	if !p.memory.outbox.Withdraw() {
		env.MarkTerminating("waiting for the end of writes that are under way")
		return controller.NewSkipKey(p.key.String())
	}
	nodes, err := r.lastNodes(env)
	if err != nil {
		return err
	}
	done, message, err := r.engine.TearDown(ctx, p.scope, nodes)
	if errors.Is(err, target.ErrNotSynced) {
		return controller.NewSkipKey(p.key.String())
	}
	if err != nil {
		env.MarkTerminating("cannot be taken down yet: " + err.Error())
		return err
	}
	if done {
		gone, err := r.homes.Remove(ctx, p.scope)
		if err != nil || gone {
			return err
		}
		message = "waiting for namespace " + p.scope.Namespace + " to go"
	}
	r.tellEnd(p, message)
	return controller.NewSkipKey(p.key.String())
}

// ObserveDeletion forgets what was remembered of an environment.
func (r *Reconciler) ObserveDeletion(_ context.Context, key types.NamespacedName) error {
	r.forget(key)
	return nil
}

func (r *Reconciler) forget(key types.NamespacedName) {
	r.memories.forget(key)
	r.places.give(key)
}
