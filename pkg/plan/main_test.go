package plan_test

import (
	"flag"
	"os"
	"testing"
)

// Properties are drawn from the same seed every time; -rapid.seed gives another one.
func TestMain(m *testing.M) {
	for name, value := range map[string]string{"rapid.seed": "20261122", "rapid.nofailfile": "true"} {
		if err := flag.Set(name, value); err != nil {
			panic(err)
		}
	}
	os.Exit(m.Run())
}
