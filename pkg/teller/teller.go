package teller

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strconv"
	"sync"
	"time"

	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	tekton "github.com/tektoncd/pipeline/pkg/client/clientset/versioned"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/tools/cache"

	"spock.dev/spock/pkg/task/github"
	"spock.dev/spock/pkg/task/jira"
	"spock.dev/spock/pkg/task/summary"
	"spock.dev/spock/pkg/trigger"
)

// Annotation of a run that keeps what was told of it.
const Annotation = "spock.dev/told"

// old is how long after its end a run is still told of: what ended before this was
// installed is nobody's news.
const old = 24 * time.Hour

// titles of the comments, by the action of the event.
var titles = map[trigger.Action]string{
	trigger.Up: "Environment", trigger.Down: "Teardown", trigger.Integrate: "Integration", trigger.Test: "Test", trigger.Deploy: "Deploy",
}

// Teller tells of one run at a time.
type Teller struct {
	// Config says whom to tell. GitHub and Jira are told when it has them.
	Config Config
	GitHub github.Client
	Jira   jira.Client
	// Runs finds the runs and what runs for them: a Watch.
	Runs finder
	// Cluster keeps what was told.
	Cluster tekton.Interface
	Now     func() time.Time
	Log     *slog.Logger

	// recent is what was told by this process, by the run's name: the cache comes to know
	// of it a moment later.
	recent sync.Map
}

// finder finds runs, from a cache: a Watch.
type finder interface {
	// run returns a run; an error that says NotFound when it is gone.
	run(namespace, name string) (*tektonv1.PipelineRun, error)
	// children are what ran for it, by the names of the tasks.
	children(*tektonv1.PipelineRun) (map[string]child, error)
}

// memory is what was told, by what it was about.
type memory map[string]string

// Tell writes what has changed since it was told. It can be called again at any time.
func (t *Teller) Tell(ctx context.Context, namespace, name string) error {
	run, err := t.Runs.run(namespace, name)
	key := cache.NewObjectName(namespace, name)
	if apierrors.IsNotFound(err) {
		t.recent.Delete(key)
		return nil
	}
	if err != nil {
		return fmt.Errorf("find run %s: %w", name, err)
	}
	if c := run.Status.CompletionTime; c != nil && t.Now().Sub(c.Time) > old {
		return nil
	}
	children, err := t.Runs.children(run)
	if err != nil {
		return fmt.Errorf("find the tasks of run %s: %w", name, err)
	}
	told := memory{}
	// What another hand has put there is as good as nothing: all is told once more.
	_ = json.Unmarshal([]byte(run.Annotations[Annotation]), &told)
	if known, ok := t.recent.Load(key); ok {
		maps.Copy(told, known.(memory))
	}
	changed, problem := t.tell(ctx, run, of(run, children), told)
	if !changed {
		return problem
	}
	t.recent.Store(key, told)
	if err := t.keep(ctx, run, told); err != nil {
		return err
	}
	return problem
}

// tell goes on to Jira when GitHub cannot be told.
func (t *Teller) tell(ctx context.Context, run *tektonv1.PipelineRun, s story, told memory) (changed bool, problem error) {
	if t.Config.GitHub != nil && slices.Contains(t.Config.GitHub.Repositories, run.Annotations[trigger.Prefix+"repository"]) {
		changed, problem = t.tellGitHub(ctx, run, s, told)
	}
	if t.Config.Jira != nil && run.Labels[trigger.Prefix+"issue"] != "" && s.done {
		moved, err := t.tellJira(ctx, run, s, told)
		changed = changed || moved
		if problem == nil {
			problem = err
		}
	}
	return changed, problem
}

func (t *Teller) tellGitHub(ctx context.Context, run *tektonv1.PipelineRun, s story, told memory) (bool, error) {
	action := trigger.Action(run.Labels[trigger.Prefix+"action"])
	report := github.Report{
		Repository: run.Annotations[trigger.Prefix+"repository"], Context: t.Config.Context,
		Commit: summary.Commit(s.records, run.Annotations[trigger.Prefix+"commit"]), Link: t.Config.link(run.Namespace, run.Name),
		Sentences: summary.Sentences(s.records),
	}
	next := memory{}
	// A teardown says nothing of a commit, and what nobody knows yet cannot be told.
	if action != trigger.Down && report.Commit != "" {
		report.Sentences[whole] = s.sentence
		for _, stage := range append(s.stages, summary.Status{Task: whole, State: s.state}) {
			if word := github.State(stage.State); told["status "+stage.Task] != word {
				next["status "+stage.Task] = word
				report.Stages = append(report.Stages, stage)
			}
		}
	}
	if number, err := strconv.Atoi(run.Labels[trigger.Prefix+"number"]); err == nil && s.done {
		report.Comment = summary.Markdown(titles[action], report.Link, s.stages, s.records) + why(s)
		if sum := digest(report.Comment); told["comment"] != sum {
			next["comment"], report.Pull = sum, number
		}
	}
	if len(next) == 0 {
		return false, nil
	}
	if _, err := t.GitHub.Tell(ctx, report); err != nil {
		return false, fmt.Errorf("tell GitHub of run %s: %w", run.Name, err)
	}
	t.Log.Info("GitHub was told", "run", run.Name, "statuses", len(report.Stages), "pull", report.Pull)
	return remember(told, next), nil
}

func (t *Teller) tellJira(ctx context.Context, run *tektonv1.PipelineRun, s story, told memory) (bool, error) {
	action := trigger.Action(run.Labels[trigger.Prefix+"action"])
	report := jira.Report{
		Issue: run.Labels[trigger.Prefix+"issue"], Context: t.Config.Context, Title: titles[action], Link: summary.URL(s.records),
		Transition: t.Config.Jira.Transitions[action],
	}
	if !summary.Well(s.stages) || s.state != succeeded {
		report.Transition = t.Config.Jira.FailedTransitions[action]
	}
	if report.Link == "" {
		report.Link = t.Config.link(run.Namespace, run.Name)
	}
	report.Comment = summary.Plain(report.Title, t.Config.link(run.Namespace, run.Name), s.stages, s.records)
	sum := digest(report.Comment + report.Transition)
	if told["issue"] == sum {
		return false, nil
	}
	if _, err := t.Jira.Tell(ctx, report); err != nil {
		return false, fmt.Errorf("tell Jira of run %s: %w", run.Name, err)
	}
	t.Log.Info("Jira was told", "run", run.Name, "issue", report.Issue)
	return remember(told, memory{"issue": sum}), nil
}

// why is what a run says of its end that no task has said: that it was never begun, or
// was cancelled.
func why(s story) string {
	if s.state == succeeded || s.sentence == "" {
		return ""
	}
	return "\n" + summary.Quote(s.sentence) + "\n"
}

// keep writes what was told to the run; a run that is gone needs no memory.
func (t *Teller) keep(ctx context.Context, run *tektonv1.PipelineRun, told memory) error {
	text, err := json.Marshal(told)
	if err != nil {
		return fmt.Errorf("keep what was told of run %s: %w", run.Name, err)
	}
	patch, err := json.Marshal(map[string]any{"metadata": map[string]any{"annotations": map[string]string{Annotation: string(text)}}})
	if err != nil {
		return fmt.Errorf("keep what was told of run %s: %w", run.Name, err)
	}
	_, err = t.Cluster.TektonV1().PipelineRuns(run.Namespace).Patch(ctx, run.Name, types.MergePatchType, patch, metav1.PatchOptions{FieldManager: "spock-teller"})
	if err != nil && !apierrors.IsNotFound(err) {
		return fmt.Errorf("keep what was told of run %s: %w", run.Name, err)
	}
	return nil
}

func remember(told, next memory) bool {
	maps.Copy(told, next)
	return true
}

func digest(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:8])
}
