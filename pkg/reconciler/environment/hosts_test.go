package environment

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/ptr"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	hostinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/host"
)

// aMachine has a service of the environment and two of another one.
func aMachine() *v1alpha1.Host {
	return &v1alpha1.Host{
		ObjectMeta: metav1.ObjectMeta{Namespace: team, Name: "db1", UID: "host-1", Generation: 1, Labels: map[string]string{"role": "db"}},
		Spec: v1alpha1.HostSpec{Address: "10.0.0.11", Drain: true, Capacity: v1alpha1.HostCapacity{
			CPU: ptr.To(resource.MustParse("4")), Memory: ptr.To(resource.MustParse("4Gi")), Slots: ptr.To[int32](5),
		}},
		Status: v1alpha1.HostStatus{Allocations: []v1alpha1.HostAllocation{
			{Environment: key, Service: "db", Memory: ptr.To(resource.MustParse("1Gi")), Ports: []int32{5432}},
			{Environment: "team-b/shop", Service: "db", CPU: ptr.To(resource.MustParse("500m")), Memory: ptr.To(resource.MustParse("2Gi")), Ports: []int32{5433}},
			{Environment: "team-b/shop", Service: "web", Ports: []int32{80}},
		}},
	}
}

// onHost has the first service of the shop run on a machine.
func (l *lab) onHost() v1alpha1.ProductService {
	l.t.Helper()
	on, product := template(), shop()
	on.Spec.Host = &v1alpha1.HostProcess{}
	service := &product.Spec.Groups[0].Services[0]
	service.Target = v1alpha1.TargetHost
	l.put(on, "servicetemplates")
	l.put(product, "products")
	return *service
}

func TestAServiceOnAMachineIsAnObjectOfTheSamePlan(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	service := l.onHost()
	machine := aMachine()
	machine.Spec.Drain = false
	l.must(hostinformer.Get(l.ctx).Informer().GetIndexer().Add(machine))
	l.pass()
	var wrote []string
	for k := range l.target.objects {
		if k.Kind == v1alpha1.KindHostService {
			wrote = append(wrote, k.Name)
		}
	}
	if diff := cmp.Diff([]string{service.Name + "-0"}, wrote); diff != "" {
		t.Errorf("services on machines (-want +got):\n%s", diff)
	}
}
