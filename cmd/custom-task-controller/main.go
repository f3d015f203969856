// The custom-task-controller reconciles Environments and Tekton CustomRuns of Spock's
// kinds. It only wires: what it does is in pkg/reconciler and pkg/engine.
package main

import (
	"net/http"

	"knative.dev/pkg/injection"
	"knative.dev/pkg/injection/sharedmain"
	"knative.dev/pkg/signals"

	"spock.dev/spock/pkg/reconciler/customrun"
	"spock.dev/spock/pkg/reconciler/environment"
	"spock.dev/spock/pkg/reconciler/lease"
)

func main() {
	health := &lease.Health{}
	ctx := injection.AddLiveness(signals.NewContext(), func(w http.ResponseWriter, r *http.Request) { health.ServeHTTP(w, r) })
	sharedmain.MainWithContext(ctx, "spock-controller",
		environment.NewController(health),
		customrun.NewController(health),
	)
}
