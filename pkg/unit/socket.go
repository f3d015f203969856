package unit

import "fmt"

// Socket is a port that systemd listens on for a service, so that it stays open while one
// process of the service follows another. Connections wait until the next one takes them.
type Socket struct {
	Port int32 `json:"port"`
	// Datagram is UDP instead of TCP.
	Datagram bool `json:"datagram,omitempty"`
}

// RenderSockets writes the unit of the sockets of a service. The process gets them as
// file descriptors from 3 on, in this order, as sd_listen_fds(3) tells it.
func RenderSockets(description string, sockets []Socket) (string, error) {
	w := &writer{}
	w.section("Unit")
	w.line("Description", w.plain(description))
	w.section("Socket")
	for _, s := range sockets {
		kind := "ListenStream"
		if s.Datagram {
			kind = "ListenDatagram"
		}
		w.line(kind, fmt.Sprint(s.Port))
	}
	if w.err != nil {
		return "", fmt.Errorf("write the sockets of %q: %w", description, w.err)
	}
	return w.text.String(), nil
}
