package cache

import (
	"strings"
	"testing"

	"example.com/shop/internal/service"
)

func TestCheckFailsWithoutARedis(t *testing.T) {
	t.Parallel()
	client := Open(service.NewSettings(func(string) (string, bool) { return "127.0.0.1:1", true }))
	defer client.Close()
	if err := Check(client).Probe(t.Context()); err == nil || !strings.Contains(err.Error(), "connection refused") {
		t.Errorf("check without a Redis = %v, want connection refused", err)
	}
}
