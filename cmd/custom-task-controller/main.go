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
)

func main() {
	health := &lease.Health{}
	sharedmain.MainWithContext(health.Attach(signals.NewContext()), "spock-controller",
		environment.NewController(health),
		customrun.NewController(health),
		host.NewController(health),
	)
}
