package service

import (
	"testing"
	"time"
)

func from(values map[string]string) *Settings {
	return NewSettings(func(name string) (string, bool) {
		v, ok := values[name]
		return v, ok
	})
}

func TestSettingsNameEverythingThatIsMissing(t *testing.T) {
	t.Parallel()
	s := from(map[string]string{"CACHE_TTL": "soon", "EMPTY": ""})
	s.Required("DB_HOST")
	s.Required("EMPTY")
	s.Duration("CACHE_TTL", time.Second)
	want := "DB_HOST is not set; set it in the environment of the process\n" +
		"EMPTY is not set; set it in the environment of the process\n" +
		`CACHE_TTL is "soon"; write a duration such as 30s`
	if err := s.Err(); err == nil || err.Error() != want {
		t.Errorf("Err() = %v, want %s", err, want)
	}
}

func TestDuration(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		value   string
		want    time.Duration
		wantErr bool
	}{
		"a set duration is used":                  {value: "90s", want: 90 * time.Second},
		"an absent duration is the fallback":      {want: time.Minute},
		"a number without a unit is refused":      {value: "90", want: time.Minute, wantErr: true},
		"a duration that goes back is refused":    {value: "-1s", want: time.Minute, wantErr: true},
		"zero is a duration like any other":       {value: "0s"},
		"a duration may be made of several parts": {value: "1m30s", want: 90 * time.Second},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := from(map[string]string{"D": tc.value})
			if got := s.Duration("D", time.Minute); got != tc.want {
				t.Errorf("Duration(%q) = %s, want %s", tc.value, got, tc.want)
			}
			if err := s.Err(); (err != nil) != tc.wantErr {
				t.Errorf("Err() after %q = %v, want an error: %t", tc.value, err, tc.wantErr)
			}
		})
	}
}
