package service

import (
	"encoding/json"
	"net/http"
)

// WriteJSON answers with a status and a value.
func WriteJSON(w http.ResponseWriter, status int, v any) {
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	// The status is out: when the client is gone there is nobody left to tell.
	_ = json.NewEncoder(w).Encode(v)
}

// WriteProblem answers with a status and one sentence for the caller.
func WriteProblem(w http.ResponseWriter, status int, sentence string) {
	WriteJSON(w, status, Problem{Error: sentence})
}

// Problem is the body of every answer that is not a success.
type Problem struct {
	Error string `json:"error"`
}
