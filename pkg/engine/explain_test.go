package engine_test

import (
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/target"
)

func TestAProbeThatFailsIsToldAtOnceAndIsAFailureInTheEnd(t *testing.T) {
	t.Parallel()
	const answer = "Readiness probe failed: HTTP probe failed with statuscode: 503"
	s := newStepper(planOf(t, tiers, service("data", "db", 1)))
	s.world.behaves = ends(s.task.Plan, map[string]fate{"Deployment/db": never})
	s.world.run(s.task.Plan, 2)
	s.pods = map[string][]*corev1.Pod{"db": {pod("db-1", time.Second, runsUnprobed)}}
	read := []string{"log db-1 app previous=false lines=50"}
	steps := []struct {
		name   string
		change func()
		state  v1alpha1.ServiceState
		answer string
		calls  []string
	}{
		{"nobody has told of the probe", func() {}, v1alpha1.ServiceProgressing, "", nil},
		{"its node tells", func() { s.told = map[target.Container]string{{Pod: "db-1", Name: "app"}: answer} }, v1alpha1.ServiceProgressing, answer, nil},
		{"its node tells more, which is no progress", func() {
			s.world.now = s.world.now.Add(clocks.NoProgress - 2*time.Second)
			s.told = map[target.Container]string{{Pod: "db-1", Name: "app"}: answer + "0"}
		}, v1alpha1.ServiceProgressing, answer + "0", nil},
		{"its time is over", func() { s.world.now = s.world.now.Add(2 * time.Second) }, v1alpha1.ServiceFailed, answer + "0", read},
		{"it stays so", func() {}, v1alpha1.ServiceFailed, answer + "0", nil},
	}
	for _, step := range steps {
		step.change()
		out, err := s.step(t)
		if err != nil {
			t.Fatal(err)
		}
		got := out.Services[0]
		if got.State != step.state || (class(got) == v1alpha1.CauseProbe) != (step.answer != "") {
			t.Fatalf("%s: it is %s with the cause %+v, want %s", step.name, got.State, got.Cause, step.state)
		}
		if got.Cause != nil && got.Cause.Answer != step.answer {
			t.Errorf("%s: the answer is %q, want %q", step.name, got.Cause.Answer, step.answer)
		}
		if diff := cmp.Diff(step.calls, s.calls); diff != "" {
			t.Errorf("%s: calls (-want +got):\n%s", step.name, diff)
		}
		if got.State == v1alpha1.ServiceFailed && !strings.Contains(out.Message, got.Cause.Sentence()) {
			t.Errorf("%s: the environment says %q, which lacks %q", step.name, out.Message, got.Cause.Sentence())
		}
	}
}
