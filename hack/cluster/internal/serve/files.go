package serve

import (
	"errors"
	"log"
	"net/http"
	"os"

	"github.com/fsnotify/fsnotify"
)

// Files serves a folder read-only over HTTP. The download folder of a Go module
// cache served this way is a module proxy.
func Files(addr, dir string) error {
	return http.ListenAndServe(addr, readOnly(http.FileServer(http.Dir(dir))))
}

func readOnly(h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodGet && r.Method != http.MethodHead {
			http.Error(w, "read-only", http.StatusMethodNotAllowed)
			return
		}
		h.ServeHTTP(w, r)
	})
}

// OpenDirs makes each new folder in dir writable for everyone. The host-path
// provisioner creates volumes with mode 0750, which locks non-root pods out.
func OpenDirs(dir string, logger *log.Logger) error {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return err
	}
	defer w.Close()
	if err := w.Add(dir); err != nil {
		return err
	}
	for e := range w.Events {
		if e.Has(fsnotify.Create) {
			logger.Printf("opened %s: %v", e.Name, os.Chmod(e.Name, 0o777))
		}
	}
	return errors.New("the watch on " + dir + " ended")
}
