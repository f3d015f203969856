package cli

import (
	"context"
	"testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	exposed := func(e *v1alpha1.Environment) {
		ready(e)
		e.Status.URL = "http://web.shop.dev.example.com"
		e.Status.Service("web").URL = "http://web.shop.dev.example.com"
		e.Status.Service("orders").URL = "http://orders.shop.dev.example.com"
	}
	for name, c := range map[string]struct {
		env    func(*v1alpha1.Environment)
		args   []string
		opened string
	}{
		"open":         {exposed, nil, "http://web.shop.dev.example.com"},
		"open-service": {exposed, []string{"orders"}, "http://orders.shop.dev.example.com"},
		"open-print":   {exposed, []string{"--print"}, ""},
		"open-unknown": {exposed, []string{"order"}, ""},
		"open-nothing": {func(e *v1alpha1.Environment) { progressing(e); e.Status.URL = "" }, nil, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, environment("shop", c.env))
			opened := ""
			w.browse = func(_ context.Context, url string) error { opened = url; return nil }
			w.run(append([]string{"env", "open", "shop"}, c.args...)...).golden(t, name)
			if opened != c.opened {
				t.Errorf("opened %q, want %q", opened, c.opened)
			}
		})
	}
}
