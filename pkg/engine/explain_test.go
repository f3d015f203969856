package engine_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func TestAProbeThatNeverSucceedsIsToldWithItsAnswer(t *testing.T) {
	t.Parallel()
	asked := []string{"log db-1 app previous=false lines=50", "answer db-1 app"}
	const answer = "Readiness probe failed: HTTP probe failed with statuscode: 503"
	tests := map[string]struct {
		answers map[string]error
		want    string
	}{
		"the node told what it got":     {want: answer},
		"nobody may read what was told": {answers: map[string]error{asked[1]: errors.New("forbidden")}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newStepper(planOf(t, tiers, service("data", "db", 1)))
			s.world.behaves = ends(s.task.Plan, map[string]fate{"Deployment/db": never})
			s.world.run(s.task.Plan, 2)
			s.pods = map[string][]*corev1.Pod{"db": {pod("db-1", time.Second, runsUnprobed)}}
			if _, err := s.step(t); err != nil {
				t.Fatal(err)
			}
			s.world.now = s.world.now.Add(clocks.NoProgress)
			s.answers = tc.answers
			out, err := s.step(t)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(asked, s.calls); diff != "" {
				t.Errorf("calls (-want +got):\n%s", diff)
			}
			cause := out.Services[0].Cause
			if cause == nil || cause.Class != v1alpha1.CauseProbe || cause.Answer != tc.want {
				t.Fatalf("the cause is %+v, want the answer %q", cause, tc.want)
			}
			if !strings.Contains(out.Message, cause.Sentence()) {
				t.Errorf("the environment says %q, which lacks %q", out.Message, cause.Sentence())
			}
			if again, err := s.step(t); err != nil || len(s.calls) > 0 || again.Services[0].Cause.Answer != tc.want {
				t.Errorf("the next step asked %v and told %+v, %v; want it kept", s.calls, again.Services[0].Cause, err)
			}
		})
	}
}
