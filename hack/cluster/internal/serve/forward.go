// Package serve holds the small servers around a cluster: a TCP forwarder, a
// read-only file server for Go modules, and a watcher that opens new folders.
package serve

import (
	"fmt"
	"io"
	"log"
	"net"
	"strings"
)

// Forward listens on each FROM of "FROM=TO" and copies every connection to TO.
// It returns only when listening fails.
func Forward(pairs []string, logger *log.Logger) error {
	failed := make(chan error)
	for _, pair := range pairs {
		from, to, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("forwarding %q: write it as FROM=TO", pair)
		}
		l, err := net.Listen("tcp", from)
		if err != nil {
			return fmt.Errorf("forwarding %s: %w", pair, err)
		}
		go func() { failed <- accept(l, to, logger) }()
	}
	return <-failed
}

func accept(l net.Listener, to string, logger *log.Logger) error {
	for {
		c, err := l.Accept()
		if err != nil {
			return fmt.Errorf("accepting on %s: %w", l.Addr(), err)
		}
		go func() {
			if err := relay(c, to); err != nil {
				logger.Printf("%s -> %s: %v", c.RemoteAddr(), to, err)
			}
		}()
	}
}

// relay copies both directions until each side has said that it is done.
func relay(client net.Conn, to string) error {
	defer client.Close()
	server, err := net.Dial("tcp", to)
	if err != nil {
		return err
	}
	defer server.Close()
	done := make(chan struct{})
	go func() {
		defer close(done)
		copyHalf(server, client)
	}()
	copyHalf(client, server)
	<-done
	return nil
}

// copyHalf copies one direction and passes its end on. A broken connection ends
// both directions; there is nobody to tell but the two ends, who see it.
func copyHalf(to, from net.Conn) {
	_, _ = io.Copy(to, from)
	if half, ok := to.(*net.TCPConn); ok {
		_ = half.CloseWrite()
	}
}
