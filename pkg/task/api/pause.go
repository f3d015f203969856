package api

import (
	"net/http"
	"strconv"
	"time"
)

const (
	firstPause = time.Second
	mostPause  = time.Minute
)

// pause says whether an answer is worth another try, and how long to wait first. What the
// server asks for is granted; otherwise pauses double. A request that must not be made
// twice is repeated only when the server says that it did nothing.
func pause(status int, header http.Header, repeatable bool, attempt int, now time.Time) (time.Duration, bool) {
	asked, limited := limit(status, header, now)
	switch {
	case limited:
		return max(asked, backoff(attempt)), true
	case !repeatable || status < 500 || status == http.StatusNotImplemented:
		return 0, false
	}
	return max(asked, backoff(attempt)), true
}

// limit reads the answer of a server that refuses because of too many requests. GitHub
// does so with 403 as well, and tells it from a missing right by its headers.
func limit(status int, header http.Header, now time.Time) (time.Duration, bool) {
	after, given := retryAfter(header.Get("Retry-After"), now)
	spent := header.Get("X-RateLimit-Remaining") == "0"
	if spent && !given {
		if reset, err := strconv.ParseInt(header.Get("X-RateLimit-Reset"), 10, 64); err == nil {
			after = time.Unix(reset, 0).Sub(now)
		}
	}
	refused := status == http.StatusTooManyRequests || status == http.StatusForbidden && (given || spent)
	return max(after, 0), refused
}

// retryAfter reads both forms of the header: seconds and a date.
func retryAfter(value string, now time.Time) (time.Duration, bool) {
	if seconds, err := strconv.ParseInt(value, 10, 32); err == nil {
		return time.Duration(seconds) * time.Second, true
	}
	if date, err := http.ParseTime(value); err == nil {
		return date.Sub(now), true
	}
	return 0, false
}

func backoff(attempt int) time.Duration {
	if attempt > 5 {
		return mostPause
	}
	return firstPause << attempt
}
