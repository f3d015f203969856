package main

import (
	"context"

	"spock.dev/spock/bench/bed"
	"spock.dev/spock/bench/spock"
	"spock.dev/spock/bench/work"
)

// engine is what is measured: Spock, or a peer in one of its modes.
type engine interface {
	who() (name, mode string)
	// account makes its requests; namespace holds the workloads of an environment.
	account() string
	namespace(environment string) string
	// prepare does what its users have done before they deploy; it is not measured.
	prepare(ctx context.Context, w work.Work) error
	// deploy returns when the engine says that all is ready, teardown when all is gone.
	deploy(ctx context.Context, w work.Work) error
	teardown(ctx context.Context, w work.Work) error
	// usage is what it has used up to now, and the most memory it has held.
	usage() (bed.Usage, error)
}

// ours is Spock. The environment of a work has the work's name.
type ours struct{ spock *spock.Spock }

func (ours) who() (name, mode string)            { return "spock", "default" }
func (ours) account() string                     { return spock.Account }
func (ours) namespace(environment string) string { return spock.Namespace(environment) }
func (o ours) usage() (bed.Usage, error)         { return o.spock.Usage() }

func (o ours) prepare(ctx context.Context, w work.Work) error { return o.spock.Describe(ctx, w) }

func (o ours) deploy(ctx context.Context, w work.Work) error { return o.spock.Deploy(ctx, w, w.Name) }

func (o ours) teardown(ctx context.Context, w work.Work) error { return o.spock.Teardown(ctx, w.Name) }
