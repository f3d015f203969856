// The custom-task-controller reconciles Environments, Products, Hosts and Tekton CustomRuns of
// Spock's kinds. It only wires: what it does is in pkg/reconciler and pkg/engine.
package main

import (
	"log"

	"knative.dev/pkg/injection"
	"knative.dev/pkg/injection/sharedmain"
	"knative.dev/pkg/signals"

	"spock.dev/spock/pkg/reconciler/customrun"
	"spock.dev/spock/pkg/reconciler/environment"
	"spock.dev/spock/pkg/reconciler/host"
	"spock.dev/spock/pkg/reconciler/lease"
	"spock.dev/spock/pkg/reconciler/product"
	machines "spock.dev/spock/pkg/target/host"
)

const component = "spock-controller"

func main() {
	health, ctx := &lease.Health{}, signals.NewContext()
	config := injection.ParseAndGetRESTConfigOrDie()
	ctx, err := lease.Elect(ctx, config, component)
	if err != nil {
		log.Fatal(err)
	}
	fleet := machines.NewFleet(ctx)
	sharedmain.MainWithConfig(health.Attach(ctx), component, config,
		environment.NewController(health, fleet),
		customrun.NewController(health),
		host.NewController(health, fleet),
		product.NewController(health),
	)
}
