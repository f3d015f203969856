package kube

import "net/http"

// listening tells when the apiserver has too much to do. The client waits and tries again
// by itself, as long as the answer says, so nobody else would notice.
type listening struct {
	next http.RoundTripper
	busy func()
}

// RoundTrip implements http.RoundTripper.
func (l *listening) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := l.next.RoundTrip(request)
	if err == nil && response.StatusCode == http.StatusTooManyRequests {
		l.busy()
	}
	return response, err
}

// WrappedRoundTripper lets client-go see through.
func (l *listening) WrappedRoundTripper() http.RoundTripper { return l.next }
