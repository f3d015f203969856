package main

import (
	"fmt"
	"log"
	"net/http"
	"os"

	"spock.dev/spock/hack/cluster/internal/boot"
	"spock.dev/spock/hack/cluster/internal/cgroup"
	"spock.dev/spock/hack/cluster/internal/machine"
	"spock.dev/spock/hack/cluster/internal/node"
	"spock.dev/spock/hack/cluster/internal/registry"
	"spock.dev/spock/hack/cluster/internal/serve"
)

// servers are the commands that a running cluster starts of this program.
func servers() map[string]func(args []string) error {
	logger := log.New(os.Stderr, "", log.LstdFlags)
	return map[string]func([]string) error{
		node.EnterCommand:    onSpec(node.Enter),
		node.InitCommand:     onSpec(node.Init),
		machine.EnterCommand: one("the machine's order", machine.Enter),
		machine.InitCommand:  one("the machine's order", machine.Init),
		boot.ForwardCommand:  func(args []string) error { return forward(args, logger) },
		"registry": func(args []string) error {
			return two(args, func(addr, dir string) error { return serveRegistry(addr, dir, logger) })
		},
		"goproxy":  func(args []string) error { return two(args, serve.Files) },
		"opendirs": one("a folder", func(dir string) error { return serve.OpenDirs(dir, logger) }),
	}
}

func onSpec(f func(node.Spec) error) func([]string) error {
	return one("the node's spec", func(path string) error {
		spec, err := node.Load(path)
		if err != nil {
			return err
		}
		return f(spec)
	})
}

func one(what string, f func(string) error) func([]string) error {
	return func(args []string) error {
		if len(args) != 1 {
			return fmt.Errorf("want %s, got %d arguments", what, len(args))
		}
		return f(args[0])
	}
}

func two(args []string, f func(addr, dir string) error) error {
	if len(args) != 2 {
		return fmt.Errorf("want an address and a folder, got %d arguments", len(args))
	}
	return f(args[0], args[1])
}

func serveRegistry(addr, dir string, logger *log.Logger) error {
	handler, err := registry.New(dir, logger)
	if err != nil {
		return err
	}
	return http.ListenAndServe(addr, handler)
}

func forward(args []string, logger *log.Logger) error {
	if len(args) < 2 {
		return fmt.Errorf("want a cgroup and pairs, got %d arguments", len(args))
	}
	if err := cgroup.Enter(args[0], os.Getpid()); err != nil {
		return err
	}
	return serve.Forward(args[1:], logger)
}
