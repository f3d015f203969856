package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/grpc/codes"
)

// handOn sends a delivery as an EventListener does.
func (l *lab) handOn(event any) verdict {
	l.Helper()
	raw, err := json.Marshal(event)
	if err != nil {
		l.Fatal(err)
	}
	w := httptest.NewRecorder()
	l.door.Intercept(w, httptest.NewRequest(http.MethodPost, "/interceptor", strings.NewReader(string(raw))))
	var got verdict
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil || w.Code != http.StatusOK {
		l.Fatalf("code %d, %v: %s", w.Code, err, w.Body)
	}
	return got
}

// TestWhatAnEventListenerHandsOn is judged as what comes itself is, and the EventListener
// never goes on.
func TestWhatAnEventListenerHandsOn(t *testing.T) {
	t.Parallel()
	const run = "run event-integrate-"
	for name, tt := range map[string]struct {
		body    string
		change  func(*http.Request)
		code    codes.Code
		says    string
		outcome string
		runs    int
	}{
		"a push":          {body(1), nil, codes.OK, run, "made", 1},
		"an unsigned one": {body(1), func(r *http.Request) { r.Header.Del("X-Hub-Signature-256") }, codes.Unauthenticated, "give the webhook a secret", "unsigned", 0},
		"one of others":   {strings.ReplaceAll(body(1), "team-a", "team-b"), nil, codes.PermissionDenied, "team-b/shop", "forbidden", 0},
		"no JSON":         {"{", nil, codes.InvalidArgument, "no JSON", "not-json", 0},
		"a form":          {"payload=x", func(r *http.Request) { r.Header.Set("Content-Type", "application/x-www-form-urlencoded") }, codes.InvalidArgument, "application/json", "not-json", 0},
		"too much":        {strings.Repeat(" ", mostBody+1), nil, codes.InvalidArgument, "more than 2097152 bytes", "oversized", 0},
		"one with blanks": {strings.ReplaceAll(body(1), ":", " :\t"), nil, codes.OK, run, "made", 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			l := newLab(t)
			sent := post(tt.body, tt.change)
			got := l.handOn(map[string]any{"body": tt.body, "header": sent.Header, "context": map[string]any{"event_id": "x"}, "interceptor_params": nil})
			if got.Continue || got.Status.Code != tt.code || !strings.Contains(got.Status.Message, tt.says) {
				t.Errorf("%+v, want %s with %q", got, tt.code, tt.says)
			}
			if l.runs() != tt.runs || l.door.counts.taken[series{"github", tt.outcome}] != 1 {
				t.Errorf("%d runs, counted %v", l.runs(), l.door.counts.taken)
			}
		})
	}
}

func TestWhatIsHandedOnTwiceRunsOnce(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	var said []string
	for i := range 2 {
		sent := post(body(1), func(r *http.Request) { r.Header.Set("X-GitHub-Delivery", fmt.Sprint(i)) })
		said = append(said, l.handOn(handedOn{Body: body(1), Header: sent.Header}).Status.Message)
	}
	if l.send(post(body(1), nil)) != http.StatusAccepted || l.runs() != 1 {
		t.Errorf("%d runs", l.runs())
	}
	name := strings.Fields(said[0])[1]
	if diff := cmp.Diff([]string{"run " + name + " is made", "run " + name + " is there already"}, said); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestWhatNoEventListenerSends(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	if got := l.handOn("hello"); got.Status.Code != codes.InvalidArgument || l.door.counts.taken[series{"github", "broken"}] != 1 {
		t.Errorf("%+v, counted %v", got, l.door.counts.taken)
	}
}
