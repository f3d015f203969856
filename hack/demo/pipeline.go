package main

import (
	"context"
	_ "embed"
	"encoding/json"
	"fmt"
	"strings"
)

//go:embed pipelinerun.yaml
var pipelineRun string

// pipeline runs the pipeline on the example's newest commit and shows its log.
func (d *demo) pipeline(ctx context.Context) error {
	commit, err := d.git(ctx, "rev-parse", "HEAD")
	if err != nil {
		return err
	}
	d.say("commit %.10s", commit)
	text := strings.NewReplacer(
		"COMMIT", strings.TrimSpace(commit), "REPOSITORY", repository, "IMAGE", d.pull+"/shop",
		"BASE", strings.Replace(d.staticBase, d.push, d.pull, 1), "GOPROXY", d.goproxy, "GOSUMDB", sumdb(d.goproxy),
		"INSECURE", fmt.Sprint(d.insecure), "CLASS", d.class,
	).Replace(pipelineRun)
	if err := d.create(ctx, text); err != nil {
		return err
	}
	if d.find("tkn") != "" || onPath("tkn") {
		if err := d.show(ctx, "tkn", "pipelinerun", "logs", "-n", team, "-f", d.pipelineRun); err != nil {
			return err
		}
	}
	if err := d.ended(ctx, "45m"); err != nil {
		return err
	}
	return d.verdict(ctx, d.pipelineRun)
}

// create makes the PipelineRun of this demo.
func (d *demo) create(ctx context.Context, text string) (err error) {
	d.pipelineRun, err = d.output(ctx, strings.NewReader(text), nil, "kubectl", "create", "-n", team, "-f", "-", "-o", "jsonpath={.metadata.name}")
	d.say("pipelinerun %s", d.pipelineRun)
	return err
}

// ended waits for the end of the PipelineRun.
func (d *demo) ended(ctx context.Context, within string) error {
	_, err := d.kubectl(ctx, "-n", team, "wait", "--for=jsonpath={.status.completionTime}", "--timeout="+within, "pipelinerun/"+d.pipelineRun)
	return err
}

// sumdb is off where modules come from the machine's own cache: there is no way out to
// ask, and the example's go.sum is checked all the same.
func sumdb(goproxy string) string {
	if goproxy == "" {
		return ""
	}
	return "off"
}

// evidence shows what there is to see of a PipelineRun that failed, beside its logs.
func (d *demo) evidence(ctx context.Context, name string) {
	of := []string{"-n", team, "-l", "tekton.dev/pipelineRun=" + name}
	for _, args := range [][]string{
		append([]string{"get", "taskruns", "-o", `custom-columns=TASKRUN:.metadata.name,REASON:.status.conditions[0].reason,MESSAGE:.status.conditions[0].message`}, of...),
		append([]string{"get", "pods", "-o", `custom-columns=POD:.metadata.name,PHASE:.status.phase,REASON:.status.reason,MESSAGE:.status.message,INIT:.status.initContainerStatuses[*].state.terminated.reason,STEPS:.status.containerStatuses[*].state`}, of...),
		{"get", "events", "-n", team, "--field-selector", "type=Warning"},
	} {
		_ = d.show(ctx, "kubectl", args...) // the failure itself is what is returned
	}
}

// verdict fails when the PipelineRun did, with its own words.
func (d *demo) verdict(ctx context.Context, name string) error {
	raw, err := d.kubectl(ctx, "-n", team, "get", "pipelinerun", name, "-o", "json")
	if err != nil {
		return err
	}
	var run struct {
		Status struct {
			Conditions []struct{ Type, Status, Reason, Message string }
			Results    []struct {
				Name  string
				Value json.RawMessage
			}
		}
	}
	if err := json.Unmarshal([]byte(raw), &run); err != nil {
		return fmt.Errorf("read pipelinerun %s: %w", name, err)
	}
	for _, c := range run.Status.Conditions {
		if c.Type == "Succeeded" && c.Status != "True" {
			d.evidence(ctx, name)
			return fmt.Errorf("pipelinerun %s: %s: %s", name, c.Reason, c.Message)
		}
	}
	for _, r := range run.Status.Results {
		if r.Name == "url" {
			if err := json.Unmarshal(r.Value, &d.url); err != nil {
				return fmt.Errorf("read the url of pipelinerun %s: %w", name, err)
			}
		}
	}
	if d.url == "" {
		return fmt.Errorf("pipelinerun %s succeeded without a url", name)
	}
	return nil
}
