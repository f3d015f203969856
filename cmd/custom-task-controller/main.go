// The custom-task-controller reconciles Environments, Hosts and Tekton CustomRuns of
// Spock's kinds. It only wires: what it does is in pkg/reconciler and pkg/engine.
package main

import (
	"knative.dev/pkg/injection/sharedmain"
	"knative.dev/pkg/signals"

	"spock.dev/spock/pkg/reconciler/customrun"
	"spock.dev/spock/pkg/reconciler/environment"
	"spock.dev/spock/pkg/reconciler/host"
	"spock.dev/spock/pkg/reconciler/lease"
	machines "spock.dev/spock/pkg/target/host"
)

func main() {
	health, ctx := &lease.Health{}, signals.NewContext()
	fleet := machines.NewFleet(ctx)
	sharedmain.MainWithContext(health.Attach(ctx), "spock-controller",
		environment.NewController(health, fleet),
		customrun.NewController(health),
		host.NewController(health, fleet),
	)
}
