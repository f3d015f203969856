package registry

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"
)

func TestAServerThatStandsStillIsGivenUp(t *testing.T) {
	t.Parallel()
	done := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.WriteString(w, "some")
		w.(http.Flusher).Flush()
		if r.URL.Path == "/still" {
			<-done
		}
		_, _ = io.WriteString(w, " and all")
	}))
	t.Cleanup(server.Close)
	t.Cleanup(func() { close(done) })
	client := &http.Client{Transport: patient{http.DefaultTransport, 100 * time.Millisecond}}
	for path, want := range map[string]string{"/still": "some", "/whole": "some and all"} {
		answer, err := client.Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(answer.Body)
		answer.Body.Close()
		if string(text) != want || (err != nil) != (path == "/still") || err != nil && !strings.Contains(err.Error(), "the server has sent nothing for 100ms") {
			t.Errorf("%s gives %q, %v", path, text, err)
		}
	}
}
