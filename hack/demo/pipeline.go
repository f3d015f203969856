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
	text := strings.NewReplacer(
		"COMMIT", strings.TrimSpace(commit), "REPOSITORY", repository, "IMAGE", d.pull+"/shop",
		"BASE", strings.Replace(d.staticBase, d.push, d.pull, 1), "GOPROXY", d.goproxy, "GOSUMDB", sumdb(d.goproxy),
		"INSECURE", fmt.Sprint(d.insecure),
	).Replace(pipelineRun)
	name, err := d.output(ctx, strings.NewReader(text), nil, "kubectl", "create", "-n", team, "-f", "-", "-o", "jsonpath={.metadata.name}")
	if err != nil {
		return err
	}
	d.pipelineRun = name
	d.say("pipelinerun %s on commit %.10s", name, commit)
	if d.find("tkn") != "" || onPath("tkn") {
		if err := d.show(ctx, "tkn", "pipelinerun", "logs", "-n", team, "-f", name); err != nil {
			return err
		}
	}
	if _, err := d.kubectl(ctx, "-n", team, "wait", "--for=jsonpath={.status.completionTime}", "--timeout=45m", "pipelinerun/"+name); err != nil {
		return err
	}
	return d.verdict(ctx, name)
}

// sumdb is off where modules come from the machine's own cache: there is no way out to
// ask, and the example's go.sum is checked all the same.
func sumdb(goproxy string) string {
	if goproxy == "" {
		return ""
	}
	return "off"
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
