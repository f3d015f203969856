package deploy

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func TestResults(t *testing.T) {
	t.Parallel()
	e := stored(func(e *v1alpha1.Environment) {
		e.MarkReady("all services are ready")
		e.Status.Namespace, e.Status.URL, e.Status.Run = "team-a-shop", "http://web.shop.example.com", "shop-3"
		e.Status.Services = []v1alpha1.ServiceStatus{{Name: "job"}, {Name: "orders", Image: "r/orders@sha256:01"}, {Name: "web", Image: "r/web:1"}}
		e.Spec.Run = &v1alpha1.RunLayer{Services: []v1alpha1.ServiceOverride{{Name: "job", Images: map[string]string{"main": "r/job:1", "log": "r/log:1"}}}}
	})
	want := map[string]string{
		"environment": "shop", "namespace": "team-a-shop", "url": "http://web.shop.example.com", "run": "shop-3",
		"phase": "Ready", "message": "all services are ready", "services": "orders=r/orders@sha256:01,web=r/web:1,job/log=r/log:1,job/main=r/job:1",
	}
	if diff := cmp.Diff(want, Results(e)); diff != "" {
		t.Errorf("Results (-want +got):\n%s", diff)
	}
}

func TestResultsOfALargeEnvironmentFit(t *testing.T) {
	t.Parallel()
	e := stored(func(e *v1alpha1.Environment) {
		for i := range 500 {
			name := fmt.Sprintf("service-%d", i)
			e.Status.Services = append(e.Status.Services, v1alpha1.ServiceStatus{Name: name, Image: "r/" + name})
		}
		e.Status.Message = strings.Repeat("ä", 5000)
		e.Spec.Run.Services = []v1alpha1.ServiceOverride{{Name: "orders", Image: "r/orders"}, {Name: "huge", Image: strings.Repeat("r", 3000)}}
	})
	got := Results(e)
	if got["services"] != "orders=r/orders" {
		t.Errorf("services = %q, want those of the deploy that fit", got["services"])
	}
	size := 0
	for _, value := range got {
		size += len(value)
	}
	if size > 3000 {
		t.Errorf("the results are %d bytes, too many for a termination message", size)
	}
}
