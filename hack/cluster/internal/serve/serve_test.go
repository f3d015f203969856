package serve

import (
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
)

func TestAcceptCarriesBothDirections(t *testing.T) {
	t.Parallel()
	backend := listen(t)
	go func() { // answers only after the client has said that it is done
		c, err := backend.Accept()
		if err != nil {
			return
		}
		asked, _ := io.ReadAll(c)
		_, _ = c.Write(append([]byte("you said "), asked...))
		c.Close()
	}()
	front := listen(t)
	go func() { _ = accept(front, backend.Addr().String(), log.New(io.Discard, "", 0)) }()
	c, err := net.Dial("tcp", front.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Write([]byte("hello")); err != nil {
		t.Fatal(err)
	}
	if err := c.(*net.TCPConn).CloseWrite(); err != nil {
		t.Fatal(err)
	}
	got, err := io.ReadAll(c)
	if err != nil || string(got) != "you said hello" {
		t.Errorf("read %q, %v; want the backend's answer", got, err)
	}
}

func TestForwardRefusesAPairWithoutATarget(t *testing.T) {
	t.Parallel()
	if err := Forward([]string{"127.0.0.1:1"}, log.New(io.Discard, "", 0)); err == nil {
		t.Error("Forward took a pair without a target")
	}
}

func TestFilesAreReadOnly(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "list"), []byte("v1"), 0o644); err != nil {
		t.Fatal(err)
	}
	h := readOnly(http.FileServer(http.Dir(dir)))
	for method, want := range map[string]int{http.MethodGet: 200, http.MethodHead: 200, http.MethodPut: 405, http.MethodDelete: 405} {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest(method, "/list", nil))
		if w.Code != want {
			t.Errorf("%s answers %d, want %d", method, w.Code, want)
		}
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { l.Close() })
	return l
}
