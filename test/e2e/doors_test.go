//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

var commit = strings.Repeat("0a", 20)

// The page is followed and its config left as it is: what is asked for is made, with the
// values that the page tells, and what is not is answered with the reason.
func TestTheDoorMakesTheRunsThatEventsAskFor(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.openDoor("github")
	p := pull{number: 7, branch: "feature/SHOP-42-greet", commit: commit, association: "MEMBER", clone: "https://git.example.com/team-a/shop.git"}
	d.sends("ping", object{"zen": "Design for failure.", "hook_id": 1}, http.StatusOK, "webhook works")

	for name, tt := range map[string]struct {
		kind     string
		event    object
		action   string
		revision string
		env      string
	}{
		"an opened pull request":         {"pull_request", p.event("opened"), "up", commit, "shop-7"},
		"one that was pushed to":         {"pull_request", p.event("synchronize"), "up", commit, "shop-7"},
		"a closed one":                   {"pull_request", p.event("closed"), "down", "", "shop-7"},
		"a push to main":                 {"push", pushed("refs/heads/main", commit, p.clone), "integrate", commit, "shop-integration"},
		"/test by a member":              {"issue_comment", p.comment("bob", "MEMBER", "/test"), "test", "refs/pull/7/head", "shop-7"},
		"/retest of a commit":            {"issue_comment", p.comment("bob", "OWNER", "/retest "+commit), "test", commit, "shop-7"},
		"/deploy by a collaborator":      {"issue_comment", p.comment("eve", "COLLABORATOR", "/deploy shop-demo"), "deploy", "refs/pull/7/head", "shop-demo"},
		"/teardown, with thanks beneath": {"issue_comment", p.comment("bob", "MEMBER", "/teardown\r\n\r\nthanks"), "down", "", "shop-7"},
	} {
		t.Run(name, func(t *testing.T) {
			run := d.asks(tt.kind, tt.event)
			params, labels := given(run), run.Labels
			if got := []string{labels["spock.dev/event-action"], params["revision"], params["environment"]}; !cmp.Equal(got, []string{tt.action, tt.revision, tt.env}) {
				t.Errorf("action, revision and environment are %q, want %q", got, []string{tt.action, tt.revision, tt.env})
			}
			if tt.action != "integrate" && labels["spock.dev/event-number"] != "7" {
				t.Errorf("labels %v", labels)
			}
			if want := map[bool]string{true: "", false: p.clone}[tt.action == "down"]; params["url"] != want {
				t.Errorf("the address is %q, want %q", params["url"], want)
			}
		})
	}
	d.runsAre(8)

	stranger := p
	stranger.association = "CONTRIBUTOR"
	d.sends("pull_request", stranger.event("opened"), http.StatusForbidden, "one who may can comment /test")
	d.sends("issue_comment", p.comment("mallory", "NONE", "/deploy shop-demo"), http.StatusForbidden, "mallory (NONE) may not ask for runs")
	d.sends("issue_comment", p.comment("mallory", "CONTRIBUTOR", "/teardown"), http.StatusForbidden, "may not ask for runs")
	d.sends("issue_comment", p.comment("bob", "MEMBER", "/deploy production"), http.StatusForbidden, "not among the environments")
	d.sends("issue_comment", p.comment("bob", "MEMBER", "well done"), http.StatusOK, "no command")
	d.sends("push", pushed("refs/heads/wip", commit, p.clone), http.StatusOK, "not integrated")
	d.runsAre(8)
}

// A delivery that comes twice, at once, later, with another number, or to another door, makes one run.
func TestWhatIsDeliveredTwiceRunsOnce(t *testing.T) {
	t.Parallel()
	d := newLab(t).openDoor("github")
	body, err := json.Marshal(pull{number: 9, branch: "x", commit: commit, association: "NONE", clone: "https://git.example.com/x.git"}.event("closed"))
	d.must(err)
	var group sync.WaitGroup
	texts := make([]string, 20)
	for i := range texts {
		group.Go(func() {
			code, text := d.post(d.ctx, body, d.headers("pull_request", body))
			texts[i] = fmt.Sprint(code, " ", text)
		})
	}
	group.Wait()
	first := 0
	for _, text := range texts {
		switch {
		case strings.HasPrefix(text, "202 ") && strings.HasSuffix(text, " is made"):
			first++
		case !strings.HasPrefix(text, "202 ") || !strings.HasSuffix(text, " is there already"):
			t.Errorf("answer %q", text)
		}
	}
	if first != 1 {
		t.Errorf("%d are told to be the first", first)
	}
	d.runsAre(1)
	for _, pod := range d.pods() {
		d.dismiss(&pod, ptr.To[int64](0))
	}
	d.eventually(2*soon, func(ctx context.Context) string {
		if code, text := d.post(ctx, body, d.headers("pull_request", body)); code != http.StatusAccepted || !strings.HasSuffix(text, "is there already") {
			return fmt.Sprintf("a replay is answered %d: %s", code, text)
		}
		return ""
	})
	d.runsAre(1)
}

// cancelling is the first task of the template down.yaml.
const cancelling = `      - name: cancel
        taskRef:
          name: cancel-runs
        params:
          - name: selector
            value: spock.dev/event-number=$(params.number)
          - name: run
            value: $(context.pipelineRun.name)
`

// 200 deliveries come within ten seconds, and both doors are killed amid them. What was told 202
// has run; what was not is sent again, as a person presses Redeliver; all have run, each once.
func TestNothingIsLostWhenDoorsAreKilled(t *testing.T) {
	t.Parallel()
	const deliveries = 200
	l := newLab(t)
	// 200 pods that look for runs to cancel would say more of the node than of the doors.
	d := l.openDoor("github", cancelling, "", "        runAfter: [cancel]\n", "")
	bodies := make([][]byte, deliveries)
	for i := range bodies {
		p := pull{number: i + 1, branch: "x", commit: fmt.Sprintf("%040x", i), association: "MEMBER", clone: "https://git.example.com/x.git"}
		body, err := json.Marshal(p.event("closed"))
		l.must(err)
		bodies[i] = body
	}
	began := time.Now()
	killed := make(chan struct{})
	told := d.flood(bodies, deliveries/2, func() {
		defer close(killed)
		for _, pod := range d.pods() {
			l.kill(&pod, "event-door")
		}
	})
	<-killed
	took := time.Since(began)
	if took > 10*time.Second {
		t.Errorf("200 deliveries took %s, want ten seconds at most", took)
	}
	missing := d.kept(told)
	if len(missing) > 0 {
		t.Errorf("told 202 and not there: %v", missing)
	}
	t.Logf("%d deliveries in %s, %d told 202 before they are sent again", deliveries, took.Round(time.Millisecond), len(told))
	l.eventually(2*soon, func(ctx context.Context) string {
		for i, body := range bodies {
			if told[i] {
				continue
			}
			if code, text := d.post(ctx, body, d.headers("pull_request", body)); code != http.StatusAccepted {
				return fmt.Sprintf("delivery %d sent again: %d %s", i, code, text)
			}
			told[i] = true
		}
		return ""
	})
	d.runsAre(deliveries)
	d.allEndWell(deliveries)
}

// flood sends all bodies, 20 at once, and returns which were told 202. halfway is called once.
func (d *door) flood(bodies [][]byte, half int, halfway func()) map[int]bool {
	var mu sync.Mutex
	var group sync.WaitGroup
	told, slots := map[int]bool{}, make(chan struct{}, 20)
	for i, body := range bodies {
		slots <- struct{}{}
		if i == half {
			go halfway()
		}
		group.Go(func() {
			defer func() { <-slots }()
			if code, _ := d.post(d.ctx, body, d.headers("pull_request", body)); code == http.StatusAccepted {
				mu.Lock()
				defer mu.Unlock()
				told[i] = true
			}
		})
	}
	group.Wait()
	return told
}

// kept returns what of that which was told has no run.
func (d *door) kept(told map[int]bool) (missing []int) {
	d.Helper()
	list, err := d.tekton.TektonV1().PipelineRuns(d.name).List(d.ctx, metav1.ListOptions{})
	d.must(err)
	there := map[string]int{}
	for _, run := range list.Items {
		there[run.Labels["spock.dev/event-number"]]++
	}
	for i := range told {
		if there[fmt.Sprint(i+1)] != 1 {
			missing = append(missing, i)
		}
	}
	return missing
}

// allEndWell waits for the runs, which take down environments that were never there.
func (d *door) allEndWell(want int) {
	d.Helper()
	d.eventually(5*time.Minute, func(ctx context.Context) string {
		list, err := d.tekton.TektonV1().PipelineRuns(d.name).List(ctx, metav1.ListOptions{})
		if err != nil {
			return err.Error()
		}
		well := 0
		for _, run := range list.Items {
			if done := run.Status.GetCondition("Succeeded"); done.IsTrue() {
				well++
			} else if done.IsFalse() {
				d.Fatalf("%s: %s: %s", run.Name, done.Reason, done.Message)
			}
		}
		if well < want {
			return fmt.Sprintf("%d of %d runs have ended well", well, want)
		}
		return ""
	})
}

// An issue that moves to In Test gets an environment with its version, and loses it when it is done.
func TestAnIssueHasAnEnvironmentWhileItIsInTest(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	web := l.service("web", "page")
	web.Expose = &v1alpha1.Expose{Port: "http"}
	l.create(page(), product("shop", group("frontend", web)))
	d := l.openDoor("jira", "registry.example.com/shop/web", l.image("busybox"), "value: dev", "value: "+l.name)

	first := moved("SHOP-42", "In Test", "1")
	run := l.endsWell(d.asks("", first), 3*soon)
	env := l.reaches("test-shop-42", v1alpha1.PhaseReady, 1)
	if got := env.Status.Service("web").Image; !strings.HasPrefix(got, l.image("busybox")) {
		t.Errorf("the image is %q", got)
	}
	if run.Labels["spock.dev/event-issue"] != "SHOP-42" || run.Labels["spock.dev/event-source"] != "jira" {
		t.Errorf("labels %v", run.Labels)
	}
	l.eventually(20*time.Second, func(ctx context.Context) string {
		return ask(ctx, d.client, env.Status.URL, "web says hello\n")
	})
	d.sends("", first, http.StatusAccepted, "is there already")
	d.sends("", moved("SHOP-42", "In Review", "1"), http.StatusOK, "asks for nothing")
	d.sends("", moved("SHOP-42", "In Test", "1;reboot"), http.StatusBadRequest, "fixVersion is")
	d.secondary(moved("SHOP-42", "In Test", "1"))
	d.runsAre(1)

	l.endsWell(d.asks("", moved("SHOP-42", "Done", "1")), 3*soon)
	l.gone(l.environmentRef("test-shop-42"), 2*soon)
	l.gone(ref{namespaces, "", l.home("test-shop-42")}, 2*soon)
	d.runsAre(2)
}

// secondary is the flow that tells late what was told.
func (d *door) secondary(event object) {
	d.Helper()
	body, err := json.Marshal(event)
	d.must(err)
	header := d.headers("", body)
	header["X-Atlassian-Webhook-Flow"] = "Secondary"
	if code, text := d.post(d.ctx, body, header); code != http.StatusOK || !strings.Contains(text, "secondary") {
		d.Errorf("a secondary flow is answered %d: %s", code, text)
	}
}
