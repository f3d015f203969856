// Command app is the service that the tests deploy to machines.
package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/signal"
	"os/user"
	"strconv"
	"sync"
	"syscall"
	"time"
)

// last ends the serving when no more is to be accepted.
type last struct{ net.Listener }

func (l last) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if errors.Is(err, os.ErrDeadlineExceeded) {
		return nil, errors.New("asked to end")
	}
	return conn, err
}

// listen takes the socket that systemd hands over, or opens one.
func listen() (net.Listener, error) {
	if os.Getenv("LISTEN_PID") == strconv.Itoa(os.Getpid()) {
		const first = 3
		return net.FileListener(os.NewFile(first, "handed over"))
	}
	return net.Listen("tcp", ":"+os.Getenv("PORT"))
}

func main() {
	fmt.Println("app", os.Args[1:])
	if len(os.Args) > 1 && os.Args[1] == "--help" {
		return
	}
	if text := os.Getenv("FAIL"); text != "" {
		fmt.Println("cannot go on:", text)
		os.Exit(3)
	}
	listener, err := listen()
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	http.HandleFunc("/env", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, os.Getenv(r.URL.Query().Get("name"))) })
	http.HandleFunc("/read", func(w http.ResponseWriter, r *http.Request) {
		raw, err := os.ReadFile(r.URL.Query().Get("path"))
		fmt.Fprint(w, string(raw), err)
	})
	http.HandleFunc("/write", func(w http.ResponseWriter, r *http.Request) {
		fmt.Fprint(w, os.WriteFile(r.URL.Query().Get("path"), []byte("written"), 0o600))
	})
	http.HandleFunc("/who", func(w http.ResponseWriter, r *http.Request) { fmt.Fprint(w, os.Getuid()) })
	http.HandleFunc("/name", func(w http.ResponseWriter, r *http.Request) {
		u, err := user.Current()
		fmt.Fprint(w, u.Username, err)
	})
	http.HandleFunc("/ready", func(w http.ResponseWriter, r *http.Request) {})
	if socket := os.Getenv("NOTIFY_SOCKET"); socket != "" {
		conn, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: socket, Net: "unixgram"})
		if err == nil {
			_, _ = conn.Write([]byte("READY=1"))
		}
	}
	if d, err := time.ParseDuration(os.Getenv("LINGER")); err == nil {
		time.AfterFunc(d, func() { os.Exit(0) })
	}
	var open sync.WaitGroup
	server := &http.Server{ConnState: func(_ net.Conn, state http.ConnState) {
		switch state {
		case http.StateNew:
			open.Add(1)
		case http.StateClosed:
			open.Done()
		}
	}}
	go func() {
		asked := make(chan os.Signal, 1)
		signal.Notify(asked, syscall.SIGTERM)
		<-asked
		fmt.Println(listener.(*net.TCPListener).SetDeadline(time.Now()))
	}()
	// Who is not accepted any more waits for the next process. Shutdown would hang up on who
	// was accepted just now.
	fmt.Println(server.Serve(last{listener}))
	open.Wait()
}
