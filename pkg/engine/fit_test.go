package engine_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/engine"
)

func storySize(t interface{ Fatalf(string, ...any) }, all []v1alpha1.ServiceStatus) int {
	text, err := json.Marshal(all)
	if err != nil {
		t.Fatalf("encode: %v", err)
	}
	return len(text)
}

var started = metav1.NewMicroTime(began)

// crashed is a failed service with all that a cause can have.
func crashed(i int, log string) v1alpha1.ServiceStatus {
	message := fmt.Sprintf("container app of pod service-%d-5bfbd857cf-df4bt ends with exit code 3 every time, 7 times so far", i)
	return v1alpha1.ServiceStatus{
		Name: fmt.Sprintf("service-%d-%s", i, strings.Repeat("x", 40)), Group: "backend", State: v1alpha1.ServiceFailed,
		Image: "registry.example.com/shop/service@sha256:" + strings.Repeat("0123456789abcdef", 4), Message: message,
		StartedAt: &started, ProgressAt: &started,
		Cause: &v1alpha1.Cause{Class: v1alpha1.CauseCrashLoop, Message: message, Object: fmt.Sprintf("Pod/service-%d-5bfbd857cf-df4bt", i), Hint: "read its last log lines, correct the cause and deploy again", Log: log},
	}
}

func TestAStoryFitsWhateverHappens(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("<panic> \"no\tdatabase\"\n", 700)
	for _, services := range []int{1, 500, 1000} {
		t.Run(fmt.Sprintf("%d services failed with long logs", services), func(t *testing.T) {
			t.Parallel()
			var all []v1alpha1.ServiceStatus
			for i := range services {
				all = append(all, crashed(i, long))
			}
			got := engine.Fit(all, engine.StoryLimit)
			if size := storySize(t, got); size > engine.StoryLimit+2 {
				t.Errorf("%d bytes, want no more than %d", size, engine.StoryLimit)
			}
			if diff := cmp.Diff(all[0], got[0]); diff != "" {
				t.Errorf("the first failure was shortened (-had +told):\n%s", diff)
			}
			for i, s := range got {
				if s.Name != all[i].Name || s.State != all[i].State || s.Cause.Class != all[i].Cause.Class || s.Cause.Message == "" {
					t.Errorf("service %d is told as %+v, %+v", i, s, s.Cause)
				}
			}
		})
	}
}

func TestFitShortensNoMoreThanItTakes(t *testing.T) {
	t.Parallel()
	all := []v1alpha1.ServiceStatus{crashed(0, "a log"), crashed(1, "a log"), crashed(2, "a log")}
	got := engine.Fit(all, storySize(t, all)-2-1)
	want := []v1alpha1.ServiceStatus{all[0], all[1], *all[2].DeepCopy()}
	want[2].Cause.Log = ""
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("Fit() by one byte (-want +got):\n%s", diff)
	}
}

func TestFitHoldsForAnyStory(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		var all []v1alpha1.ServiceStatus
		for i := range rapid.IntRange(0, 60).Draw(t, "services") {
			s := crashed(i, rapid.StringN(0, 3000, -1).Draw(t, "log"))
			if rapid.Bool().Draw(t, "waits") {
				s.State, s.Cause, s.WaitingFor = v1alpha1.ServiceWaiting, nil, []string{"db", "cache"}
			}
			all = append(all, s)
		}
		given := cloneStory(all)
		limit := rapid.IntRange(400*len(all), 400*len(all)+10000).Draw(t, "limit")
		got := engine.Fit(all, limit)
		if diff := cmp.Diff(given, all); diff != "" {
			t.Fatalf("Fit changed what it was given (-before +after):\n%s", diff)
		}
		if size := storySize(t, got); size > limit+2 {
			t.Fatalf("%d bytes, want no more than %d", size, limit)
		}
		if diff := cmp.Diff(got, engine.Fit(got, limit)); diff != "" {
			t.Fatalf("what fits is shortened again (-once +twice):\n%s", diff)
		}
		for i := range got {
			if got[i].Name != all[i].Name || got[i].State != all[i].State || (got[i].Cause == nil) != (all[i].Cause == nil) {
				t.Fatalf("service %d is told as %+v, was %+v", i, got[i], all[i])
			}
		}
	})
}

func cloneStory(all []v1alpha1.ServiceStatus) []v1alpha1.ServiceStatus {
	var out []v1alpha1.ServiceStatus
	for i := range all {
		out = append(out, *all[i].DeepCopy())
	}
	return out
}
