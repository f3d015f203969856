package lease

import (
	"testing"
)

func TestOneContainerOfAPodIsFollowedByTheNext(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		env  map[string]string
		want string
	}{
		"a pod's containers are the same one":       {map[string]string{"POD_NAME": "spock-0", "POD_UID": "u-1"}, "spock-0_u-1"},
		"a name alone may be that of two pods":      {map[string]string{"POD_NAME": "spock-0"}, ""},
		"what runs outside of a pod is like nobody": {nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := identity(func(key string) string { return tt.env[key] }); got != tt.want {
				t.Errorf("identity = %q, want %q", got, tt.want)
			}
		})
	}
}
