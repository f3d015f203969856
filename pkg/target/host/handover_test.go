//go:build hosts

package host

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"syscall"
	"testing"
	"time"

	"spock.dev/spock/pkg/unit"
)

// caller asks a service over and over, each time over a connection of its own.
type caller struct {
	stop, ended chan struct{}
	answers     map[string]int
	refused     []error
}

func call(url string) *caller {
	c := &caller{stop: make(chan struct{}), ended: make(chan struct{}), answers: map[string]int{}}
	client := &http.Client{Timeout: patience, Transport: &http.Transport{DisableKeepAlives: true}}
	go func() {
		defer close(c.ended)
		for {
			select {
			case <-c.stop:
				return
			case <-time.After(time.Millisecond):
				c.once(client, url)
			}
		}
	}()
	return c
}

func (c *caller) once(client *http.Client, url string) {
	answer, err := client.Get(url)
	if err != nil {
		c.refused = append(c.refused, fmt.Errorf("%s: %w", time.Now().Format("05.000000"), err))
		return
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		c.refused = append(c.refused, err)
	}
	c.answers[string(text)]++
}

func (c *caller) end() {
	close(c.stop)
	<-c.ended
}

func TestAnUpdateWithAHandoverRefusesNobody(t *testing.T) {
	b := boot(t)
	c := dial(t, b.login(t, "root"))
	w := watch(t, c)
	before := ask(t, c, leftovers)
	next := func(content string, handover bool) {
		r := release(t, content)
		bring(t, c, r)
		s := web(r, "web", 80) // a port that only root can open
		s.Revision, s.Record.Annotations["spock.dev/hash"] = content, content
		if handover {
			s.Sockets = []unit.Socket{{Port: 80}}
		}
		put(t, c, s)
		w.until(t, content+" runs", func(m map[string]Told) bool {
			return m["web"].Record.Annotations["spock.dev/hash"] == content && m["web"].Unit.State() == Running && !m["web"].Unit.Edited
		})
	}
	next("alone", false)
	next("first", true) // the port changes hands
	url := "http://" + b.Address + "/read?path=/etc/extra"
	calls := call(url)
	next("second", true)
	calls.end()
	if len(calls.refused) > 0 || calls.answers["first<nil>"] == 0 {
		t.Errorf("an update refuses %v, answers are %v\n%s", calls.refused, calls.answers, ask(t, c, "journalctl --no-pager -o short-precise -n 60"))
	}

	calls = call(url)
	ask(t, c, "kill -9 $(systemctl show --property=MainPID --value spock-web.service)")
	w.until(t, "it was killed", func(m map[string]Told) bool { return m["web"].Unit.Restarts > 0 })
	w.until(t, "it runs again", state("web", Running))
	calls.end()
	for _, err := range calls.refused { // whom the killed process was answering knows; nobody else
		if errors.Is(err, syscall.ECONNREFUSED) || os.IsTimeout(err) {
			t.Errorf("a crash refuses: %v", err)
		}
	}

	ask(t, c, "systemctl stop spock-web.socket 2>&1")
	w.until(t, "its port is closed by hand", func(m map[string]Told) bool { return m["web"].Unit.Edited })
	next("third", true)
	next("alone", false)
	if sockets := ask(t, c, "ls /etc/systemd/system | grep -c 'spock-.*socket$' || true"); sockets != "0" {
		t.Errorf("%s sockets are left", sockets)
	}
	next("third", true)
	if err := errors.Join(c.Remove(t.Context(), 1, "web", "team-a/shop:uid-1"), c.Sweep(t.Context(), 1)); err != nil {
		t.Fatal(err)
	}
	if after := ask(t, c, leftovers); after != before {
		t.Errorf("before:\n%s\nafter:\n%s", before, after)
	}
}
