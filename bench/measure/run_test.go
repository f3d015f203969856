package measure_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/bench/measure"
	"spock.dev/spock/bench/work"
)

var began = time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)

// log is an audit log of writes by an engine and of statuses by the controllers.
type log struct{ strings.Builder }

func (l *log) line(at float64, verb, user, resource, sub, name, response string) {
	t := began.Add(time.Duration(at * float64(time.Second))).Format(time.RFC3339Nano)
	fmt.Fprintf(l, `{"verb":%q,"user":{"username":%q},"objectRef":{"apiGroup":"apps","resource":%q,"namespace":"shop","name":%q,"subresource":%q},"responseStatus":{"code":200},"requestReceivedTimestamp":%q,"stageTimestamp":%q,"responseObject":%s}`+"\n",
		verb, user, resource, name, sub, t, t, response)
}

func (l *log) write(at float64, name string, generation int) {
	l.line(at, "patch", "engine", "deployments", "", name, fmt.Sprintf(`{"kind":"Deployment","metadata":{"name":%q,"namespace":"shop","generation":%d}}`, name, generation))
}

func (l *log) status(at float64, name string, observed, available int) {
	l.line(at, "update", "kcm", "deployments", "status", name, fmt.Sprintf(
		`{"kind":"Deployment","metadata":{"name":%q,"namespace":"shop"},"status":{"observedGeneration":%d,"replicas":1,"updatedReplicas":1,"availableReplicas":%d}}`, name, observed, available))
}

var shop = work.Work{Fine: true, Services: []work.Service{{Name: "db"}, {Name: "api", Needs: []string{"db"}}}}

func TestARunIsReadOffTheAuditLog(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		log  func(*log)
		want []string
	}{
		"a dependant is written after its need": {func(l *log) {
			l.write(0, "db", 1)
			l.status(2, "db", 1, 1)
			l.write(2.25, "api", 1)
			l.status(3.25, "api", 1, 1)
		}, []string{"overhead 1s of 3s", "late [250ms]", "violations []"}},
		"a dependant is written before its need is ready": {func(l *log) {
			l.write(0, "db", 1)
			l.write(1, "api", 1)
			l.status(2, "db", 1, 1)
			l.status(2, "api", 1, 1)
		}, []string{"overhead 1s of 3s", "late [-1s]", "violations [api]"}},
		"a status of the generation before opens no gate": {func(l *log) {
			l.write(0, "db", 2)
			l.status(1, "db", 1, 1)
			l.write(1.5, "api", 2)
			l.status(2, "db", 2, 1)
			l.status(2, "api", 2, 1)
		}, []string{"overhead 1.5s of 2.5s", "late [-500ms]", "violations [api]"}},
		"a write that changes nothing is none": {func(l *log) {
			l.line(0, "patch", "engine", "deployments", "", "db", `{"kind":"Deployment","metadata":{"name":"db","namespace":"shop","generation":3},"status":{"observedGeneration":3,"replicas":1,"updatedReplicas":1,"availableReplicas":1}}`)
			l.write(1, "api", 2)
			l.status(2, "api", 2, 1)
		}, []string{"overhead 3s of 1s", "late []", "violations []"}},
		"a need that was not written does not hold": {func(l *log) {
			l.write(1, "api", 2)
			l.status(2, "api", 2, 1)
		}, []string{"overhead 3s of 1s", "late []", "violations []"}},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := &log{}
			tc.log(l)
			all, err := measure.ReadFrom(strings.NewReader(l.String()+`{"half a line`), 0)
			if err != nil {
				t.Fatal(err)
			}
			run := measure.Of(all, measure.Window{From: began, To: began.Add(4 * time.Second), Engine: "engine", Namespace: "shop"})
			over, limit := run.Overhead(shop)
			got := []string{fmt.Sprintf("overhead %v of %v", over, limit), fmt.Sprintf("late %v", run.Lateness(shop)), fmt.Sprintf("violations %v", run.Violations(shop))}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("run (-want +got):\n%s", diff)
			}
		})
	}
}

func TestADryRunWritesNothing(t *testing.T) {
	t.Parallel()
	l := &log{}
	l.write(0, "db", 1)
	text := strings.Replace(l.String(), `{"verb":"patch",`, `{"verb":"patch","requestURI":"/apis/apps/v1/namespaces/shop/deployments/db?dryRun=All&fieldManager=x",`, 1)
	all, err := measure.ReadFrom(strings.NewReader(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	run := measure.Of(all, measure.Window{From: began, To: began.Add(time.Minute), Engine: "engine", Namespace: "shop"})
	if run.Total() != 1 || run.Writes() != 0 || len(run.Written) != 0 {
		t.Errorf("%d requests, %d writes, written %v; want a request that writes nothing", run.Total(), run.Writes(), run.Written)
	}
}

func TestAWorkloadThatIsChangedTwiceIsCounted(t *testing.T) {
	t.Parallel()
	l := &log{}
	l.write(0, "db", 1)
	l.write(1, "db", 1) // says the same again
	l.write(2, "db", 2)
	all, err := measure.ReadFrom(strings.NewReader(l.String()), 0)
	if err != nil {
		t.Fatal(err)
	}
	run := measure.Of(all, measure.Window{From: began, To: began.Add(time.Minute), Engine: "engine", Namespace: "shop"})
	if run.Again != 1 || !run.Written["db"].Equal(began) {
		t.Errorf("changed %d times more, first at %v; want once more, and at %v", run.Again, run.Written["db"], began)
	}
}

func TestARefusalIsNoWorkload(t *testing.T) {
	t.Parallel()
	text := `{"verb":"patch","user":{"username":"engine"},"objectRef":{"apiGroup":"apps","resource":"deployments","namespace":"shop","name":"db"},"responseStatus":{"code":422},` +
		`"responseObject":{"kind":"Status","status":"Failure","details":{"kind":"Deployment","name":"db"}},"requestReceivedTimestamp":"2026-11-26T12:00:00Z","stageTimestamp":"2026-11-26T12:00:01Z"}` + "\n"
	all, err := measure.ReadFrom(strings.NewReader(text), 0)
	if err != nil {
		t.Fatal(err)
	}
	window := measure.Window{From: began, To: began.Add(time.Minute), Engine: "engine", Namespace: "shop"}
	if run := measure.Of(all, window); len(run.Written) != 0 || run.Total() != 1 {
		t.Errorf("%d requests, written %v", run.Total(), run.Written)
	}
	at, found := measure.First(all, window, func(r measure.Request) bool { return r.Code == 422 })
	if want := began.Add(time.Second); !found || !at.Equal(want) {
		t.Errorf("First() = %v, %t, want %v", at, found, want)
	}
}

func TestRequestsAreThoseOfTheEngine(t *testing.T) {
	t.Parallel()
	l := &log{}
	l.write(0, "db", 1)
	l.status(1, "db", 1, 1)
	l.line(1, "watch", "engine", "pods", "", "", "null")
	l.line(1, "update", "engine", "leases", "", "leader", "null")
	l.line(1, "get", "engine", "pods", "", "x", "null")
	l.write(9, "late", 1)
	all, err := measure.ReadFrom(strings.NewReader(l.String()), 0)
	if err != nil {
		t.Fatal(err)
	}
	run := measure.Of(all, measure.Window{From: began, To: began.Add(5 * time.Second), Engine: "engine", Namespace: "shop"})
	if diff := cmp.Diff(map[string]int{"patch": 1, "get": 1}, run.Requests); diff != "" || run.Writes() != 1 {
		t.Errorf("%d writes, requests (-want +got):\n%s", run.Writes(), diff)
	}
}

// The log's length is looked at while lines are written; one of which half was there then
// belongs to what was before.
func TestALogIsReadFromTheFirstLineThatBegins(t *testing.T) {
	t.Parallel()
	l := &log{}
	l.write(0, "db", 1)
	first := l.Len()
	l.write(1, "api", 1)
	for position, want := range map[int]int{0: 2, 1: 1, first / 2: 1, first - 1: 1, first: 1, first + 1: 0, l.Len(): 0} {
		all, err := measure.ReadFrom(strings.NewReader(l.String()), int64(position))
		if err != nil || len(all) != want {
			t.Errorf("from byte %d of %d there are %d lines, %v; want %d", position, l.Len(), len(all), err, want)
		}
	}
}
