package api

import (
	"net/http"
	"strconv"
	"testing"
	"time"
)

func TestPause(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 8, 1, 12, 0, 0, 0, time.UTC)
	head := func(pairs ...string) http.Header {
		h := http.Header{}
		for i := 0; i < len(pairs); i += 2 {
			h.Set(pairs[i], pairs[i+1])
		}
		return h
	}
	in := func(d time.Duration) string { return strconv.FormatInt(now.Add(d).Unix(), 10) }
	tests := map[string]struct {
		status     int
		header     http.Header
		repeatable bool
		attempt    int
		want       time.Duration
		again      bool
	}{
		"a server in trouble is asked again":                          {502, nil, true, 0, time.Second, true},
		"the pauses double":                                           {503, nil, true, 3, 8 * time.Second, true},
		"and end at a minute":                                         {503, nil, true, 60, time.Minute, true},
		"what must not be done twice is not when it is unclear":       {502, nil, false, 0, 0, false},
		"it is when the server says it did nothing":                   {429, head("Retry-After", "7"), false, 0, 7 * time.Second, true},
		"Retry-After may be a date":                                   {503, head("Retry-After", now.Add(90*time.Second).Format(http.TimeFormat)), true, 0, 90 * time.Second, true},
		"a secondary rate limit is a 403 with Retry-After":            {403, head("Retry-After", "60"), false, 0, time.Minute, true},
		"a spent rate limit ends at its reset":                        {403, head("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(5*time.Minute)), false, 0, 5 * time.Minute, true},
		"a reset that has passed still costs a pause":                 {429, head("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(-time.Minute)), true, 1, 2 * time.Second, true},
		"a missing right is not a rate limit":                         {403, head("X-RateLimit-Remaining", "4999", "X-RateLimit-Reset", in(time.Hour)), true, 0, 0, false},
		"a mistake stays one":                                         {422, nil, true, 0, 0, false},
		"what the server cannot do at all is not tried again":         {501, nil, true, 0, 0, false},
		"a Retry-After that is no number leaves the usual pause":      {503, head("Retry-After", "soon"), true, 0, time.Second, true},
		"a negative Retry-After is no way to do without any pause":    {429, head("Retry-After", "-5"), true, 0, time.Second, true},
		"Retry-After is believed more than the reset beside it":       {429, head("Retry-After", "3", "X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(time.Hour)), true, 0, 3 * time.Second, true},
		"a rate limit that says nothing more costs the usual pause":   {429, nil, false, 2, 4 * time.Second, true},
		"a remaining rate limit of none does not make a 404 one":      {404, head("X-RateLimit-Remaining", "0", "X-RateLimit-Reset", in(time.Hour)), true, 0, 0, false},
		"the longer of what was asked for and what is usual is taken": {503, head("Retry-After", "1"), true, 4, 16 * time.Second, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tt.header == nil {
				tt.header = http.Header{}
			}
			got, again := pause(tt.status, tt.header, tt.repeatable, tt.attempt, now)
			if got != tt.want || again != tt.again {
				t.Errorf("pause is %s, %t; want %s, %t", got, again, tt.want, tt.again)
			}
		})
	}
}
