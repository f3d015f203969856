package target_test

import (
	"context"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/plan"
	"spock.dev/spock/pkg/target"
)

// place is a target that has one object and notes what it is asked.
type place struct {
	target.Target
	has   plan.Key
	err   error
	asked *[]string
	name  string
}

func (p place) note(what string) { *p.asked = append(*p.asked, p.name+" "+what) }

func (p place) Observe(_ context.Context, _ target.Scope, kinds []schema.GroupVersionKind) (target.State, error) {
	for _, k := range kinds {
		p.note("watches " + k.Kind)
	}
	return target.State{Objects: map[plan.Key]*unstructured.Unstructured{p.has: {}}}, p.err
}

func (p place) Apply(_ context.Context, _ target.Scope, o plan.Object, _ bool) error {
	p.note("applies " + o.Key.String())
	return p.err
}

func (p place) Delete(_ context.Context, _ target.Scope, key plan.Key, _ types.UID) error {
	p.note("deletes " + key.String())
	return p.err
}

func (p place) Room(context.Context, target.Scope, string, corev1.ResourceName) (string, error) {
	return "cluster", nil
}

func (p place) Log(context.Context, target.Scope, string, string, bool, int64) (string, error) {
	return p.name, nil
}

func TestServicesOnMachinesGoToTheMachines(t *testing.T) {
	t.Parallel()
	config := plan.Key{GroupVersionKind: schema.GroupVersionKind{Version: "v1", Kind: "ConfigMap"}, Name: "c"}
	db := plan.Key{GroupVersionKind: v1alpha1.SchemeGroupVersion.WithKind(v1alpha1.KindHostService), Name: "db-0"}
	var asked []string
	both := target.Join(place{has: config, asked: &asked, name: "cluster"}, place{has: db, asked: &asked, name: "hosts"})
	ctx := t.Context()
	kinds := []schema.GroupVersionKind{config.GroupVersionKind, db.GroupVersionKind}
	state, err := both.Observe(ctx, target.Scope{}, kinds)
	if err != nil || len(state.Objects) != 2 || len(kinds) != 2 {
		t.Errorf("Observe() = %v, %v", state, err)
	}
	for _, key := range []plan.Key{config, db} {
		if err := errors.Join(both.Apply(ctx, target.Scope{}, plan.Object{Key: key}, true), both.Delete(ctx, target.Scope{}, key, "uid")); err != nil {
			t.Error(err)
		}
	}
	want := []string{"cluster watches ConfigMap", "cluster applies ConfigMap/c", "cluster deletes ConfigMap/c", "hosts applies HostService/db-0", "hosts deletes HostService/db-0"}
	if diff := cmp.Diff(want, asked); diff != "" {
		t.Errorf("asked (-want +got):\n%s", diff)
	}
	log, _ := both.Log(ctx, target.Scope{}, "pod", "main", false, 1)
	if log != "cluster" {
		t.Errorf("logs come from %s", log)
	}
}

func TestNothingIsSeenUntilBothAreInSync(t *testing.T) {
	t.Parallel()
	var asked []string
	late, there := place{asked: &asked, err: target.ErrNotSynced}, place{asked: &asked}
	for name, both := range map[string]target.Target{"the cluster is late": target.Join(late, there), "the machines are late": target.Join(there, late)} {
		if _, err := both.Observe(t.Context(), target.Scope{}, nil); !errors.Is(err, target.ErrNotSynced) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
