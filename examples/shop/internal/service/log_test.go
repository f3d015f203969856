package service

import (
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"runtime/debug"
	"testing"
)

func TestRequestsAreLogged(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	h := logRequests(newLogger(&out, "web", "INFO"), http.NotFoundHandler())
	h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/none", nil))

	var line struct {
		Service, Msg, Method, Path string
		Status                     int
	}
	if err := json.Unmarshal(out.Bytes(), &line); err != nil {
		t.Fatalf("the log is not a JSON line: %v\n%s", err, out.String())
	}
	if line.Service != "web" || line.Msg != "request" || line.Method != "GET" || line.Path != "/none" || line.Status != 404 {
		t.Errorf("logged %s, want service web, GET /none and 404", out.String())
	}
}

func TestLogLevel(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		level string
		lines int
	}{
		"debug shows everything":       {level: "debug", lines: 2},
		"info hides what is for debug": {level: "info", lines: 1},
		"a level that is none is info": {level: "loud", lines: 1},
		"error hides what is no error": {level: "error", lines: 0},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var out bytes.Buffer
			log := newLogger(&out, "web", tc.level)
			log.Debug("detail")
			log.Info("news")
			if got := bytes.Count(out.Bytes(), []byte("\n")); got != tc.lines {
				t.Errorf("level %s wrote %d lines, want %d:\n%s", tc.level, got, tc.lines, out.String())
			}
		})
	}
}

func TestRevision(t *testing.T) {
	t.Parallel()
	info := &debug.BuildInfo{Settings: []debug.BuildSetting{{Key: "vcs", Value: "git"}, {Key: "vcs.revision", Value: "4f2a"}}}
	if got := firstOf("", revision(info), "unknown"); got != "4f2a" {
		t.Errorf("commit of a stamped binary = %q, want 4f2a", got)
	}
	if got := firstOf("", revision(&debug.BuildInfo{}), "unknown"); got != "unknown" {
		t.Errorf("commit of a binary without a stamp = %q, want unknown", got)
	}
	if Commit() == "" {
		t.Error("Commit() is empty, want at least unknown")
	}
}
