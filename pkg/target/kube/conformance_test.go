package kube

import (
	"net/http"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/rest"

	"spock.dev/spock/pkg/target/targettest"
)

func TestTheTargetIsOne(t *testing.T) {
	t.Parallel()
	targettest.Run(t, func(t *testing.T) targettest.Fixture {
		l := newLab()
		on := l.target(t)
		on.clients.open = func(namespace, serviceAccount string) (*client, error) {
			// A fake has the log of every pod.
			s := newAPIServer(t, func(w http.ResponseWriter, _ *http.Request) {
				status := apierrors.NewNotFound(schema.GroupResource{Resource: "pods"}, "not-there").Status()
				reply(w, int(status.Code), status)
			})
			made, err := newClient(Impersonate(&rest.Config{Host: s.URL}, namespace, serviceAccount))
			if err == nil {
				made.dynamic = l.dynamic
			}
			return made, err
		}
		return targettest.Fixture{Target: on, Changed: l.changed, Scope: shop, Other: other}
	})
}
