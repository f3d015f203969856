package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/dynamic/fake"
	clienttesting "k8s.io/client-go/testing"

	"spock.dev/spock/bench/work"
)

func TestReadyGoesByTheCounts(t *testing.T) {
	t.Parallel()
	one := int32(1)
	tests := map[string]struct {
		generation      int64
		status          appsv1.DeploymentStatus
		loose, strictly bool
	}{
		"no status yet":                       {1, appsv1.DeploymentStatus{}, true, false},
		"its pod is not available":            {1, appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, UnavailableReplicas: 1}, false, false},
		"its pod is available":                {1, appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1}, true, true},
		"the pod of the generation before is": {2, appsv1.DeploymentStatus{ObservedGeneration: 1, Replicas: 1, UpdatedReplicas: 1, AvailableReplicas: 1}, true, false},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			d := &appsv1.Deployment{Spec: appsv1.DeploymentSpec{Replicas: &one}, Status: tc.status}
			d.Generation = tc.generation
			if diff := cmp.Diff([]bool{tc.loose, tc.strictly}, []bool{ready(d, false), ready(d, true)}); diff != "" {
				t.Errorf("ready, loose and strict (-want +got):\n%s", diff)
			}
		})
	}
}

// cluster is a fake one in which a written workload is ready after its time.
func cluster() *fake.FakeDynamicClient {
	kinds := map[schema.GroupVersionResource]string{configMaps: "ConfigMapList", services: "ServiceList", deployments: "DeploymentList"}
	client := fake.NewSimpleDynamicClientWithCustomListKinds(runtime.NewScheme(), kinds)
	written := map[string]time.Time{}
	client.PrependReactor("create", "deployments", func(a clienttesting.Action) (bool, runtime.Object, error) {
		written[a.(clienttesting.CreateAction).GetObject().(*unstructured.Unstructured).GetName()] = time.Now()
		return false, nil, nil
	})
	client.PrependReactor("get", "deployments", func(a clienttesting.Action) (bool, runtime.Object, error) {
		name := a.(clienttesting.GetAction).GetName()
		at, is := written[name]
		if !is {
			return false, nil, nil
		}
		status := map[string]any{"replicas": int64(1), "unavailableReplicas": int64(1)}
		if time.Since(at) > 1500*time.Millisecond {
			status = map[string]any{"replicas": int64(1), "updatedReplicas": int64(1), "availableReplicas": int64(1)}
		}
		return true, &unstructured.Unstructured{Object: map[string]any{"metadata": map[string]any{"name": name}, "status": status}}, nil
	})
	return client
}

func TestATierBeginsWhenTheOneBeforeWasSeenReady(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client := cluster()
		l := &loop{client: client, namespace: "shop", every: time.Second, within: 5 * time.Minute}
		w := work.Tiers("shop", 2, 2, false, work.Delays{Median: time.Second, Seed: 1})
		began := time.Now()
		if err := l.deploy(context.Background(), w); err != nil {
			t.Fatal(err)
		}
		var did []string
		for _, a := range client.Actions() {
			did = append(did, a.GetVerb()+" "+a.GetResource().Resource)
		}
		write := []string{"get configmaps", "create configmaps", "get services", "create services", "get deployments", "create deployments"}
		round := []string{"get deployments", "get deployments"} // one sees it on its way, one sees it ready
		if diff := cmp.Diff(slices.Concat(write, round, write, round), did); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
		if took := time.Since(began); took != 4*time.Second {
			t.Errorf("took %v, want two rounds of a second for each of two tiers", took)
		}
	})
}

func TestAGroupThatIsNotReadyInTimeEndsIt(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		l := &loop{client: cluster(), namespace: "shop", every: time.Second, within: time.Second}
		err := l.deploy(context.Background(), work.Tiers("shop", 2, 2, false, work.Delays{Median: time.Second, Seed: 1}))
		if err == nil || !strings.Contains(err.Error(), "wait for tier 0") {
			t.Errorf("deploy() = %v, want the tier that was not ready", err)
		}
	})
}

func TestErrorsStandInTheOrderOfTheServices(t *testing.T) {
	t.Parallel()
	err := each([]work.Service{{Name: "a"}, {Name: "b"}, {Name: "c"}}, func(s work.Service) error {
		if s.Name == "b" {
			return nil
		}
		return fmt.Errorf("no %s", s.Name)
	})
	if diff := cmp.Diff("no a\nno c", fmt.Sprint(err)); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
}
