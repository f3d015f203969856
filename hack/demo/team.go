package main

import (
	"context"
	_ "embed"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// team is the namespace of the team that owns the example.
const team = "shop-team"

//go:embed team.yaml
var teamManifests string

// team makes the namespace, the pipeline's account, and the nouns of the example.
func (d *demo) team(ctx context.Context) error {
	if err := d.apply(ctx, teamManifests); err != nil {
		return err
	}
	catalog, err := d.catalog(ctx)
	if err != nil {
		return err
	}
	if err := d.apply(ctx, catalog, "-n", team); err != nil {
		return err
	}
	for _, name := range []string{"templates.yaml", "product.yaml", "class.yaml"} {
		raw, err := os.ReadFile(filepath.Join(d.root, "examples", "shop", "spock", name))
		if err != nil {
			return fmt.Errorf("read the example: %w", err)
		}
		if err := d.apply(ctx, d.here(string(raw)), "-n", team); err != nil {
			return err
		}
	}
	return nil
}

// catalog is the Tasks and Pipelines, with the images that this cluster has of them.
func (d *demo) catalog(ctx context.Context) (string, error) {
	if d.simulated {
		return d.unbuilt("tasks", "pipelines")
	}
	return d.resolve(ctx, "tasks", "pipelines")
}

// here puts in what is called otherwise on this cluster: its domain, and where
// third-party images come from.
func (d *demo) here(manifests string) string {
	return strings.NewReplacer("dev.localhost:8080", d.domain, "registry.localhost:5000/", d.servers).Replace(manifests)
}
