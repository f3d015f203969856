package server

import (
	"encoding/json"
	"net/http"

	"google.golang.org/grpc/codes"
)

// mostHandedOn bounds what an EventListener hands on: an event in a string of JSON, in which
// a byte takes up to six, its headers, and what interceptors before added.
const mostHandedOn = 7 * mostBody

// handedOn is what Tekton's EventListener sends to an interceptor.
type handedOn struct {
	Body   string              `json:"body"`
	Header map[string][]string `json:"header"`
}

// verdict is what an interceptor answers. Nothing is left for the EventListener to do, so
// that it never goes on.
type verdict struct {
	Continue bool   `json:"continue"`
	Status   status `json:"status"`
}

type status struct {
	Code    codes.Code `json:"code,omitempty"`
	Message string     `json:"message,omitempty"`
}

// Intercept takes one delivery from an EventListener, which has told its sender 202 already.
// It is judged as one that came itself, by the signature of its sender.
func (d *Door) Intercept(w http.ResponseWriter, r *http.Request) {
	a, run, header := d.handed(r)
	d.tell(a, run, header)
	w.Header().Set("Content-Type", "application/json")
	// A writer that is gone cannot be told.
	_ = json.NewEncoder(w).Encode(verdict{Status: status{Code: rpc(a.code), Message: a.text}})
}

func (d *Door) handed(r *http.Request) (answer, string, http.Header) {
	raw, refused := read(r, mostHandedOn)
	if refused != nil {
		return *refused, "", nil
	}
	var event handedOn
	if err := json.Unmarshal(raw, &event); err != nil {
		return answer{http.StatusBadRequest, "broken", "this is not what an EventListener sends to an interceptor"}, "", nil
	}
	header := http.Header{}
	for name, values := range event.Header {
		for _, value := range values {
			header.Add(name, value)
		}
	}
	if len(event.Body) > mostBody {
		return oversized(mostBody), "", header
	}
	a, run := d.judge(r.Context(), header, []byte(event.Body))
	return a, run, header
}

// rpc is the code of an answer as an EventListener knows it.
func rpc(code int) codes.Code {
	switch code {
	case http.StatusOK, http.StatusAccepted:
		return codes.OK
	case http.StatusUnauthorized:
		return codes.Unauthenticated
	case http.StatusForbidden:
		return codes.PermissionDenied
	case http.StatusInternalServerError:
		return codes.Internal
	case http.StatusServiceUnavailable:
		return codes.Unavailable
	}
	return codes.InvalidArgument
}
