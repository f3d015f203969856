//go:build e2e

package e2e

import (
	"context"
	"crypto/hmac"
	"crypto/sha1"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
)

// refusal is a delivery that makes no run.
type refusal struct {
	body    []byte
	kind    string
	change  map[string]string // of the headers; "" takes one away
	code    int
	outcome string
	says    string
}

func written(event object) []byte {
	body, err := json.Marshal(event)
	if err != nil {
		panic(err) // constants of the tests
	}
	return body
}

func refusals(secret []byte) map[string]refusal {
	p := pull{number: 7, branch: "x", commit: commit, association: "MEMBER", clone: "https://git.example.com/team-a/shop.git"}
	on := func(branch string) []byte { q := p; q.branch = branch; return written(q.event("opened")) }
	at := func(sha string) []byte { q := p; q.commit = sha; return written(q.event("opened")) }
	from := func(clone string) []byte { q := p; q.clone = clone; return written(q.event("opened")) }
	good := written(p.event("opened"))
	foreign, old := p.event("opened"), p.event("opened")
	foreign["repository"].(object)["full_name"] = "mallory/shop"
	old["pull_request"].(object)["updated_at"] = time.Now().Add(-100 * time.Hour).UTC().Format(time.RFC3339)
	weak := hmac.New(sha1.New, secret)
	weak.Write(good)
	return map[string]refusal{
		"no signature":                  {good, "pull_request", map[string]string{"X-Hub-Signature-256": ""}, 401, "unsigned", "there is no header X-Hub-Signature-256"},
		"a signature of another secret": {good, "pull_request", map[string]string{"X-Hub-Signature-256": "sha256=" + strings.Repeat("00", 32)}, 401, "signature", "does not fit the body"},
		"a weak signature":              {good, "pull_request", map[string]string{"X-Hub-Signature-256": "sha1=" + hex.EncodeToString(weak.Sum(nil))}, 401, "signature", "no sha256 signature"},
		"more than two MiB":             {append([]byte(`"`), make([]byte, 2<<20)...), "push", nil, 413, "oversized", "more than 2097152 bytes"},
		"no JSON":                       {[]byte("payload=%7B%7D"), "push", nil, 400, "not-json", "the body is no JSON"},
		"a form":                        {[]byte("payload=%7B%7D"), "push", map[string]string{"Content-Type": "application/x-www-form-urlencoded"}, 415, "not-json", "application/json"},
		"half a body":                   {good[:len(good)/2], "push", nil, 400, "not-json", "the body is no JSON"},
		"an event nobody knows":         {good, "workflow_run", nil, 400, "unknown-event", `"workflow_run"`},
		"a push that is none":           {[]byte(`{"repository":{"full_name":"team-a/shop"}}`), "push", nil, 400, "malformed", "the body is no push"},
		"another repository":            {written(foreign), "pull_request", nil, 403, "forbidden", `"mallory/shop" is not among`},
		"what is too old":               {written(old), "pull_request", nil, 400, "stale", "old, more than 72h"},
		"a branch that runs something":  {on("x$(reboot)"), "pull_request", nil, 400, "malformed", "branch is"},
		"a branch with a semicolon":     {on("x;reboot"), "pull_request", nil, 400, "malformed", "branch is"},
		"a branch with a backtick":      {on("x`reboot`"), "pull_request", nil, 400, "malformed", "branch is"},
		"a branch with a newline":       {on("x\nreboot"), "pull_request", nil, 400, "malformed", "branch is"},
		"a branch with a reference":     {on("$(params.token)"), "pull_request", nil, 400, "malformed", "branch is"},
		"a branch like an option":       {on("--upload-pack=reboot"), "pull_request", nil, 400, "malformed", "branch is"},
		"a branch that climbs":          {on("../../etc/passwd"), "pull_request", nil, 400, "malformed", "branch is"},
		"a commit that is none":         {at("HEAD --exec=reboot"), "pull_request", nil, 400, "malformed", "no pull request with a number and a commit"},
		"an address that runs":          {from("ext::sh -c reboot"), "pull_request", nil, 400, "malformed", "cloneUrl is"},
		"an address that climbs":        {from("file:///srv/../etc"), "pull_request", nil, 400, "malformed", "cloneUrl is"},
		"a push to a ref that climbs":   {written(pushed("refs/heads/../../main", commit, p.clone)), "push", nil, 200, "ignored", "is not integrated"},
		"a comment with a shell":        {written(p.comment("bob", "MEMBER", "/deploy shop-x;reboot")), "issue_comment", nil, 403, "forbidden", "not among the environments"},
		"a comment with too much":       {written(p.comment("bob", "MEMBER", "/test main && reboot")), "issue_comment", nil, 400, "malformed", "is too much"},
	}
}

// Everything that is not right is answered with the reason, which the log and a metric tell as
// well, and makes no run.
func TestWhatIsNotRightMakesNoRun(t *testing.T) {
	t.Parallel()
	d := newLab(t).openDoor("github")
	before, numbers, counted := d.counts(), map[string]refusal{}, map[string]int{}
	for name, r := range refusals(d.secret) {
		header := d.headers(r.kind, r.body)
		for key, value := range r.change {
			header[key] = value
			if value == "" {
				delete(header, key)
			}
		}
		code, text := d.post(d.ctx, r.body, header)
		if code != r.code || !strings.Contains(text, r.says) {
			t.Errorf("%s is answered %d: %s; want %d with %q", name, code, text, r.code, r.says)
		}
		numbers[header["X-GitHub-Delivery"]] = r
		counted[r.outcome]++
	}
	if code, _ := d.get(); code != http.StatusMethodNotAllowed {
		t.Errorf("a GET is answered %d", code)
	}
	d.runsAre(0)
	after := d.counts()
	for outcome, n := range counted {
		if got := after[outcome] - before[outcome]; got != n {
			t.Errorf("the metric counts %d %s, want %d", got, outcome, n)
		}
	}
	d.logTells(numbers)
}

func (d *door) get() (int, string) {
	r, err := http.NewRequestWithContext(d.ctx, http.MethodGet, "http://"+d.host+"/", nil)
	d.must(err)
	answer, err := d.client.Do(r)
	d.must(err)
	defer answer.Body.Close()
	return answer.StatusCode, answer.Status
}

// counts are the deliveries that both doors have taken, by outcome.
func (d *door) counts() map[string]int {
	d.Helper()
	all := map[string]int{}
	for _, pod := range d.pods() {
		text, err := d.kube.CoreV1().Pods(d.name).ProxyGet("http", pod.Name, "9090", "/metrics", nil).DoRaw(d.ctx)
		d.must(err)
		for _, line := range strings.Split(string(text), "\n") {
			_, rest, found := strings.Cut(line, `spock_events_total{source="`+d.source+`",outcome="`)
			outcome, number, ok := strings.Cut(rest, `"} `)
			if !found || !ok {
				continue
			}
			n, err := strconv.Atoi(number)
			d.must(err)
			all[outcome] += n
		}
	}
	return all
}

// logTells wants one line of the log for each delivery, with its outcome and why.
func (d *door) logTells(numbers map[string]refusal) {
	d.Helper()
	d.eventually(soon, func(ctx context.Context) string {
		lines := map[string]string{}
		for _, pod := range d.pods() {
			log, err := d.kube.CoreV1().Pods(d.name).GetLogs(pod.Name, &corev1.PodLogOptions{}).DoRaw(ctx)
			if err != nil {
				return err.Error()
			}
			for _, line := range strings.Split(string(log), "\n") {
				var said struct{ Msg, Outcome, Delivery string }
				if json.Unmarshal([]byte(line), &said) == nil && said.Delivery != "" {
					lines[said.Delivery] += said.Outcome + ": " + said.Msg
				}
			}
			if strings.Contains(string(log), string(d.secret)) {
				d.Fatalf("the log of %s holds the secret", pod.Name)
			}
		}
		for number, r := range numbers {
			if got := lines[number]; !strings.HasPrefix(got, r.outcome+": ") || !strings.Contains(got, r.says) || strings.Count(got, r.says) != 1 {
				return fmt.Sprintf("of delivery %s the log says %q, want %s: ...%s...", number, got, r.outcome, r.says)
			}
		}
		return ""
	})
}
