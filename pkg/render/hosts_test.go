package render

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/placement"
)

// aMachine has a service of the environment and two of another one.
func aMachine() *v1alpha1.Host {
	return &v1alpha1.Host{
		ObjectMeta: metav1.ObjectMeta{Name: "db1", Labels: map[string]string{"role": "db"}},
		Spec: v1alpha1.HostSpec{Address: "10.0.0.11", Drain: true, Capacity: v1alpha1.HostCapacity{
			CPU: ptr.To(resource.MustParse("4")), Memory: ptr.To(resource.MustParse("4Gi")), Slots: ptr.To[int32](5),
		}},
		Status: v1alpha1.HostStatus{Allocations: []v1alpha1.HostAllocation{
			{Environment: "team-a/shop", Service: "db", Memory: ptr.To(resource.MustParse("1Gi")), Ports: []int32{5432}},
			{Environment: "team-b/shop", Service: "db", CPU: ptr.To(resource.MustParse("500m")), Memory: ptr.To(resource.MustParse("2Gi")), Ports: []int32{5433}},
			{Environment: "team-b/shop", Service: "web", Ports: []int32{80}},
		}},
	}
}

func TestWhatOthersHaveOfAMachineIsNotLeft(t *testing.T) {
	t.Parallel()
	env := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Namespace: "team-a", Name: "shop"}}
	planned := Taken{
		"bare": {{Environment: "team-c/shop", Service: "agent", Ports: []int32{9000}}},
		"db1":  {{Environment: "team-b/shop", Service: "db", Ports: []int32{5433}}}, // it is there already
	}
	got, on := Places([]*v1alpha1.Host{aMachine(), {ObjectMeta: metav1.ObjectMeta{Name: "bare"}}}, env, planned)
	want := []placement.Host{{Name: "bare", Ports: map[int32]string{9000: "agent of team-c/shop"}}, {
		Name: "db1", Address: "10.0.0.11", Labels: map[string]string{"role": "db"}, Drained: true,
		CPU: ptr.To[int64](3500), Memory: ptr.To[int64](2 << 30), Slots: ptr.To[int64](3),
		Ports: map[int32]string{5433: "db of team-b/shop", 80: "web of team-b/shop"},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("left (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string][]string{"db": {"db1"}}, on); diff != "" {
		t.Errorf("on (-want +got):\n%s", diff)
	}
}

// A Host that is deleted keeps what it has until that has moved, and gets nothing new.
func TestAHostThatIsDeletedIsDrained(t *testing.T) {
	t.Parallel()
	now := metav1.Now()
	h := &v1alpha1.Host{ObjectMeta: metav1.ObjectMeta{Name: "db1", DeletionTimestamp: &now}}
	if got, _ := Places([]*v1alpha1.Host{h}, &v1alpha1.Environment{}, nil); len(got) != 1 || !got[0].Drained {
		t.Errorf("places %+v, want one that is drained", got)
	}
}
