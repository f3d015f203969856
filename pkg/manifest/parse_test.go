package manifest_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/manifest"
)

// number gives `$n` the number 3, `$bad` an error, and keeps other text.
func number(text string, asText bool) (any, error) {
	switch {
	case text == "$bad":
		return nil, errors.New("bad value")
	case text == "$n" && asText:
		return "3", nil
	case text == "$n":
		return int64(3), nil
	}
	return strings.ReplaceAll(text, "$evil", "a\nkind: Secret # \"'{}"), nil
}

const head = "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: x\n"

func object(more map[string]any) map[string]any {
	out := map[string]any{"apiVersion": "v1", "kind": "ConfigMap", "metadata": map[string]any{"name": "x", "namespace": "ns"}}
	for key, value := range more {
		out[key] = value
	}
	return out
}

func TestParse(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want []map[string]any
	}{
		"nothing":                        {"", nil},
		"only comments":                  {"# a\n---\n# b\n", nil},
		"the namespace is set":           {head, []map[string]any{object(nil)}},
		"the own namespace is allowed":   {head + "  namespace: ns\n", []map[string]any{object(nil)}},
		"two documents":                  {head + "---\n" + head, []map[string]any{object(nil), object(nil)}},
		"a document mark at both ends":   {"---\n" + head + "---\n", []map[string]any{object(nil)}},
		"a status is dropped":            {head + "status: {a: $bad}\n", []map[string]any{object(nil)}},
		"nulls are dropped":              {head + "spec: {a: null, b: {c: null}}\n", []map[string]any{object(map[string]any{"spec": map[string]any{"b": map[string]any{}}})}},
		"a number stays one":             {head + "spec: {a: $n, b: 7}\n", []map[string]any{object(map[string]any{"spec": map[string]any{"a": int64(3), "b": int64(7)}})}},
		"text where text is wanted":      {head + "data: {a: $n}\n", []map[string]any{object(map[string]any{"data": map[string]any{"a": "3"}})}},
		"a value cannot break the shape": {head + "data: {a: x$evil}\n", []map[string]any{object(map[string]any{"data": map[string]any{"a": "xa\nkind: Secret # \"'{}"}})}},
		"text in env and arguments, numbers elsewhere": {
			head + "spec:\n  env: [{name: A, value: $n, other: $n}]\n  args: [$n]\n  list: [$n]\n",
			[]map[string]any{object(map[string]any{"spec": map[string]any{
				"env":  []any{map[string]any{"name": "A", "value": "3", "other": int64(3)}},
				"args": []any{"3"}, "list": []any{int64(3)},
			}})},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects, err := manifest.Parse(tc.text, "ns", number)
			if err != nil {
				t.Fatalf("parsing\n%s\n%v", tc.text, err)
			}
			var got []map[string]any
			for _, o := range objects {
				got = append(got, o.Object)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("parsing\n%s\n(-want +got):\n%s", tc.text, diff)
			}
		})
	}
}

func TestParseSaysWhereASubstitutionFailed(t *testing.T) {
	t.Parallel()
	_, err := manifest.Parse(head+"spec:\n  list: [a, {b: $bad}]\n", "ns", number)
	if err == nil || err.Error() != "ConfigMap/x spec.list[1].b: bad value" {
		t.Errorf("got %v", err)
	}
}

func TestLabel(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want map[string]any
	}{
		"an object": {head + "  labels: {own: kept, ours: replaced, theirs: kept}\n", map[string]any{
			"metadata": map[string]any{"name": "x", "namespace": "ns", "labels": map[string]any{"own": "kept", "ours": "o", "theirs": "kept"}},
		}},
		"a pod template": {"{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: x}, spec: {template: {spec: {}}}}", map[string]any{
			"metadata": map[string]any{"name": "x", "namespace": "ns", "labels": map[string]any{"ours": "o", "theirs": "t"}},
			"spec":     map[string]any{"template": map[string]any{"metadata": map[string]any{"labels": map[string]any{"ours": "pod"}}, "spec": map[string]any{}}},
		}},
		"a pod template in a CronJob": {"{apiVersion: batch/v1, kind: CronJob, metadata: {name: x}}", map[string]any{
			"metadata": map[string]any{"name": "x", "namespace": "ns", "labels": map[string]any{"ours": "o", "theirs": "t"}},
			"spec": map[string]any{"jobTemplate": map[string]any{"spec": map[string]any{"template": map[string]any{
				"metadata": map[string]any{"labels": map[string]any{"ours": "pod"}},
			}}}},
		}},
		"a pod": {"{apiVersion: v1, kind: Pod, metadata: {name: x}}", map[string]any{
			"metadata": map[string]any{"name": "x", "namespace": "ns", "labels": map[string]any{"ours": "pod"}},
		}},
		"a kind that only looks alike": {"{apiVersion: example.com/v1, kind: Deployment, metadata: {name: x}}", map[string]any{
			"metadata": map[string]any{"name": "x", "namespace": "ns", "labels": map[string]any{"ours": "o", "theirs": "t"}},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			objects, err := manifest.Parse(tc.text, "ns", number)
			if err != nil {
				t.Fatal(err)
			}
			keep := func(key string) bool { return key == "theirs" }
			if err := manifest.Label(objects[0], map[string]string{"ours": "o", "theirs": "t"}, map[string]string{"ours": "pod"}, keep); err != nil {
				t.Fatal(err)
			}
			got := objects[0].Object
			delete(got, "apiVersion")
			delete(got, "kind")
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestPassive(t *testing.T) {
	t.Parallel()
	for kind, want := range map[string]bool{
		"v1 ServiceAccount": true, "v1 ConfigMap": true, "v1 Service": true, "v1 PersistentVolumeClaim": true,
		"networking.k8s.io/v1 Ingress": true, "networking.k8s.io/v1 NetworkPolicy": true,
		"autoscaling/v2 HorizontalPodAutoscaler": true, "policy/v1 PodDisruptionBudget": true,
		"apps/v1 Deployment": false, "batch/v1 Job": false, "v1 Pod": false, "example.com/v1 Service": false,
	} {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			apiVersion, name, _ := strings.Cut(kind, " ")
			objects, err := manifest.Parse("{apiVersion: "+apiVersion+", kind: "+name+", metadata: {name: x}}", "ns", number)
			if err != nil {
				t.Fatal(err)
			}
			if got := manifest.Passive(objects[0]); got != want {
				t.Errorf("Passive = %v, want %v", got, want)
			}
		})
	}
}

func FuzzParse(f *testing.F) {
	for _, seed := range []string{
		head, head + "---\n" + head, "a: [", "- a", "---", "{apiVersion: v1, kind: Pod, metadata: [1]}", "a: &a [*a]", "? [a]\n: b", "1: 2",
		"{apiVersion: v1, kind: List, metadata: {name: x}}", "a: !!binary zz", "\x00", "a: .nan", "{metadata: {labels: 1, name: {}}}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		objects, err := manifest.Parse(text, "ns", number)
		if err != nil {
			return
		}
		for _, object := range objects {
			if object.GetName() == "" || object.GetNamespace() != "ns" || object.GetKind() == "Secret" {
				t.Errorf("%q became %v", text, object.Object)
			}
			_ = manifest.Label(object, map[string]string{"a": "b"}, nil, func(string) bool { return false })
		}
	})
}
