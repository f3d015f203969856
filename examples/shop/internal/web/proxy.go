package web

import (
	"log/slog"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"

	"example.com/shop/internal/service"
)

// forward sends /api/X on to /X of a service.
func forward(name string, to *url.URL, log *slog.Logger) http.Handler {
	return &httputil.ReverseProxy{
		Rewrite: func(r *httputil.ProxyRequest) {
			r.Out.URL.Path = strings.TrimPrefix(r.Out.URL.Path, "/api")
			r.Out.URL.RawPath = strings.TrimPrefix(r.Out.URL.RawPath, "/api")
			r.SetURL(to)
			r.SetXForwarded()
		},
		ErrorLog: slog.NewLogLogger(log.Handler(), slog.LevelWarn),
		ErrorHandler: func(w http.ResponseWriter, r *http.Request, err error) {
			log.ErrorContext(r.Context(), "forward", "to", name, "error", err.Error())
			service.WriteProblem(w, http.StatusBadGateway, name+" does not answer; try again")
		},
	}
}
