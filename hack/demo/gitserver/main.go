// The git server of the demo: one repository over HTTP, to clone from and to push to.
// It has no access control and is meant for a cluster that only you reach.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"
)

func main() {
	root := flag.String("root", "/srv/git", "folder of the repositories")
	name := flag.String("repository", "shop.git", "name of the repository")
	address := flag.String("listen", ":8080", "address to listen on")
	flag.Parse()
	if err := run(*root, *name, *address); err != nil {
		log.Fatal(err)
	}
}

func run(root, name, address string) error {
	if err := create(filepath.Join(root, name)); err != nil {
		return err
	}
	backend, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return fmt.Errorf("find git's programs: %w", err)
	}
	server := &http.Server{
		Addr: address, ReadHeaderTimeout: 10 * time.Second,
		Handler: &cgi.Handler{
			Path: filepath.Join(string(backend[:len(backend)-1]), "git-http-backend"),
			Env:  []string{"GIT_PROJECT_ROOT=" + root, "GIT_HTTP_EXPORT_ALL=1"},
		},
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	go func() {
		<-ctx.Done()
		_ = server.Close() // nobody waits for the demo's connections
	}()
	log.Printf("serving %s on %s", filepath.Join(root, name), address)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return fmt.Errorf("serve: %w", err)
	}
	return nil
}

// create makes an empty repository that takes pushes over HTTP.
func create(path string) error {
	for _, args := range [][]string{
		{"init", "--quiet", "--bare", "--initial-branch=main", path},
		{"-C", path, "config", "http.receivepack", "true"},
	} {
		if out, err := exec.Command("git", args...).CombinedOutput(); err != nil {
			return fmt.Errorf("git %v: %w: %s", args, err, out)
		}
	}
	return nil
}
