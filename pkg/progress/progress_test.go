package progress

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

var update = flag.Bool("update", false, "write the golden files")

func golden(t *testing.T, name string, lines []string) {
	t.Helper()
	path := filepath.Join("testdata", name)
	got := strings.Join(lines, "\n") + "\n"
	if *update {
		if err := os.WriteFile(path, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; rewrite with -update):\n%s", path, diff)
	}
}

func second(n float64) *metav1.MicroTime {
	t := metav1.NewMicroTime(time.Unix(0, 0).Add(time.Duration(n * float64(time.Second))))
	return &t
}

func service(group, name string, state v1alpha1.ServiceState, change ...func(*v1alpha1.ServiceStatus)) v1alpha1.ServiceStatus {
	s := v1alpha1.ServiceStatus{Group: group, Name: name, State: state, Image: "r/" + name + ":1"}
	for _, c := range change {
		c(&s)
	}
	return s
}

func waits(names ...string) func(*v1alpha1.ServiceStatus) {
	return func(s *v1alpha1.ServiceStatus) { s.WaitingFor = names }
}

func times(started, ready float64) func(*v1alpha1.ServiceStatus) {
	return func(s *v1alpha1.ServiceStatus) { s.StartedAt, s.ReadyAt = second(started), second(ready) }
}

func crash(s *v1alpha1.ServiceStatus) {
	s.StartedAt = second(4.1)
	s.Cause = &v1alpha1.Cause{
		Class: v1alpha1.CauseCrashLoop, Message: "container orders exits with 2 on every start",
		Object: "Pod/orders-6c9", Hint: "spock env logs shop orders", ExitCode: ptr.To[int32](2),
		Log: "reading config\npanic: DATABASE_URL is not set\n",
	}
}

func status(run string, services ...v1alpha1.ServiceStatus) v1alpha1.EnvironmentStatus {
	return v1alpha1.EnvironmentStatus{Run: run, Services: services}
}

// story is a rollout that ends badly, state by state.
func story() []v1alpha1.EnvironmentStatus {
	const w, p, r, f, b = v1alpha1.ServiceWaiting, v1alpha1.ServiceProgressing, v1alpha1.ServiceReady, v1alpha1.ServiceFailed, v1alpha1.ServiceBlocked
	redis := service("data", "redis", r)
	return []v1alpha1.EnvironmentStatus{
		status("shop-2", redis, service("data", "postgres", p, func(s *v1alpha1.ServiceStatus) { s.Message = "0/1 replicas are ready" }),
			service("backend", "orders", w, waits("postgres")), service("web", "shop", w, waits("a", "b", "c", "d", "e", "f", "orders"))),
		status("shop-2", redis, service("data", "postgres", r, times(0, 4.1)), service("backend", "orders", p),
			service("web", "shop", w, waits("orders"))),
		status("shop-2", redis, service("data", "postgres", p, func(s *v1alpha1.ServiceStatus) { s.Message = "the pod was evicted" }),
			service("backend", "orders", f, crash), service("web", "shop", b, waits("orders"))),
	}
}

func TestLinesTellAStory(t *testing.T) {
	t.Parallel()
	var previous v1alpha1.EnvironmentStatus
	var lines []string
	for i, current := range story() {
		lines = append(lines, Lines(previous, current, time.Duration(i)*41300*time.Millisecond)...)
		previous = current
	}
	golden(t, "story.txt", lines)
}

func TestTheSameStateIsNoLine(t *testing.T) {
	t.Parallel()
	for _, state := range story() {
		if got := Lines(state, state, time.Second); len(got) != 0 {
			t.Errorf("lines for no change: %q", got)
		}
	}
}

func TestANewRunStartsANewStory(t *testing.T) {
	t.Parallel()
	before := status("shop-1", service("data", "redis", v1alpha1.ServiceReady))
	after := status("shop-2", service("data", "redis", v1alpha1.ServiceReady))
	want := []string{"   0.0s ▶ run shop-2: 1 service", "   0.0s ✔ data/redis is ready, unchanged"}
	if diff := cmp.Diff(want, Lines(before, after, 0)); diff != "" {
		t.Errorf("Lines (-want +got):\n%s", diff)
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	environment := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "shop"}}
	environment.Status = status("shop-2",
		service("data", "postgres", v1alpha1.ServiceReady, times(0, 4.1)),
		service("data", "redis", v1alpha1.ServiceReady, times(0.2, 1.3)),
		service("web", "shop", v1alpha1.ServiceReady, times(4.1, 70)))
	environment.MarkReady("all 3 services are ready")
	environment.Status.URL = "http://shop.shop.example.com"
	golden(t, "table.txt", Table(environment, 70*time.Second))
}

func TestFailures(t *testing.T) {
	t.Parallel()
	states := story()
	golden(t, "failures.txt", Failures(states[2]))
	back := states[0]
	var failed v1alpha1.ServiceStatus
	crash(&failed)
	back.Rollback = &v1alpha1.Rollback{From: "shop-2", To: "shop-1", Service: "orders", Cause: failed.Cause}
	golden(t, "rolledback.txt", Failures(back))
	back.Rollback.Services = []string{"orders", "web"}
	if got, want := Failures(back), "        orders, web back to what run shop-1 wrote"; got[len(got)-1] != want {
		t.Errorf("the last line is %q, want %q", got[len(got)-1], want)
	}
	states[2].Rollback = back.Rollback
	if diff := cmp.Diff(Failures(story()[2]), Failures(states[2])); diff != "" {
		t.Errorf("a failure that shows itself is told twice (-want +got):\n%s", diff)
	}
	if got := Failures(states[0]); len(got) != 0 {
		t.Errorf("failures where nothing failed: %q", got)
	}
}
