package nearest_test

import (
	"testing"

	"pgregory.net/rapid"

	"spock.dev/spock/pkg/nearest"
)

func TestHint(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		name  string
		known []string
		want  string
	}{
		"a letter is missing":               {"ordrs", []string{"orders", "cache"}, `did you mean "orders"?`},
		"two letters are swapped":           {"cahce", []string{"orders", "cache"}, `did you mean "cache"?`},
		"the case is another":               {"LogLevel", []string{"loglevel", "x"}, `did you mean "loglevel"?`},
		"two are as near, in any order":     {"db-3", []string{"db-2", "db-1"}, `did you mean "db-1"?`},
		"a long name may differ more":       {"payment-gateway", []string{"payments-gateways-x"}, `did you mean "payments-gateways-x"?`},
		"none is near":                      {"zzz", []string{"b", "a"}, "known are a, b"},
		"nothing of a short name is left":   {"x", []string{"n", "m"}, "known are m, n"},
		"one is known and not near":         {"zzz", []string{"orders"}, "the only known one is orders"},
		"many are known":                    {"zzz", []string{"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"}, "known are a, b, c, d, e, f, g, h and 2 more"},
		"nothing is known":                  {"zzz", nil, "add one"},
		"no name is given, nothing is near": {"", []string{"a", "b"}, "known are a, b"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := nearest.Hint(tc.name, tc.known, "add one"); got != tc.want {
				t.Errorf("Hint(%q, %q) = %q, want %q", tc.name, tc.known, got, tc.want)
			}
		})
	}
}

func TestAKnownNameIsItsOwnNearest(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		known := rapid.SliceOfN(rapid.StringMatching(`[a-z]{2,12}`), 1, 9).Draw(t, "known")
		name := rapid.SampledFrom(known).Draw(t, "name")
		if got, ok := nearest.Name(name, known); !ok || got != name {
			t.Fatalf("Name(%q, %q) = %q, %v", name, known, got, ok)
		}
	})
}
