package server

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"
)

const secret = "a secret of enough length"

var now = time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)

type lab struct {
	*testing.T
	door    *Door
	cluster *fake.FakeDynamicClient
	log     *bytes.Buffer
}

func newLab(t *testing.T) *lab {
	t.Helper()
	directory := t.TempDir()
	for name, text := range map[string]string{
		"config.yaml":    "{source: github, repositories: [team-a/shop]}",
		"integrate.yaml": "{apiVersion: tekton.dev/v1, kind: PipelineRun, spec: {pipelineRef: {name: p}, params: [{name: c, value: $(event.commit)}]}}",
		"secret":         secret + "\n",
	} {
		if err := os.WriteFile(filepath.Join(directory, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	l := &lab{T: t, log: &bytes.Buffer{}, cluster: fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), map[schema.GroupVersionResource]string{runs: "PipelineRunList"})}
	door, err := Open(directory, filepath.Join(directory, "secret"), "team-a", l.cluster, slog.New(slog.NewTextHandler(l.log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	door.now = func() time.Time { return now }
	tries := 0
	door.wait = func(context.Context, time.Duration) error {
		if tries++; tries > 3 {
			return context.DeadlineExceeded
		}
		return nil
	}
	l.door = door
	return l
}

func body(commit int) string {
	return fmt.Sprintf(`{"ref":"refs/heads/main","after":"%040x","repository":{"full_name":"team-a/shop","pushed_at":%d}}`, commit, now.Unix())
}

func post(body string, change func(*http.Request)) *http.Request {
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", "push")
	r.Header.Set("X-GitHub-Delivery", "72d3162e-cc78-11e3-81ab-4c9367dc0958")
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	if change != nil {
		change(r)
	}
	return r
}

func (l *lab) send(r *http.Request) int {
	w := httptest.NewRecorder()
	l.door.ServeHTTP(w, r)
	return w.Code
}

func (l *lab) runs() int {
	l.Helper()
	list, err := l.cluster.Resource(runs).Namespace("team-a").List(l.Context(), metav1.ListOptions{})
	if err != nil {
		l.Fatal(err)
	}
	return len(list.Items)
}

func TestADeliveryMakesARunOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	for range 3 {
		if code := l.send(post(body(1), nil)); code != http.StatusAccepted {
			t.Errorf("code %d", code)
		}
	}
	if n := l.runs(); n != 1 {
		t.Errorf("%d runs", n)
	}
	w := httptest.NewRecorder()
	l.door.Metrics(w, nil)
	for _, line := range []string{`spock_events_total{source="github",outcome="made"} 1`, `spock_events_total{source="github",outcome="duplicate"} 2`} {
		if !strings.Contains(w.Body.String(), line+"\n") {
			t.Errorf("metrics lack %s:\n%s", line, w.Body)
		}
	}
}

func TestWhatIsRefused(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		request *http.Request
		code    int
		outcome string
	}{
		"a visit":            {post(body(1), func(r *http.Request) { r.Method = http.MethodGet }), 405, "method"},
		"a form":             {post("payload=x", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }), 415, "not-json"},
		"too much":           {post(strings.Repeat(" ", mostBody+1), nil), 413, "oversized"},
		"an unsigned one":    {post(body(1), func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }), 401, "unsigned"},
		"a wrongly signed":   {post(body(1), func(r *http.Request) { r.Header.Set("X-Hub-Signature-256", "sha256=00") }), 401, "signature"},
		"no JSON":            {post("{", nil), 400, "not-json"},
		"an unknown event":   {post("{}", func(r *http.Request) { r.Header.Set("X-GitHub-Event", "fork") }), 400, "unknown-event"},
		"another repository": {post(strings.ReplaceAll(body(1), "team-a", "team-b"), nil), 403, "forbidden"},
		"a shell in a ref":   {post(strings.ReplaceAll(body(1), `"after":"0`, `"after":"$(id)`), nil), 400, "malformed"},
		"an old one":         {post(strings.ReplaceAll(body(1), fmt.Sprint(now.Unix()), "1"), nil), 400, "stale"},
		"a ping":             {post("{}", func(r *http.Request) { r.Header.Set("X-GitHub-Event", "ping") }), 200, "ignored"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			if code := l.send(tt.request); code != tt.code || l.runs() != 0 {
				t.Errorf("code %d, want %d; %d runs", code, tt.code, l.runs())
			}
			if said := l.log.String(); !strings.Contains(said, "outcome="+tt.outcome+" ") || strings.Contains(said, secret) {
				t.Errorf("log lacks %s: %s", tt.outcome, said)
			}
			if l.door.counts.taken[series{"github", tt.outcome}] != 1 {
				t.Errorf("counted %v", l.door.counts.taken)
			}
		})
	}
}

// What was answered with 202 is in the cluster; while the cluster cannot keep it, it is not.
func TestAcceptedMeansKept(t *testing.T) {
	t.Parallel()
	busy := apierrors.NewTooManyRequests("busy", 1)
	for name, tt := range map[string]struct {
		err   error
		times int
		code  int
		runs  int
	}{
		"a busy cluster is asked again":                  {busy, 2, 202, 1},
		"one that stays so is told, to be sent again":    {busy, 99, 503, 0},
		"a broken connection as well":                    {errors.New("connection refused"), 99, 503, 0},
		"a missing right is told at once":                {apierrors.NewForbidden(runs.GroupResource(), "x", errors.New("no")), 99, 500, 0},
		"so is a run that the cluster does not take":     {apierrors.NewInvalid(schema.GroupKind{Kind: "PipelineRun"}, "x", nil), 99, 500, 0},
		"and a cluster without Tekton":                   {apierrors.NewNotFound(runs.GroupResource(), ""), 99, 500, 0},
		"a request that got lost after it was kept":      {apierrors.NewAlreadyExists(runs.GroupResource(), "x"), 99, 202, 0},
		"a timeout after which it may have been kept":    {apierrors.NewTimeoutError("slow", 1), 1, 202, 1},
		"a cluster in trouble is asked three more times": {apierrors.NewInternalError(errors.New("etcd")), 3, 202, 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			calls := 0
			l.cluster.PrependReactor("create", "pipelineruns", func(clienttesting.Action) (bool, runtime.Object, error) {
				calls++
				return calls <= tt.times, nil, tt.err
			})
			if code := l.send(post(body(1), nil)); code != tt.code || l.runs() != tt.runs {
				t.Errorf("code %d, want %d; %d runs, want %d", code, tt.code, l.runs(), tt.runs)
			}
		})
	}
}

func TestManyAtOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const deliveries = 200
	codes := make(chan int, 2*deliveries)
	var group sync.WaitGroup
	for i := range 2 * deliveries { // each twice
		group.Go(func() { codes <- l.send(post(body(i%deliveries), nil)) })
	}
	group.Wait()
	close(codes)
	for code := range codes {
		if code != http.StatusAccepted {
			t.Errorf("code %d", code)
		}
	}
	if n := l.runs(); n != deliveries {
		t.Errorf("%d runs of %d deliveries", n, deliveries)
	}
}

func TestTheSecretCanBeChanged(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	if err := os.WriteFile(l.door.secretFile, []byte("another secret, long as well"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := l.send(post(body(1), nil)); code != http.StatusUnauthorized {
		t.Errorf("the old secret: code %d", code)
	}
	if err := os.WriteFile(l.door.secretFile, []byte("short"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := l.send(post(body(1), nil)); code != http.StatusServiceUnavailable {
		t.Errorf("a short secret: code %d", code)
	}
}
