package main

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/bench/measure"
	"spock.dev/spock/bench/work"
)

func TestWhoTellsTheClusterOfAFault(t *testing.T) {
	t.Parallel()
	kubelet := measure.Request{As: nodes, Verb: "patch", Resource: "pods/status", Name: "s000-66f8-x", Code: 200}
	of := func(r measure.Request, change func(*measure.Request)) measure.Request {
		change(&r)
		return r
	}
	tests := map[string]struct {
		fault   work.Fault
		request measure.Request
		want    bool
	}{
		"the kubelet, of the pod":            {work.NoImage, kubelet, true},
		"not the kubelet, of another pod":    {work.NoImage, of(kubelet, func(r *measure.Request) { r.Name = "s001-66f8-x" }), false},
		"the scheduler, of a pod too large":  {work.Unschedulable, of(kubelet, func(r *measure.Request) { r.As = "" }), true},
		"not the kubelet, of one without":    {work.Unschedulable, kubelet, false},
		"the kubelet's event, of a probe":    {work.ProbeFails, measure.Request{As: nodes, Verb: "create", Resource: "events"}, true},
		"the refusal of a pod, of a quota":   {work.OverQuota, measure.Request{Verb: "create", Resource: "pods", Code: 403}, true},
		"not a pod that was let in":          {work.OverQuota, measure.Request{Verb: "create", Resource: "pods", Code: 201}, false},
		"the refusal of a workload's field":  {work.BadField, measure.Request{Verb: "patch", Resource: "deployments.apps", Name: "s000", Code: 422}, true},
		"not a workload that was taken":      {work.BadField, measure.Request{Verb: "patch", Resource: "deployments.apps", Name: "s000", Code: 201}, false},
		"not the refusal of another service": {work.BadField, measure.Request{Verb: "patch", Resource: "deployments.apps", Name: "s001", Code: 422}, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tells(tc.request, tc.fault, "s000"); got != tc.want {
				t.Errorf("tells() = %t, want %t", got, tc.want)
			}
		})
	}
}

func TestEveryFaultHasACause(t *testing.T) {
	t.Parallel()
	for _, f := range work.Faults() {
		if causes[f] == "" {
			t.Errorf("it is not said what %s is called", f)
		}
	}
}

func TestManyEnvironmentsAreMeasuredTogether(t *testing.T) {
	t.Parallel()
	began := time.Date(2026, 11, 26, 12, 0, 0, 0, time.UTC)
	all := []measure.Request{
		{Verb: "patch", User: "engine", Resource: "configmaps", Namespace: "ns-many-0", Received: began},
		{Verb: "create", User: "engine", Resource: "namespaces", Received: began.Add(time.Second)},
	}
	window := measure.Window{From: began, To: began.Add(3 * time.Second), Engine: "engine"}
	w := work.Work{Services: []work.Service{{Name: "db"}}}
	got := together(all, window, w, 2, func(name string) string { return "ns-" + name })
	want := map[string]float64{
		"wall_s": 3, "t_min_s": 0, "overhead_s": 3, "order_violations": 0, "workloads_written": 0, "written_twice": 0,
		"requests": 2, "writes": 2, "objects_changed": 6, "requests_per_object": 2.0 / 6,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("measures (-want +got):\n%s", diff)
	}
}
