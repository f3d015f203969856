// Package api calls the JSON API of a service that people use, and is patient with it: a
// request is repeated after a pause when the server is in trouble or has had enough, and
// what the server asks for, by Retry-After or by a rate limit's reset, is granted.
//
// It knows no particular service. Credentials are read from files, and neither they nor
// what was sent appear in an error.
package api

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"
)

const (
	// mostBody is what is read of an answer.
	mostBody = 8 << 20
	// mostWords is what is told of a refusal.
	mostWords = 300
)

// Client calls one API. It is safe for concurrent use when its functions are.
type Client struct {
	// Base is the address below which paths are, without a slash at its end.
	Base string
	// Authorize adds the credentials to a request.
	Authorize func(*http.Request)
	// Header goes with every request.
	Header http.Header
	// HTTP sends. Credentials are not sent to another host when it follows redirects.
	HTTP *http.Client
	// Patience bounds all pauses of a request together.
	Patience time.Duration
	// Now and Wait are the clock. Wait ends early when the context does, with its error.
	Now  func() time.Time
	Wait func(context.Context, time.Duration) error
	// Log is told of each pause.
	Log io.Writer
}

// Call is one request.
type Call struct {
	Method, Path string
	// In is sent as JSON, unless it is nil. The answer is read into Out, unless that is nil.
	In, Out any
	// Repeatable says that making the call twice is as good as once.
	Repeatable bool
}

// StatusError is an answer that is not a success.
type StatusError struct {
	// Code is the HTTP status; Words are what the server said, shortened.
	Code  int
	Words string
}

// Error says both.
func (e *StatusError) Error() string {
	return strings.TrimSpace(fmt.Sprintf("%d %s: %s", e.Code, http.StatusText(e.Code), e.Words))
}

// Code is the HTTP status of a refusal, or 0 for any other error.
func Code(err error) int {
	var status *StatusError
	if errors.As(err, &status) {
		return status.Code
	}
	return 0
}

// New returns a client with the usual clock. The base must be an absolute HTTP address
// without user, query and fragment.
func New(base string, authorize func(*http.Request), log io.Writer) (*Client, error) {
	u, err := url.Parse(base)
	if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" || u.Scheme != "https" && u.Scheme != "http" {
		return nil, errors.New("API address: not an absolute HTTP address without user and query; write for example https://github.example.com/api/v3")
	}
	return &Client{
		Base: strings.TrimRight(base, "/"), Authorize: authorize, Header: http.Header{},
		HTTP: &http.Client{Timeout: 30 * time.Second}, Patience: 10 * time.Minute, Now: time.Now, Wait: wait, Log: log,
	}, nil
}

func wait(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}

// Token reads a credential from a file, which is how a Secret reaches a step.
func Token(path string) (string, error) {
	raw, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("read the token: %w; bind the workspace to a Secret with this key", err)
	}
	token := strings.TrimSpace(string(raw))
	if token == "" || strings.ContainsAny(token, " \t\r\n") {
		return "", fmt.Errorf("read the token: %s is empty or more than one word", path)
	}
	return token, nil
}

// Do makes the call. Its errors are *StatusError for refusals, and name method and path.
func (c *Client) Do(ctx context.Context, call Call) error {
	var body []byte
	if call.In != nil {
		raw, err := json.Marshal(call.In)
		if err != nil {
			return fmt.Errorf("%s %s: %w", call.Method, call.Path, err)
		}
		body = raw
	}
	left := c.Patience
	for attempt := 0; ; attempt++ {
		again, err := c.once(ctx, call, body, attempt)
		if err == nil {
			return nil
		}
		err = fmt.Errorf("%s %s: %w", call.Method, call.Path, err)
		if again < 0 || again > left {
			return err
		}
		left -= again
		fmt.Fprintf(c.Log, "%v; trying again in %s\n", err, again)
		if stopped := c.Wait(ctx, again); stopped != nil {
			return errors.Join(err, stopped)
		}
	}
}

// once returns how long to wait before the next try beside an error; less than nothing
// when there is none.
func (c *Client) once(ctx context.Context, call Call, body []byte, attempt int) (time.Duration, error) {
	request, err := http.NewRequestWithContext(ctx, call.Method, c.Base+call.Path, bytes.NewReader(body))
	if err != nil {
		return -1, err
	}
	for name, values := range c.Header {
		request.Header[name] = values
	}
	if body != nil {
		request.Header.Set("Content-Type", "application/json")
	}
	c.Authorize(request)
	answer, err := c.HTTP.Do(request)
	if err != nil {
		return unreached(ctx, call, attempt, err)
	}
	defer answer.Body.Close()
	raw, err := io.ReadAll(io.LimitReader(answer.Body, mostBody))
	if answer.StatusCode >= 200 && answer.StatusCode < 300 {
		if err != nil {
			return unreached(ctx, call, attempt, err)
		}
		return -1, decode(raw, call.Out)
	}
	refusal := &StatusError{Code: answer.StatusCode, Words: words(raw)}
	if d, again := pause(answer.StatusCode, answer.Header, call.Repeatable, attempt, c.Now()); again {
		return d, refusal
	}
	return -1, refusal
}

// unreached is for a server that did not answer. It may have done what it was asked for.
func unreached(ctx context.Context, call Call, attempt int, err error) (time.Duration, error) {
	var failed *url.Error
	if errors.As(err, &failed) {
		err = failed.Err // without the address, which the caller names shorter
	}
	if ctx.Err() != nil || !call.Repeatable {
		return -1, err
	}
	return backoff(attempt), err
}

func decode(raw []byte, out any) error {
	if out == nil {
		return nil
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return fmt.Errorf("read the answer: %w", err)
	}
	return nil
}

// words are the message of a refusal in one line, with GitHub's field or Jira's.
func words(raw []byte) string {
	var known struct {
		Message       string            `json:"message"`
		ErrorMessages []string          `json:"errorMessages"`
		Errors        map[string]string `json:"errors"`
	}
	if err := json.Unmarshal(raw, &known); err != nil && known.Message == "" && len(known.ErrorMessages) == 0 {
		return ""
	}
	all := known.ErrorMessages
	if known.Message != "" {
		all = append(all, known.Message)
	}
	for field, problem := range known.Errors {
		all = append(all, field+": "+problem)
	}
	text := strings.Join(strings.Fields(strings.Join(all, "; ")), " ")
	if len(text) > mostWords {
		text = strings.ToValidUTF8(text[:mostWords], "") + "..."
	}
	return text
}
