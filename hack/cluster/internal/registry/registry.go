// Package registry is an OCI registry that keeps everything on disk.
//
// The protocol is go-containerregistry's; its manifests live in memory, so each
// accepted manifest is written down and played back when the registry starts.
package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/google/go-containerregistry/pkg/registry"
)

// record is a manifest as it was pushed.
type record struct {
	Path        string // of the URL
	ContentType string
	Body        []byte
}

// New returns the registry kept in a folder.
func New(dir string, logger *log.Logger) (http.Handler, error) {
	if err := os.MkdirAll(filepath.Join(dir, "manifests"), 0o755); err != nil {
		return nil, fmt.Errorf("creating the registry's folder: %w", err)
	}
	inner := registry.New(registry.WithBlobHandler(registry.NewDiskBlobHandler(dir)),
		registry.WithReferrersSupport(true), registry.Logger(logger))
	if err := playback(dir, inner, logger); err != nil {
		return nil, err
	}
	return &recorder{dir: dir, inner: inner}, nil
}

type recorder struct {
	dir   string
	inner http.Handler
}

func (r *recorder) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	if !strings.Contains(req.URL.Path, "/manifests/") {
		r.inner.ServeHTTP(w, req)
		return
	}
	switch req.Method {
	case http.MethodPut:
		r.put(w, req)
	case http.MethodDelete:
		_ = os.Remove(recordFile(r.dir, req.URL.Path)) // a tag that was never pushed has no file; inner answers
		r.inner.ServeHTTP(w, req)
	default:
		r.inner.ServeHTTP(w, req)
	}
}

// put lets the registry judge a manifest, and answers when it is also on disk.
func (r *recorder) put(w http.ResponseWriter, req *http.Request) {
	body, err := io.ReadAll(req.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	answer := httptest.NewRecorder()
	r.inner.ServeHTTP(answer, req)
	if answer.Code == http.StatusCreated {
		rec := record{Path: req.URL.Path, ContentType: req.Header.Get("Content-Type"), Body: body}
		if err := save(r.dir, rec); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
	}
	for k, v := range answer.Header() {
		w.Header()[k] = v
	}
	w.WriteHeader(answer.Code)
	_, _ = w.Write(answer.Body.Bytes()) // the client is gone; the manifest is kept
}

func recordFile(dir, path string) string {
	return filepath.Join(dir, "manifests", url.PathEscape(path))
}

func save(dir string, rec record) error {
	raw, err := json.Marshal(rec)
	if err != nil {
		return fmt.Errorf("keeping manifest %s: %w", rec.Path, err)
	}
	file := recordFile(dir, rec.Path)
	if err := os.WriteFile(file+"~", raw, 0o644); err != nil {
		return fmt.Errorf("keeping manifest %s: %w", rec.Path, err)
	}
	return os.Rename(file+"~", file)
}

// playback pushes every kept manifest again. An index is refused until its images
// are there, so what was refused gets another turn as long as that helps; what is
// refused for good is reported and left out.
func playback(dir string, inner http.Handler, logger *log.Logger) error {
	left, err := load(dir)
	if err != nil {
		return err
	}
	for {
		var refused []record
		var why string
		for _, rec := range left {
			if answer := push(inner, rec); answer.Code != http.StatusCreated {
				refused, why = append(refused, rec), fmt.Sprintf("%s: %s", rec.Path, answer.Body)
			}
		}
		if len(refused) == 0 {
			return nil
		}
		if len(refused) == len(left) {
			logger.Printf("%d kept manifests are not usable, the last is %s", len(refused), why)
			return nil
		}
		left = refused
	}
}

func push(inner http.Handler, rec record) *httptest.ResponseRecorder {
	req := httptest.NewRequest(http.MethodPut, rec.Path, bytes.NewReader(rec.Body))
	req.Header.Set("Content-Type", rec.ContentType)
	answer := httptest.NewRecorder()
	inner.ServeHTTP(answer, req)
	return answer
}

func load(dir string) ([]record, error) {
	files, err := filepath.Glob(filepath.Join(dir, "manifests", "*[^~]"))
	if err != nil {
		return nil, fmt.Errorf("listing kept manifests: %w", err)
	}
	var out []record
	for _, f := range files {
		var rec record
		raw, err := os.ReadFile(f)
		if err == nil {
			err = json.Unmarshal(raw, &rec)
		}
		if err != nil {
			return nil, fmt.Errorf("reading kept manifest %s: %w", filepath.Base(f), err)
		}
		out = append(out, rec)
	}
	return out, nil
}
