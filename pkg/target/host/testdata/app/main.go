// Command app is the service that the tests deploy to machines.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/user"
	"time"
)

func main() {
	fmt.Println("app", os.Args[1:])
	if len(os.Args) > 1 && os.Args[1] == "--help" {
		return
	}
	if text := os.Getenv("FAIL"); text != "" {
		fmt.Println("cannot go on:", text)
		os.Exit(3)
	}
	listener, err := net.Listen("tcp", ":"+os.Getenv("PORT"))
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
	fmt.Println(http.Serve(listener, nil))
}
