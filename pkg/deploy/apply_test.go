package deploy

import (
	"context"
	"encoding/json"
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned/fake"
)

func request() Request {
	return Request{
		Namespace: "team-a", Environment: "shop", Product: "shop", Class: "dev", Source: "0a1b2c",
		Services: []v1alpha1.ServiceOverride{{Name: "orders", Image: "r/orders@sha256:01"}}, Attempt: "deploy-2",
	}
}

func stored(change func(*v1alpha1.Environment)) *v1alpha1.Environment {
	e := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Name: "shop", Namespace: "team-a", Generation: 3}}
	e.Spec = v1alpha1.EnvironmentSpec{Product: "shop", Class: "dev", Run: &v1alpha1.RunLayer{Attempt: "deploy-1"}}
	if change != nil {
		change(e)
	}
	return e
}

func TestAttemptIsNewOnlyAfterAFailure(t *testing.T) {
	t.Parallel()
	failed := func(observed int64) func(*v1alpha1.Environment) {
		return func(e *v1alpha1.Environment) {
			e.Status.ObservedGeneration = observed
			e.MarkFailed(v1alpha1.ReasonFailed, "orders failed")
		}
	}
	tests := map[string]struct {
		existing *v1alpha1.Environment
		want     string
	}{
		"the first deploy needs none":                {existing: nil},
		"a deploy of what runs keeps the attempt":    {existing: stored(nil), want: "deploy-1"},
		"an environment without run layer has none":  {existing: stored(func(e *v1alpha1.Environment) { e.Spec.Run = nil })},
		"a failed attempt is tried again":            {existing: stored(failed(3)), want: "deploy-2"},
		"a failure of an older generation is no one": {existing: stored(failed(2)), want: "deploy-1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			raw, err := request().Manifest(tt.existing)
			if err != nil {
				t.Fatal(err)
			}
			var got v1alpha1.Environment
			if err := json.Unmarshal(raw, &got); err != nil {
				t.Fatal(err)
			}
			if got.Spec.Run.Attempt != tt.want {
				t.Errorf("attempt = %q, want %q in\n%s", got.Spec.Run.Attempt, tt.want, raw)
			}
		})
	}
}

func TestManifestIsExactlyWhatADeployOwns(t *testing.T) {
	t.Parallel()
	r := request()
	r.ServiceAccount = "deployer"
	r.Parameters, _ = Parameters([]string{"replicas=2"})
	got, err := r.Manifest(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"apiVersion":"spock.dev/v1alpha1","kind":"Environment","metadata":{"name":"shop","namespace":"team-a"},` +
		`"spec":{"class":"dev","parameters":{"replicas":2},"product":"shop",` +
		`"run":{"source":"0a1b2c","services":[{"name":"orders","image":"r/orders@sha256:01"}]},` +
		`"serviceAccountName":"deployer","suspend":false}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("Manifest (-want +got):\n%s", diff)
	}
}

func TestAnEmptyRunLayerIsLeftOut(t *testing.T) {
	t.Parallel()
	got, err := Request{Namespace: "team-a", Environment: "shop", Product: "shop", Class: "dev"}.Manifest(nil)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"apiVersion":"spock.dev/v1alpha1","kind":"Environment","metadata":{"name":"shop","namespace":"team-a"},` +
		`"spec":{"class":"dev","product":"shop","suspend":false}}`
	if diff := cmp.Diff(want, string(got)); diff != "" {
		t.Errorf("Manifest (-want +got):\n%s", diff)
	}
}

func TestApplyRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		existing *v1alpha1.Environment
		want     string
	}{
		"an environment of another product": {
			existing: stored(func(e *v1alpha1.Environment) { e.Spec.Product = "bank" }),
			want:     "environment team-a/shop: it is an instance of product bank, not shop; choose another name, or delete it first: refused",
		},
		"an environment of another class": {
			existing: stored(func(e *v1alpha1.Environment) { e.Spec.Class = "staging" }),
			want:     "environment team-a/shop: its class is staging, not dev, and a class cannot change; choose another name, or delete it first: refused",
		},
		"an environment on its way out": {
			existing: stored(func(e *v1alpha1.Environment) { e.DeletionTimestamp = &metav1.Time{} }),
			want:     "environment team-a/shop: it is being torn down; wait until it is gone and deploy again, or choose another name: refused",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client := fake.NewSimpleClientset(tt.existing)
			_, err := Apply(context.Background(), client, request())
			if !errors.Is(err, ErrRefused) {
				t.Errorf("error %v does not wrap ErrRefused", err)
			}
			if diff := cmp.Diff(tt.want, text(err)); diff != "" {
				t.Errorf("error (-want +got):\n%s", diff)
			}
			for _, action := range client.Actions() {
				if action.GetVerb() != "get" {
					t.Errorf("a refused request made the call %v", action)
				}
			}
		})
	}
}

func TestApplyIsOneForcedServerSideApply(t *testing.T) {
	t.Parallel()
	client := fake.NewSimpleClientset()
	var patches []clienttesting.PatchActionImpl
	client.PrependReactor("patch", "environments", func(action clienttesting.Action) (bool, runtime.Object, error) {
		patches = append(patches, action.(clienttesting.PatchActionImpl))
		return true, stored(nil), nil
	})
	got, err := Apply(context.Background(), client, request())
	if err != nil {
		t.Fatal(err)
	}
	if got.Generation != 3 {
		t.Errorf("generation %d is not the stored object's", got.Generation)
	}
	if len(patches) != 1 {
		t.Fatalf("%d patches, want 1", len(patches))
	}
	options := patches[0].PatchOptions
	if patches[0].PatchType != types.ApplyPatchType || options.FieldManager != "spock-deploy" || !*options.Force {
		t.Errorf("patch %s with options %+v is not a forced apply of spock-deploy", patches[0].PatchType, options)
	}
}
