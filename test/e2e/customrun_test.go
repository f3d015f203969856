//go:build e2e

package e2e

import (
	pipelinev1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"knative.dev/pkg/apis"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// deploy makes a Deploy CustomRun and returns its name.
func (l *lab) deploy(environment, product string) string {
	l.Helper()
	run, err := l.tekton.TektonV1beta1().CustomRuns(l.name).Create(l.ctx, &v1beta1.CustomRun{
		ObjectMeta: metav1.ObjectMeta{GenerateName: environment + "-"},
		Spec: v1beta1.CustomRunSpec{
			ServiceAccountName: account,
			CustomRef:          &v1beta1.TaskRef{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "Deploy"},
			Params: v1beta1.Params{
				{Name: "environment", Value: *v1beta1.NewStructuredValues(environment)},
				{Name: "product", Value: *v1beta1.NewStructuredValues(product)},
				{Name: "class", Value: *v1beta1.NewStructuredValues(l.name)},
			},
		},
	}, metav1.CreateOptions{})
	l.must(err)
	return run.Name
}

// pipelineOf makes a PipelineRun with a Deploy custom task and returns its name.
func (l *lab) pipelineOf(environment, product string) string {
	l.Helper()
	run, err := l.tekton.TektonV1().PipelineRuns(l.name).Create(l.ctx, &pipelinev1.PipelineRun{
		ObjectMeta: metav1.ObjectMeta{GenerateName: environment + "-"},
		Spec: pipelinev1.PipelineRunSpec{
			TaskRunTemplate: pipelinev1.PipelineTaskRunTemplate{ServiceAccountName: account},
			PipelineSpec: &pipelinev1.PipelineSpec{Tasks: []pipelinev1.PipelineTask{{
				Name:    "deploy",
				TaskRef: &pipelinev1.TaskRef{APIVersion: v1alpha1.SchemeGroupVersion.String(), Kind: "Deploy"},
				Params: pipelinev1.Params{
					{Name: "environment", Value: *pipelinev1.NewStructuredValues(environment)},
					{Name: "product", Value: *pipelinev1.NewStructuredValues(product)},
					{Name: "class", Value: *pipelinev1.NewStructuredValues(l.name)},
				},
			}}},
		},
	}, metav1.CreateOptions{})
	l.must(err)
	return run.Name
}

// ended waits for the end of a CustomRun and returns how it ended.
func (l *lab) ended(name string) *apis.Condition {
	l.Helper()
	run := await(l, ref{customRuns, l.name, name}, 3*soon, "it has ended", func(run *v1beta1.CustomRun) bool {
		return run != nil && run.IsDone()
	})
	return run.Status.GetCondition(apis.ConditionSucceeded)
}
