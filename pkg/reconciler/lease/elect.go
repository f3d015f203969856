package lease

import (
	"context"
	"fmt"
	"os"

	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/rest"
	kubeclient "knative.dev/pkg/client/injection/kube/client"
	"knative.dev/pkg/injection/sharedmain"
	"knative.dev/pkg/leaderelection"
)

// Elect returns a context in which the controllers of a component are elected under the
// name of their pod. A container that was killed is followed by another one of the same
// pod, which then holds the lease already and goes on at once, where a stranger would
// have to wait until the lease has run out. The lease times are those of the ConfigMap
// that CONFIG_LEADERELECTION_NAME names, in SYSTEM_NAMESPACE.
func Elect(ctx context.Context, rest *rest.Config, component string) (context.Context, error) {
	client, err := kubernetes.NewForConfig(rest)
	if err != nil {
		return nil, fmt.Errorf("make the client for the leader election: %w", err)
	}
	config, err := sharedmain.GetLeaderElectionConfig(context.WithValue(ctx, kubeclient.Key{}, client))
	if err != nil {
		return nil, fmt.Errorf("read the lease times: %w", err)
	}
	one := config.GetComponentConfig(component)
	one.Identity = identity(os.Getenv)
	ctx = leaderelection.WithStandardLeaderElectorBuilder(ctx, client, one)
	return sharedmain.WithHADisabled(ctx), nil // what it would set up is set up
}

// identity is that of the pod, of which only one container runs at a time. The name alone
// would not do: a pod of the same name may run elsewhere already. Without both it is
// empty, which stands for one that nobody else has.
func identity(env func(string) string) string {
	name, uid := env("POD_NAME"), env("POD_UID")
	if name == "" || uid == "" {
		return ""
	}
	return name + "_" + uid
}
