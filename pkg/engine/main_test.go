package engine_test

import (
	"flag"
	"os"
	"testing"
)

// Properties are drawn from the same seed every time; -rapid.seed gives another one.
func TestMain(m *testing.M) {
	must(flag.Set("rapid.seed", "20261122"))
	must(flag.Set("rapid.nofailfile", "true"))
	os.Exit(m.Run())
}
