// Package cancel ends PipelineRuns that have been overtaken: those of a pull request that is
// closed, or whose newer commit is being built.
package cancel

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"

	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	tekton "github.com/tektoncd/pipeline/pkg/client/clientset/versioned"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/follow"
	"spock.dev/spock/pkg/trigger"
)

// ends lets the finally tasks of a cancelled run tell how it went.
const ends = `{"spec":{"status":"` + tektonv1.PipelineRunSpecStatusCancelledRunFinally + `"}}`

// Before cancels the runs of a selector that are older than a run of the namespace, and
// returns their names when all of them have ended. A younger run was asked for later, and
// stays. Nothing is cancelled twice.
func Before(ctx context.Context, client tekton.Interface, namespace, self, selector string) ([]string, error) {
	if parsed, err := labels.Parse(selector); err != nil || parsed.Empty() {
		return nil, fmt.Errorf("selector %q: %w", selector, errors.Join(err, errors.New("name the labels of the runs to cancel, for example spock.dev/event-number=42")))
	}
	runs := client.TektonV1().PipelineRuns(namespace)
	own, err := runs.Get(ctx, self, metav1.GetOptions{})
	if err != nil {
		return nil, fmt.Errorf("read pipelinerun %s/%s, before which runs are cancelled: %w", namespace, self, err)
	}
	all, err := runs.List(ctx, metav1.ListOptions{LabelSelector: selector})
	if err != nil {
		return nil, fmt.Errorf("list the pipelineruns of %s: %w", namespace, err)
	}
	var names []string
	for i := range all.Items {
		run := &all.Items[i]
		if run.IsDone() || compare(run, own) >= 0 {
			continue
		}
		names = append(names, run.Name)
		if run.Spec.Status != "" {
			continue
		}
		_, err := runs.Patch(ctx, run.Name, types.MergePatchType, []byte(ends), metav1.PatchOptions{FieldManager: "spock-cancel"})
		if err != nil && !apierrors.IsNotFound(err) {
			return names, fmt.Errorf("cancel pipelinerun %s/%s: %w", namespace, run.Name, err)
		}
	}
	return names, wait(ctx, client, namespace, selector, names)
}

// compare orders runs by when they were asked for. The cluster knows the second, a door for
// events more than that; of two that nobody can tell apart the names decide, so that never
// each is older than the other.
func compare(a, b *tektonv1.PipelineRun) int {
	return cmp.Or(a.CreationTimestamp.Compare(b.CreationTimestamp.Time),
		strings.Compare(a.Annotations[trigger.Taken], b.Annotations[trigger.Taken]), strings.Compare(a.Name, b.Name))
}

// wait ends when none of the runs is under way.
func wait(ctx context.Context, client tekton.Interface, namespace, selector string, names []string) error {
	left := map[string]bool{}
	for _, name := range names {
		left[name] = true
	}
	if len(left) == 0 {
		return nil
	}
	only := metav1.ListOptions{LabelSelector: selector}
	err := follow.Objects(ctx, client, client.TektonV1().PipelineRuns(namespace), only, &tektonv1.PipelineRun{}, true,
		func(run *tektonv1.PipelineRun, gone bool) bool {
			if gone || run.IsDone() {
				delete(left, run.Name)
			}
			return len(left) == 0
		})
	if err != nil {
		return fmt.Errorf("wait for %d cancelled pipelineruns of %s: %w", len(left), namespace, err)
	}
	return nil
}
