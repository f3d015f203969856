package kube

import (
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	k8stesting "k8s.io/client-go/testing"

	"github.com/google/go-cmp/cmp"
)

func asking(pod *corev1.Pod, cpu string) *corev1.Pod {
	pod.Spec.Containers = []corev1.Container{{Name: "main", Resources: corev1.ResourceRequirements{
		Requests: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse(cpu)},
	}}}
	return pod
}

func TestRoomIsOfTheNodesThatWouldTakeThePod(t *testing.T) {
	t.Parallel()
	l := newLab()
	must(l.kube.Tracker().Add(asking(runningSince(shop, "api-1", time.Time{}), "3")))
	must(l.kube.Tracker().Add(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "a"}, Status: corev1.NodeStatus{Allocatable: corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("4")}}}))
	must(l.kube.Tracker().Add(&corev1.Node{ObjectMeta: metav1.ObjectMeta{Name: "closed"}, Spec: corev1.NodeSpec{Unschedulable: true}}))
	on := l.target(t)
	l.synced(t, on, shop)
	l.kube.ClearActions()
	got, err := on.Room(t.Context(), shop, "api-1", corev1.ResourceCPU)
	if want := "most of it is free on node a: 1 of cpu"; err != nil || got != want { // the fake gives the pod to any node
		t.Errorf("Room() = %q, %v; want %q", got, err, want)
	}
	var asked []string
	for _, a := range l.kube.Actions() {
		if list, ok := a.(k8stesting.ListAction); ok && a.GetVerb() == "list" && a.GetResource().Resource != "events" {
			asked = append(asked, a.GetResource().Resource+" "+list.GetListRestrictions().Fields.String())
		}
	}
	if diff := cmp.Diff([]string{"nodes ", "pods spec.nodeName=a"}, asked); diff != "" {
		t.Errorf("lists (-want +got):\n%s", diff)
	}
}

func TestAPodThatIsGoneNeedsNoRoom(t *testing.T) {
	t.Parallel()
	l := newLab()
	on := l.target(t)
	l.synced(t, on, shop)
	if got, err := on.Room(t.Context(), shop, "api-1", corev1.ResourceCPU); got != "" || err != nil {
		t.Errorf("Room() = %q, %v; want nothing", got, err)
	}
}
