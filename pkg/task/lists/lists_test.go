package lists

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestSplit(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		words []string
		want  map[string][]string
		err   string
	}{
		"no words are no lists": {want: map[string][]string{}},
		"two lists, one of them empty": {
			words: []string{"services:", "parameters:", "a=r/a", "other:"},
			want:  map[string][]string{"parameters": {"a=r/a", "other:"}},
		},
		"the last list takes what looks like a marker": {
			words: []string{"services:", "a=b", "parameters:", "services:", "parameters:"},
			want:  map[string][]string{"services": {"a=b"}, "parameters": {"services:", "parameters:"}},
		},
		"a word without list": {words: []string{"a=b", "services:"}, err: `argument "a=b": it belongs to no list; begin a list with one of services: parameters:`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := Split(tt.words, "services", "parameters")
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Split (-want +got):\n%s", diff)
			}
			if (err == nil) != (tt.err == "") || (err != nil && err.Error() != tt.err) {
				t.Errorf("error %v, want %s", err, tt.err)
			}
		})
	}
}
