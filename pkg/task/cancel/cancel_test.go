package cancel

import (
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/client/clientset/versioned/fake"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
	"knative.dev/pkg/apis"
)

var at = time.Date(2026, 5, 4, 12, 0, 0, 0, time.UTC)

func run(name, number string, age time.Duration, done bool) *tektonv1.PipelineRun {
	r := &tektonv1.PipelineRun{ObjectMeta: metav1.ObjectMeta{
		Namespace: "team-a", Name: name, Labels: map[string]string{"spock.dev/event-number": number}, CreationTimestamp: metav1.NewTime(at.Add(-age)),
	}}
	if done {
		end(r)
	}
	return r
}

func end(r *tektonv1.PipelineRun) {
	r.Status.SetCondition(&apis.Condition{Type: apis.ConditionSucceeded, Status: "False", Reason: "Cancelled"})
}

// cluster ends a run when it is cancelled, as Tekton does, and keeps what was cancelled.
func cluster(t *testing.T, runs ...runtime.Object) (*fake.Clientset, *[]string) {
	t.Helper()
	client, cancelled := fake.NewSimpleClientset(runs...), &[]string{}
	client.PrependReactor("patch", "pipelineruns", func(a clienttesting.Action) (bool, runtime.Object, error) {
		p := a.(clienttesting.PatchAction)
		if string(p.GetPatch()) != `{"spec":{"status":"CancelledRunFinally"}}` {
			t.Errorf("patched with %s", p.GetPatch())
		}
		*cancelled = append(*cancelled, p.GetName())
		gvr := tektonv1.SchemeGroupVersion.WithResource("pipelineruns")
		o, err := client.Tracker().Get(gvr, p.GetNamespace(), p.GetName())
		if err != nil {
			return true, nil, err
		}
		ended := o.(*tektonv1.PipelineRun).DeepCopy()
		end(ended)
		return true, ended, client.Tracker().Update(gvr, ended, p.GetNamespace())
	})
	return client, cancelled
}

func TestOlderRunsOfTheSameAreCancelled(t *testing.T) {
	t.Parallel()
	last, third := run("down", "7", time.Minute, false), run("up-3", "7", time.Minute, false)
	last.Annotations, third.Annotations = taken("12:00:00.000000002"), taken("12:00:00.000000001")
	client, cancelled := cluster(t, last, third, run("up-1", "7", 3*time.Minute, true), run("up-2", "7", 2*time.Minute, false),
		run("reopened", "7", 0, false), run("other", "8", 2*time.Minute, false))
	ctx, stop := context.WithTimeout(context.Background(), time.Minute)
	defer stop()
	names, err := Before(ctx, client, "team-a", "down", "spock.dev/event-number=7")
	if err != nil {
		t.Fatal(err)
	}
	slices.Sort(*cancelled)
	if diff := cmp.Diff([]string{"up-2", "up-3"}, *cancelled); diff != "" || len(names) != 2 {
		t.Errorf("told of %v; cancelled (-want +got):\n%s", names, diff)
	}
}

func TestWhatCannotBeCancelledIsTold(t *testing.T) {
	t.Parallel()
	client, _ := cluster(t, run("down", "7", 0, false))
	for want, do := range map[string]func() ([]string, error){
		"name the labels of the runs": func() ([]string, error) { return Before(context.Background(), client, "team-a", "down", "") },
		`selector "a=("`:              func() ([]string, error) { return Before(context.Background(), client, "team-a", "down", "a=(") },
		"read pipelinerun team-a/gone": func() ([]string, error) {
			return Before(context.Background(), client, "team-a", "gone", "a=b")
		},
	} {
		if _, err := do(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}

func taken(at string) map[string]string {
	return map[string]string{"spock.dev/event-taken": "2026-05-04T" + at + "Z"}
}

// The cluster tells the seconds only. Of two runs of one second each would cancel the other.
func TestOfTwoRunsOneIsOlder(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct{ a, b map[string]string }{
		"a door took one before the other": {taken("12:00:00.000000001"), taken("12:00:00.000000002")},
		"nobody knows":                     {nil, nil},
		"one came by hand":                 {nil, taken("12:00:00.000000002")},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			a, b := run("a", "7", 0, false), run("b", "7", 0, false)
			a.Annotations, b.Annotations = tt.a, tt.b
			var ended []string
			for _, self := range []string{"a", "b"} {
				client, cancelled := cluster(t, a.DeepCopy(), b.DeepCopy())
				if _, err := Before(t.Context(), client, "team-a", self, "spock.dev/event-number=7"); err != nil {
					t.Fatal(err)
				}
				ended = append(ended, *cancelled...)
			}
			if diff := cmp.Diff([]string{"a"}, ended); diff != "" {
				t.Errorf("cancelled by both (-want +got):\n%s", diff)
			}
		})
	}
}
