//go:build integration

package integration

import (
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"
)

const (
	// openingTime is how long the public address may take to lead to the shop.
	openingTime = 30 * time.Second
	// pollEvery is the time between two looks at something that takes a while.
	pollEvery = 250 * time.Millisecond
)

// customer talks to the shop.
type customer struct {
	t    *testing.T
	http *http.Client
	url  string
}

// open waits until the shop serves at its public URL.
func open(t *testing.T) *customer {
	t.Helper()
	url := strings.TrimSuffix(os.Getenv("SPOCK_URL"), "/")
	if url == "" {
		t.Fatal("SPOCK_URL is not set; set it to the public URL of the shop")
	}
	c := &customer{t: t, url: url, http: &http.Client{Timeout: 10 * time.Second, Transport: transport(os.Getenv("SPOCK_INGRESS"))}}
	var last string
	c.until(openingTime, func() bool {
		status, body, err := c.send(http.MethodGet, "/healthz", "")
		last = body
		if err != nil {
			last = err.Error()
		}
		return err == nil && status == http.StatusOK
	}, func() string { return "the shop does not open: " + last })
	return c
}

// transport connects to ingress, if there is one, whatever host is asked for.
func transport(ingress string) http.RoundTripper {
	tr := http.DefaultTransport.(*http.Transport).Clone()
	if ingress != "" {
		var d net.Dialer
		tr.Proxy = nil
		tr.DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return d.DialContext(ctx, network, ingress)
		}
	}
	return tr
}

// on is the same customer in another test.
func (c *customer) on(t *testing.T) *customer { return &customer{t: t, http: c.http, url: c.url} }

// send makes one request.
func (c *customer) send(method, path, body string) (int, string, error) {
	req, err := http.NewRequestWithContext(c.t.Context(), method, c.url+path, strings.NewReader(body))
	if err != nil {
		return 0, "", err
	}
	res, err := c.http.Do(req)
	if err != nil {
		return 0, "", err
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	return res.StatusCode, string(answer), err
}

// want makes one request, wants a status and reads the answer into v.
func (c *customer) want(status int, v any, method, path, body string) {
	c.t.Helper()
	got, answer, err := c.send(method, path, body)
	if err != nil {
		c.t.Fatalf("%s: %s %s: %v", name(), method, path, err)
	}
	if got != status {
		c.t.Fatalf("%s: %s %s %s answered %d, want %d:\n%s", name(), method, path, body, got, status, answer)
	}
	if err := json.Unmarshal([]byte(answer), v); err != nil {
		c.t.Fatalf("%s: %s %s answered what is no JSON: %v\n%s", name(), method, path, err, answer)
	}
}

// page returns a page for people.
func (c *customer) page(path string) string {
	c.t.Helper()
	status, answer, err := c.send(http.MethodGet, path, "")
	if err != nil || status != http.StatusOK {
		c.t.Fatalf("%s: GET %s answered %d (%v), want 200:\n%s", name(), path, status, err, answer)
	}
	return answer
}

// until looks again and again, and fails the test when done stays false for too long.
func (c *customer) until(limit time.Duration, done func() bool, why func() string) {
	c.t.Helper()
	ctx, cancel := context.WithTimeout(c.t.Context(), limit)
	defer cancel()
	tick := time.NewTicker(pollEvery)
	defer tick.Stop()
	for !done() {
		select {
		case <-ctx.Done():
			c.t.Fatalf("%s: after %s, %s", name(), limit, why())
		case <-tick.C:
		}
	}
}

// name of the environment, for the messages.
func name() string {
	if env := os.Getenv("SPOCK_ENVIRONMENT"); env != "" {
		return "environment " + env
	}
	return "the shop at " + os.Getenv("SPOCK_URL")
}
