package debian

import "testing"

func TestPickMirror(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		targets, want string
		fails         bool
	}{
		"the main archive of the release": {
			targets: "http://other.example/x stable main\nhttp://mirror.example/debian/ bookworm contrib\nhttp://mirror.example/debian/ bookworm main\n",
			want:    "http://mirror.example/debian/",
		},
		"updates and security are not the archive": {targets: "http://mirror.example/s bookworm-security main\n", fails: true},
		"a machine of another distribution":        {targets: "", fails: true},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := pickMirror(tc.targets)
			if got != tc.want || (err != nil) != tc.fails {
				t.Errorf("pickMirror = %q, %v; want %q, failure: %v", got, err, tc.want, tc.fails)
			}
		})
	}
}

func TestTheKeyCoversEverythingThatIsInstalled(t *testing.T) {
	t.Parallel()
	base := Diff{Name: "a", Packages: "git", Before: "true"}
	more, before, after, on := base, base, base, base
	more.Packages, before.Before, after.After, on.On = "git make", "false", "true", &base
	keys := map[string]bool{}
	for _, d := range []Diff{base, more, before, after, on, Offer(base, "redis-server"), Offer(base, "nginx"), Offer(more, "nginx")} {
		keys[d.Key()] = true
	}
	if len(keys) != 8 {
		t.Errorf("keys %v: want eight", keys)
	}
}
