package teller

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/summary"
)

// Words for how something stands, beside those of Tekton.
const (
	succeeded = "Succeeded"
	failed    = "Failed"
	running   = "Running"
	notRun    = "None"
)

// whole is the name of the status of a run as a whole. A branch that is protected by it
// alone needs no change when a pipeline gets another task.
const whole = "run"

// story is how a run goes.
type story struct {
	// stages are the tasks in the order of the pipeline, without those that its conditions
	// left out.
	stages []summary.Status
	// records are what its tasks say of themselves by their results.
	records []record.Record
	// state and sentence are those of the run as a whole.
	state, sentence string
	done            bool
}

// child is a task of a run, whatever ran it.
type child struct {
	state          string
	message        string
	started, ended *metav1.Time
	results        map[string]tektonv1.ParamValue
}

// of reads a run and what ran for it, by the names of the tasks.
func of(run *tektonv1.PipelineRun, children map[string]child) story {
	c := run.Status.GetCondition(apis.ConditionSucceeded)
	s := story{done: run.IsDone(), state: state(c), sentence: c.GetMessage()}
	if s.done && (run.IsCancelled() || run.IsGracefullyCancelled()) {
		s.state = notRun
	}
	if run.Status.PipelineSpec == nil {
		return s
	}
	for _, task := range run.Status.PipelineSpec.Tasks {
		one, ran := children[task.Name]
		if !ran && leftOut(run, task.Name) {
			continue
		}
		if !ran {
			one.state = running
			if s.done {
				one.state = notRun
			}
		}
		s.stages = append(s.stages, summary.Status{Task: task.Name, State: one.state})
		if ran {
			s.records = append(s.records, one.record(task.Name))
		}
	}
	return s
}

func leftOut(run *tektonv1.PipelineRun, task string) bool {
	return slices.ContainsFunc(run.Status.SkippedTasks, func(s tektonv1.SkippedTask) bool {
		return s.Name == task && s.Reason == tektonv1.WhenExpressionsSkip
	})
}

func state(c *apis.Condition) string {
	switch {
	case c.IsTrue():
		return succeeded
	case c.IsFalse():
		return failed
	}
	return running
}

func ofTaskRun(run *tektonv1.TaskRun) child {
	out := newChild(run.Status.GetCondition(apis.ConditionSucceeded), run.Status.StartTime, run.Status.CompletionTime)
	for _, r := range run.Status.Results {
		out.results[r.Name] = r.Value
	}
	return out
}

func ofCustomRun(run *v1beta1.CustomRun) child {
	out := newChild(run.Status.GetCondition(apis.ConditionSucceeded), run.Status.StartTime, run.Status.CompletionTime)
	for _, r := range run.Status.Results {
		out.results[r.Name] = *tektonv1.NewStructuredValues(r.Value)
	}
	return out
}

func newChild(c *apis.Condition, started, ended *metav1.Time) child {
	return child{state: state(c), message: c.GetMessage(), started: started, ended: ended, results: map[string]tektonv1.ParamValue{}}
}

// record is what the results of a task say, when they are called as those of Spock's Tasks:
// a pipeline may name its tasks as it likes, and have others with the same results.
func (c child) record(task string) record.Record {
	text := func(name string) string { return c.results[name].StringVal }
	r := record.Record{Task: task, Commit: text("commit"), Environment: text("environment"), Phase: text("phase")}
	if c.started != nil {
		r.Started = c.started.Time
	}
	if c.ended != nil {
		r.Finished = c.ended.Time
	}
	switch {
	case r.Commit != "":
		r.Repository = text("url")
	case r.Environment != "":
		r.URL = text("url")
		r.Services = entries(text("services"))
	default:
		r.Images = c.results["services"].ArrayVal
	}
	r.Tests = c.tests()
	if c.state == failed {
		if r.Error = text("message"); r.Error == "" {
			r.Error = c.message
		}
	}
	return r
}

func (c child) tests() *record.Tests {
	var output result.Test
	all, err := strconv.Atoi(c.results["tests"].StringVal)
	if err != nil || json.Unmarshal([]byte(c.results["TEST_OUTPUT"].StringVal), &output) != nil {
		return nil
	}
	return &record.Tests{
		Passed: output.Successes, Failed: output.Failures, Skipped: max(0, all-output.Successes-output.Failures),
		Coverage: c.results["coverage"].StringVal,
	}
}

func entries(text string) []string {
	if text == "" {
		return nil
	}
	return strings.Split(text, ",")
}
