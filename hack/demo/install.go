package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// install builds our images with ko and applies config/, the Tasks and the Pipelines.
func (d *demo) install(ctx context.Context) error {
	manifests, err := d.resolve(ctx, "config")
	if err != nil {
		return err
	}
	if err := d.apply(ctx, manifests); err != nil {
		return err
	}
	_, err = d.kubectl(ctx, "-n", "spock-system", "rollout", "status", "deployment/spock-controller", "--timeout=120s")
	return err
}

// resolve builds the images that manifests name as ko:// and puts in where they are.
func (d *demo) resolve(ctx context.Context, dirs ...string) (string, error) {
	var args []string
	for _, dir := range dirs {
		files, err := manifests(filepath.Join(d.root, dir))
		if err != nil {
			return "", err
		}
		for _, f := range files {
			if d.builder == "" && filepath.Base(f) == "build-dockerfile.yaml" {
				continue // nothing for its image to stand on
			}
			args = append(args, "-f", f)
		}
	}
	return d.ko(ctx, "", args...)
}

// resolveText is resolve for manifests at hand.
func (d *demo) resolveText(ctx context.Context, manifests string) (string, error) {
	return d.ko(ctx, manifests, "-f", "-")
}

func (d *demo) ko(ctx context.Context, in string, files ...string) (string, error) {
	config, err := d.koConfig()
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(filepath.Dir(config))
	args := append([]string{"resolve", "--base-import-paths", "--sbom=none", "--tags=demo"}, files...)
	env := []string{"KO_DOCKER_REPO=" + d.push + "/spock", "KO_DEFAULTBASEIMAGE=" + d.staticBase, "KO_CONFIG_PATH=" + config, "CGO_ENABLED=0"}
	return d.output(ctx, strings.NewReader(in), env, "ko", args...)
}

// koConfig is ko.yaml with the bases of this cluster.
func (d *demo) koConfig() (string, error) {
	raw, err := os.ReadFile(filepath.Join(d.root, "ko.yaml"))
	if err != nil {
		return "", fmt.Errorf("read ko's settings: %w", err)
	}
	dir, err := os.MkdirTemp("", "spock-ko-")
	if err != nil {
		return "", fmt.Errorf("make a folder for ko's settings: %w", err)
	}
	path := filepath.Join(dir, ".ko.yaml")
	text := strings.NewReplacer("localhost:5000/toolbox:1", d.toolbox, "localhost:5000/builder:1", d.builder).Replace(string(raw))
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// manifests are the YAML files of a folder that are to be installed: samples and tests
// are not.
func manifests(dir string) ([]string, error) {
	var files []string
	err := filepath.WalkDir(dir, func(path string, e os.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case e.IsDir() && path != dir && (e.Name() == "samples" || e.Name() == "tests"):
			return filepath.SkipDir
		case !e.IsDir() && strings.HasSuffix(path, ".yaml"):
			files = append(files, path)
		}
		return nil
	})
	return files, err
}
