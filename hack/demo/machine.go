package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"spock.dev/spock/pkg/target/host"
)

// machine is one beside the local cluster, as its file of machines tells of it.
type machine struct {
	Name, Address, HostKey, Key string
}

// boot boots a machine beside the local cluster while the demo goes on; the result comes
// when it is up, or cannot be.
func (d *demo) boot(ctx context.Context) {
	d.booted = make(chan error, 1)
	go func() {
		name := cmp.Or(os.Getenv("CLUSTER_NAME"), "spock")
		_, err := d.output(ctx, nil, nil, "go", "-C", filepath.Join(d.root, "hack", "cluster"), "run", "./cmd/cluster",
			"up", "-name", name, "-state", filepath.Join(d.root, ".cluster"), "-machines", "1")
		d.booted <- err
	}()
}

// host makes the machine a Host of the team, for the database of the shop. Without a machine
// the database runs in a pod.
func (d *demo) host(ctx context.Context) error {
	if !d.machines {
		d.say("PostgreSQL runs in a pod: machines are booted beside the local cluster only")
		return nil
	}
	// Data do not follow a service to another place.
	class, err := d.kubectl(ctx, "-n", team, "get", "environment", "shop", "--ignore-not-found", "-o", "jsonpath={.spec.class}")
	if err != nil {
		return err
	}
	if class == "dev" {
		d.say("PostgreSQL stays in its pod, where the shop has its data")
		return nil
	}
	if err := <-d.booted; err != nil {
		if class != "" {
			return fmt.Errorf("boot a machine: %w", err)
		}
		d.say("PostgreSQL runs in a pod: no machine can be booted: %v", err)
		return nil
	}
	d.class = "mixed"
	return d.addHost(ctx)
}

// addHost adds the machine by the command that a person would use.
func (d *demo) addHost(ctx context.Context) error {
	raw, err := os.ReadFile(filepath.Join(d.root, ".cluster", "machines.json"))
	if err != nil {
		return fmt.Errorf("read how the machine is reached: %w", err)
	}
	var all []machine
	if err := json.Unmarshal(raw, &all); err != nil || len(all) == 0 {
		return errors.Join(errors.New("there is no machine in .cluster/machines.json"), err)
	}
	m := all[0]
	known, err := d.kubectl(ctx, "-n", team, "get", "hosts", "-o", "jsonpath={.items[*].spec.address}")
	if err != nil {
		return err
	}
	switch known {
	case m.Address:
		return nil
	case "":
	default:
		return fmt.Errorf("the machine at %s is gone, with the data of the shop; begin anew: make cluster-down demo", known)
	}
	if err := d.applyMixed(ctx); err != nil {
		return err
	}
	fingerprint, err := host.Fingerprint(m.HostKey)
	if err != nil {
		return fmt.Errorf("read the key of machine %s: %w", m.Name, err)
	}
	text, err := d.output(ctx, nil, nil, "spock", "host", "add", "db1", "-n", team, "--label", "role=db",
		"--address", m.Address, "--user", "deploy", "--key", m.Key, "--fingerprint", fingerprint)
	if err != nil {
		return err
	}
	d.say("%s", strings.TrimSpace(text))
	return nil
}

// applyMixed applies the class of environments with a database on a machine.
func (d *demo) applyMixed(ctx context.Context) error {
	for _, name := range []string{"rights.yaml", "class.yaml"} {
		raw, err := os.ReadFile(filepath.Join(d.root, "examples", "shop", "mixed", name))
		if err != nil {
			return fmt.Errorf("read the example: %w", err)
		}
		if err := d.apply(ctx, d.here(string(raw))); err != nil {
			return err
		}
	}
	return nil
}
