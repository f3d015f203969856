//go:build e2e

package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// TestTheDoorStandsBehindAnEventListener sends events to an EventListener of Tekton Triggers
// that was installed as the page says: the door judges them and makes the runs, once each,
// and the EventListener makes nothing.
func TestTheDoorStandsBehindAnEventListener(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	d := l.openDoor("github", cancelling, "", "        runAfter: [cancel]\n", "")
	before := d.behindAnEventListener()
	before.sends("ping", object{"zen": "Anything added dilutes everything else."}, http.StatusAccepted, "spock")

	p := pull{number: 12, branch: "x", commit: commit, association: "MEMBER", clone: "https://git.example.com/x.git"}
	closed, err := json.Marshal(p.event("closed"))
	l.must(err)
	forged := before.headers("pull_request", []byte("{}"))
	stranger := p
	stranger.association = "NONE"
	before.posts(closed, forged)
	before.posts(closed, map[string]string{"X-GitHub-Event": "pull_request"})
	before.sends("pull_request", stranger.event("opened"), http.StatusAccepted, "spock")
	for range 3 {
		before.posts(closed, before.headers("pull_request", closed))
	}
	d.told(map[string]int{"made": 1, "duplicate": 2, "signature": 1, "unsigned": 1, "forbidden": 1})

	code, text := d.post(l.ctx, closed, d.headers("pull_request", closed))
	if code != http.StatusAccepted || !strings.HasSuffix(text, "is there already") {
		t.Errorf("the door itself answers %d: %s", code, text)
	}
	d.runsAre(1)
	d.allEndWell(1)
}

// behindAnEventListener puts an EventListener before the door, as the page says, and returns
// it as one more way in.
func (d *door) behindAnEventListener() *door {
	d.Helper()
	const shipped = "triggers/eventlistener/eventlistener.yaml"
	raw, err := os.ReadFile(filepath.Join(root, shipped))
	d.must(err)
	own := filepath.Join(d.TempDir(), "eventlistener.yaml")
	d.must(os.WriteFile(own, []byte(strings.ReplaceAll(string(raw), "team-a", d.name)), 0o600))
	d.followPage("## Behind an EventListener", strings.NewReplacer("team-a", d.name, shipped, own))
	d.Cleanup(func() {
		ctx := context.WithoutCancel(d.ctx)
		if err := d.kube.RbacV1().ClusterRoleBindings().Delete(ctx, "spock-eventlistener-"+d.name, metav1.DeleteOptions{}); err != nil {
			d.Error(err)
		}
	})
	_, err = d.tool("", "kubectl", "wait", "-n", d.name, "--for=condition=Ready", "eventlistener/spock", "--timeout=120s")
	d.must(err)
	before := *d
	before.host = "el-" + d.host
	d.expose("el-spock", before.host, "http-listener")
	d.eventually(2*soon, func(ctx context.Context) string {
		if code, text := before.post(ctx, []byte("{}"), nil); code != http.StatusAccepted {
			return fmt.Sprintf("the EventListener answers %d: %s", code, text)
		}
		return ""
	})
	return &before
}

// posts sends a body, which an EventListener accepts whatever it is.
func (d *door) posts(body []byte, header map[string]string) {
	d.Helper()
	if code, text := d.post(d.ctx, body, header); code != http.StatusAccepted {
		d.Fatalf("the EventListener answers %d: %s", code, text)
	}
}

// told waits until all doors together have logged as many deliveries of each outcome, or more.
func (d *door) told(want map[string]int) {
	d.Helper()
	d.eventually(2*soon, func(ctx context.Context) string {
		said, err := d.tool("", "kubectl", "logs", "-n", d.name, "-l", "app.kubernetes.io/name=spock-events-"+d.source, "--tail=-1")
		if err != nil {
			return err.Error()
		}
		for outcome, n := range want {
			if got := strings.Count(said, `"outcome":"`+outcome+`"`); got < n {
				return fmt.Sprintf("%d deliveries are told as %s, want %d:\n%s", got, outcome, n, said)
			}
		}
		return ""
	})
}
