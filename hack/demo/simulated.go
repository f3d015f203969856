package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	_ "embed"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

//go:embed simulated.yaml
var simulatedRun string

// simulatedRegistry is where the images of Tasks would come from; nobody pulls them.
const simulatedRegistry = "simulated.example/"

// unbuilt is resolve for a cluster that runs no container: the images have names, and
// nobody builds them.
func (d *demo) unbuilt(dirs ...string) (string, error) {
	var all []string
	for _, dir := range dirs {
		files, err := manifests(filepath.Join(d.root, dir))
		if err != nil {
			return "", err
		}
		for _, f := range files {
			raw, err := os.ReadFile(f)
			if err != nil {
				return "", fmt.Errorf("read manifests: %w", err)
			}
			all = append(all, strings.ReplaceAll(string(raw), "ko://", simulatedRegistry))
		}
	}
	return strings.Join(all, "\n---\n"), nil
}

// simulate runs a pipeline whose steps are simulated and whose deploy is not.
func (d *demo) simulate(ctx context.Context) error {
	results, err := d.buildResults()
	if err != nil {
		return err
	}
	if err := d.create(ctx, strings.ReplaceAll(simulatedRun, "RESULTS", results)); err != nil {
		return err
	}
	if err := d.ended(ctx, "10m"); err != nil {
		return err
	}
	if err := d.tasks(ctx); err != nil {
		return err
	}
	return d.verdict(ctx, d.pipelineRun)
}

// buildResults are what the build of the example would leave, with digests of no image.
func (d *demo) buildResults() (string, error) {
	commands, err := os.ReadDir(filepath.Join(d.root, "examples", "shop", "cmd"))
	if err != nil {
		return "", fmt.Errorf("read the example's commands: %w", err)
	}
	var services, images []string
	for _, c := range commands {
		image := fmt.Sprintf("%s/shop/%s@sha256:%x", d.pull, c.Name(), sha256.Sum256([]byte("simulated "+c.Name())))
		services, images = append(services, c.Name()+"="+image), append(images, image)
	}
	text, err := json.Marshal(map[string]any{"services": services, "IMAGES": strings.Join(images, ",")})
	return string(text), err
}

// taskRun is a TaskRun, or a CustomRun.
type taskRun struct {
	Kind     string
	Metadata struct{ Labels map[string]string }
	Status   struct {
		CompletionTime time.Time
		Conditions     []struct{ Reason, Message string }
	}
}

// tasks tells how the tasks of the pipeline ended, a line each.
func (d *demo) tasks(ctx context.Context) error {
	raw, err := d.kubectl(ctx, "-n", team, "get", "taskruns,customruns", "-l", "tekton.dev/pipelineRun="+d.pipelineRun, "-o", "json")
	if err != nil {
		return err
	}
	var runs struct{ Items []taskRun }
	if err := json.Unmarshal([]byte(raw), &runs); err != nil {
		return fmt.Errorf("read the tasks of pipelinerun %s: %w", d.pipelineRun, err)
	}
	slices.SortFunc(runs.Items, func(a, b taskRun) int {
		return a.Status.CompletionTime.Compare(b.Status.CompletionTime)
	})
	for _, r := range runs.Items {
		what := "its steps ran nowhere"
		if r.Kind == "CustomRun" {
			what = "a real custom task, on pods that ran nowhere"
		}
		for _, c := range r.Status.Conditions {
			fmt.Printf("simulated: %-16s %s (%s): %s\n", r.Metadata.Labels["tekton.dev/pipelineTask"], c.Reason, what, c.Message)
		}
	}
	return nil
}

// tellSimulated shows the environment and what to try next.
func (d *demo) tellSimulated(ctx context.Context) error {
	text, err := d.output(ctx, nil, nil, "spock", "env", "show", "shop", "-n", team)
	if err != nil {
		return err
	}
	for lines := bufio.NewScanner(strings.NewReader(text)); lines.Scan(); {
		fmt.Println("simulated:", lines.Text())
	}
	fmt.Printf(`
Simulated: no container runs, so the URL answers nothing, there are no logs, and a pod is
ready because the fake kubelet says so after a seeded delay. API server, scheduler, Tekton's
controllers and Spock's are real.
Done in %s. Try next:
  export KUBECONFIG=.cluster/kubeconfig PATH=$PWD/bin:$PWD/.cluster/bin:$PATH
  spock env plan shop -n %s                # what another deploy would write
  kubectl edit environment shop -n %s      # give web the image registry.localhost:5000/shop/web:nowhere
  spock env why shop -n %s                 # and see what is said of it
  tkn pipelinerun describe %s -n %s
  make cluster-down
`, time.Since(d.began).Round(time.Second), team, team, team, d.pipelineRun, team)
	return nil
}
