package kubelet

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/bench/work"
)

func TestAPodFailsWhereItSaysSo(t *testing.T) {
	t.Parallel()
	probe := func(command ...string) *corev1.Probe {
		return &corev1.Probe{ProbeHandler: corev1.ProbeHandler{Exec: &corev1.ExecAction{Command: command}}}
	}
	tests := map[string]struct {
		spec corev1.PodSpec
		want work.Fault
	}{
		"an image that is there":                 {spec: corev1.PodSpec{Containers: []corev1.Container{{Image: "here:1"}}}},
		"an image that is not there":             {spec: corev1.PodSpec{Containers: []corev1.Container{{Image: "here:1"}, {Image: "nowhere:1"}}}, want: work.NoImage},
		"one of an init container":               {spec: corev1.PodSpec{InitContainers: []corev1.Container{{Image: "nowhere:1"}}, Containers: []corev1.Container{{Image: "here:1"}}}, want: work.NoImage},
		"a probe that cannot succeed":            {spec: corev1.PodSpec{Containers: []corev1.Container{{Image: "here:1", ReadinessProbe: probe("false")}}}, want: work.ProbeFails},
		"a probe of which nobody knows anything": {spec: corev1.PodSpec{Containers: []corev1.Container{{Image: "here:1", ReadinessProbe: probe("pg_isready")}}}},
	}
	s := &Simulation{Has: func(image string) bool { return !strings.HasPrefix(image, "nowhere") }}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := s.fault(&corev1.Pod{Spec: tc.spec}); got != tc.want {
				t.Errorf("the fault is %q, want %q", got, tc.want)
			}
		})
	}
}

func TestStepsLeaveTheResultsThatAreDeclared(t *testing.T) {
	t.Parallel()
	run := &unstructured.Unstructured{Object: map[string]any{
		"metadata": map[string]any{"name": "build", "annotations": map[string]any{ResultsAnnotation: `{"services":["web=image"],"IMAGES":"image"}`}},
		"status": map[string]any{"taskSpec": map[string]any{"results": []any{
			map[string]any{"name": "services", "type": "array"},
			map[string]any{"name": "IMAGES", "type": "string"},
			map[string]any{"name": "commit"},
			map[string]any{"name": "parts", "type": "array"},
			map[string]any{"name": "place", "type": "object", "properties": map[string]any{"url": map[string]any{"type": "string"}}},
		}}},
	}}
	got, err := results(run)
	if err != nil {
		t.Fatal(err)
	}
	want := []entry{
		{"services", `["web=image"]`, resultEntry}, {"IMAGES", "image", resultEntry}, {"commit", "simulated", resultEntry},
		{"parts", `["simulated"]`, resultEntry}, {"place", `{"url":"simulated"}`, resultEntry},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("results (-want +got):\n%s", diff)
	}
	run.SetAnnotations(map[string]string{ResultsAnnotation: "web=image"})
	if _, err := results(run); err == nil || !strings.Contains(err.Error(), "read annotation spock.dev/simulated-results of TaskRun build") {
		t.Errorf("an annotation that is no JSON gives the error %v", err)
	}
}

func TestTheSamePodTakesTheSameTime(t *testing.T) {
	t.Parallel()
	d := work.Delays{Median: time.Second, Seed: 1}
	if a, b := d.Of("shop/web"), d.Of("shop/web"); a != b || a <= 0 {
		t.Errorf("%s and %s for the same name", a, b)
	}
	if a, b := d.Of("shop/web"), d.Of("shop/orders"); a == b {
		t.Errorf("%s for two names", a)
	}
}
