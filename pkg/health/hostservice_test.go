package health_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
)

func TestAServiceOnAMachineIsJudgedByWhatTheMachineTells(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status map[string]any
		want   health.Verdict
	}{
		"not told yet": {nil, health.Verdict{State: health.Progressing, Message: "the cluster has not looked at HostService db-0 yet"}},
		"on its way":   {map[string]any{"phase": "Starting", "message": "brings image x to host db1: 40%"}, health.Verdict{State: health.Progressing, Message: "brings image x to host db1: 40%"}},
		"runs":         {map[string]any{"phase": "Running", "message": "runs on host db1"}, health.Verdict{State: health.Ready, Message: "runs on host db1"}},
		"was stopped":  {map[string]any{"phase": "Stopped", "message": "host db1: it was stopped"}, health.Verdict{State: health.Progressing, Message: "host db1: it was stopped"}},
		"its machine is away": {
			map[string]any{"phase": "Failed", "message": "m", "cause": map[string]any{"class": "HostUnreachable", "message": "host db1: away", "hint": "wait"}},
			health.Verdict{State: health.Failed, Message: "host db1: away", Cause: &v1alpha1.Cause{Class: "HostUnreachable", Message: "host db1: away", Hint: "wait", Object: "HostService/db-0"}},
		},
		"it failed, and nobody says why": {
			map[string]any{"phase": "Failed"},
			health.Verdict{State: health.Failed, Message: "it failed", Cause: &v1alpha1.Cause{Class: v1alpha1.CauseCrashLoop, Message: "it failed", Object: "HostService/db-0"}},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := &unstructured.Unstructured{Object: map[string]any{"status": tc.status}}
			if tc.status == nil {
				o = &unstructured.Unstructured{Object: map[string]any{}}
			}
			o.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.KindHostService))
			o.SetName("db-0")
			if diff := cmp.Diff(tc.want, health.Of(o, nil)); diff != "" {
				t.Errorf("verdict (-want +got):\n%s", diff)
			}
		})
	}
}
