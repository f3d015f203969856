// Command kapp measures kapp. It has a graph: change groups and change rules, by annotation.
// The Deployment of a service is in the group of its tier, and in one of its own; it goes
// after those that it waits for.
//
// As "default" it is as its command line is; as "tuned" it looks every 200 milliseconds, with
// 20 writers and 20 waiters.
package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"

	"carvel.dev/kapp/pkg/kapp/cmd"
	"github.com/cppforlife/go-cli-ui/ui"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/bench/peer"
	"spock.dev/spock/bench/work"
)

func main() {
	peer.Main(peer.Peer{
		Modes: []string{"default", "tuned"},
		Deploy: func(_ context.Context, job peer.Job) error {
			dir, err := os.MkdirTemp("", "kapp-")
			if err != nil {
				return fmt.Errorf("make a folder: %w", err)
			}
			defer os.RemoveAll(dir)
			text, err := describe(job)
			if err != nil {
				return err
			}
			file := filepath.Join(dir, "all.yaml")
			if err := os.WriteFile(file, text, 0o600); err != nil {
				return fmt.Errorf("write the manifests: %w", err)
			}
			return kapp(job, "deploy", "-f", file, "--diff-changes=false", "--wait-timeout=10m")
		},
		Teardown: func(_ context.Context, job peer.Job) error { return kapp(job, "delete", "--wait-timeout=10m") },
	})
}

// kapp runs a command of kapp's in this process.
func kapp(job peer.Job, args ...string) error {
	args = append(args, "-a", "bench", "-n", job.Namespace, "-y", "--kubeconfig", job.Kubeconfig)
	if job.Mode == "tuned" {
		args = append(args, "--apply-check-interval=200ms", "--wait-check-interval=200ms", "--apply-concurrency=20", "--wait-concurrency=20")
	}
	said := ui.NewConfUI(ui.NewNoopLogger())
	defer said.Flush()
	command := cmd.NewDefaultKappCmd(said)
	command.SetArgs(args)
	return command.Execute()
}

const (
	group = "kapp.k14s.io/change-group."
	rule  = "kapp.k14s.io/change-rule."
)

// describe are the manifests with groups and rules.
func describe(job peer.Job) ([]byte, error) {
	var all bytes.Buffer
	for _, s := range job.Work.Services {
		plain, err := s.Plain(job.Namespace)
		if err != nil {
			return nil, err
		}
		for _, o := range plain {
			if o.GetKind() == "Deployment" {
				o.SetAnnotations(order(job.Work, s))
			}
			text, err := yaml.Marshal(o.Object)
			if err != nil {
				return nil, fmt.Errorf("write a manifest: %w", err)
			}
			all.WriteString("---\n")
			all.Write(text)
		}
	}
	return all.Bytes(), nil
}

// order is where a service stands, in kapp's words.
func order(w work.Work, s work.Service) map[string]string {
	tier := func(n int) string { return fmt.Sprintf("bench.example/tier-%d", n) }
	words := map[string]string{group + "own": "bench.example/" + s.Name, group + "tier": tier(s.Tier)}
	for i, need := range s.Needs {
		words[fmt.Sprintf("%sneed-%d", rule, i)] = "upsert after upserting bench.example/" + need
	}
	if !w.Fine && s.Tier > 0 {
		words[rule+"tier"] = "upsert after upserting " + tier(s.Tier-1)
	}
	return words
}
