//go:build e2e

package e2e

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"testing"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func TestAnExposedServiceAnswersAtItsURL(t *testing.T) {
	t.Parallel()
	needsNode(t, "nothing answers at a URL")
	l := newLab(t)
	port := l.setting(t, "INGRESS_PORT")
	web := l.service("web", "page")
	web.Expose = &v1alpha1.Expose{Port: "http"}
	l.create(page(), l.shop(l.service("db", "page"), l.service("orders", "page"), web), l.environment("shop", "shop"))
	env := l.reaches("shop", v1alpha1.PhaseReady, 1)
	ready := time.Now()
	if want := fmt.Sprintf("http://web.shop.%s.localhost:%s", l.name, port); env.Status.URL != want || env.Status.Service("web").URL != want {
		t.Fatalf("the URLs are %q and %q, want %q", env.Status.URL, env.Status.Service("web").URL, want)
	}
	client := l.throughIngress()
	l.eventually(15*time.Second, func(ctx context.Context) string { return ask(ctx, client, env.Status.URL, "web says hello\n") })
	t.Logf("reachable %s after it was ready", time.Since(ready).Round(time.Millisecond))
}

// ask says what is wrong with the answer at a URL.
func ask(ctx context.Context, client *http.Client, url, want string) string {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return err.Error()
	}
	answer, err := client.Do(r)
	if err != nil {
		return err.Error()
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err != nil || answer.StatusCode != http.StatusOK || string(body) != want {
		return fmt.Sprintf("%s answers %s, %q, %v, want %q", url, answer.Status, body, err, want)
	}
	return ""
}
