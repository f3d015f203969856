//go:build e2e

package e2e

import (
	"slices"
	"strings"
	"testing"

	pipelinev1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// stuck makes a lab with a shop that never comes beyond its second tier.
func stuck(t *testing.T) *lab {
	t.Helper()
	l := newLab(t)
	l.create(page(), never(), l.shop(l.service("db", "page"), l.service("orders", "never"), l.service("web", "page")))
	return l
}

// written says which Deployments an environment has.
func (l *lab) written(environment string) []string {
	l.Helper()
	list, err := l.kube.AppsV1().Deployments(l.home(environment)).List(l.ctx, metav1.ListOptions{})
	l.must(err)
	var names []string
	for _, d := range list.Items {
		names = append(names, d.Name)
	}
	slices.Sort(names)
	return names
}

func TestACancelledPipelineSuspendsTheRollout(t *testing.T) {
	t.Parallel()
	l := stuck(t)
	name := l.pipelineOf("shop", "shop")
	l.isAt("shop", "orders", v1alpha1.ServiceProgressing)
	_, err := l.tekton.TektonV1().PipelineRuns(l.name).Patch(l.ctx, name, types.MergePatchType, []byte(`{"spec":{"status":"Cancelled"}}`), metav1.PatchOptions{})
	l.must(err)

	run := await(l, ref{pipelineRuns, l.name, name}, soon, "it has ended", func(run *pipelinev1.PipelineRun) bool { return run != nil && run.IsDone() })
	if end := run.Status.GetCondition(apis.ConditionSucceeded); end.Reason != "Cancelled" {
		t.Errorf("the PipelineRun ended %s: %s", end.Reason, end.Message)
	}
	end := l.ended(run.Status.ChildReferences[0].Name)
	if !end.IsFalse() || end.Reason != v1beta1.CustomRunReasonCancelled.String() || !strings.Contains(end.Message, "suspended where it stood") {
		t.Errorf("the CustomRun ended %s: %s", end.Reason, end.Message)
	}
	env := l.reaches("shop", v1alpha1.PhaseSuspended, 2)
	if run := l.runs("shop")[1]; run.Status.Phase != v1alpha1.PhaseSuspended || !run.Done() {
		t.Errorf("the EnvironmentRun is %s: %s", run.Status.Phase, run.Status.Message)
	}
	if got := l.written("shop"); !slices.Equal(got, []string{"db", "orders"}) {
		t.Errorf("there are deployments %v of a suspended environment: %s", got, env.Status.Message)
	}
}

func TestADeletedCustomRunIsLetGo(t *testing.T) {
	t.Parallel()
	l := stuck(t)
	name := l.deploy("shop", "shop")
	l.isAt("shop", "orders", v1alpha1.ServiceProgressing)
	run, err := l.tekton.TektonV1beta1().CustomRuns(l.name).Get(l.ctx, name, metav1.GetOptions{})
	l.must(err)
	if !slices.Contains(run.Finalizers, v1alpha1.FinalizerCustomRun) {
		t.Errorf("the finalizers of a running CustomRun are %v", run.Finalizers)
	}
	l.must(l.tekton.TektonV1beta1().CustomRuns(l.name).Delete(l.ctx, name, metav1.DeleteOptions{}))
	l.gone(ref{customRuns, l.name, name}, soon)
	l.reaches("shop", v1alpha1.PhaseSuspended, 2)
	if got := l.written("shop"); !slices.Equal(got, []string{"db", "orders"}) {
		t.Errorf("there are deployments %v", got)
	}
}
