package registry

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

// Silence is how long a server may say nothing in the middle of an answer.
const Silence = time.Minute

// Patient is a transport for large answers: they may take as long as they do, but not
// stand still.
func Patient() http.RoundTripper {
	t := http.DefaultTransport.(*http.Transport).Clone()
	t.DialContext = (&net.Dialer{Timeout: 10 * time.Second}).DialContext
	t.ResponseHeaderTimeout = Silence
	return patient{t, Silence}
}

type patient struct {
	inner   http.RoundTripper
	silence time.Duration
}

func (p patient) RoundTrip(request *http.Request) (*http.Response, error) {
	answer, err := p.inner.RoundTrip(request)
	if err == nil {
		b := &awaited{ReadCloser: answer.Body, silence: p.silence}
		b.timer = time.AfterFunc(p.silence, b.giveUp)
		b.timer.Stop() // until somebody reads
		answer.Body = b
	}
	return answer, err
}

// awaited is a body that ends with an error when it stands still.
type awaited struct {
	io.ReadCloser
	silence time.Duration
	timer   *time.Timer
	late    atomic.Bool
}

func (a *awaited) giveUp() {
	a.late.Store(true)
	a.ReadCloser.Close()
}

func (a *awaited) Read(p []byte) (int, error) {
	a.timer.Reset(a.silence) // its reader may have been slow, which is no fault of the server
	n, err := a.ReadCloser.Read(p)
	a.timer.Stop()
	if err != nil && a.late.Load() {
		err = fmt.Errorf("the server has sent nothing for %s", a.silence)
	}
	return n, err
}

func (a *awaited) Close() error {
	a.timer.Stop()
	return a.ReadCloser.Close()
}
