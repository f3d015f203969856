package engine

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"
)

const wanted = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web}
  annotations: {spock.dev/hash: abc}
spec:
  replicas: 2
  paused: false
  selector: {matchLabels: {app: web}}
  template:
    spec:
      hostNetwork: false
      containers:
      - name: web
        image: web:1
        args: [-a, "1"]
        env:
        - {name: LEVEL, value: info}
        - {name: NONE, value: ""}
        ports:
        - {containerPort: 80}
        resources: {limits: {cpu: "1"}}
        volumeMounts:
        - {name: data, mountPath: /data}
      volumes:
      - {name: data, emptyDir: {}}
`

// owned are the managed fields of who has applied wanted.
const owned = `
f:metadata: {f:labels: {f:app: {}}, f:annotations: {f:spock.dev/hash: {}}}
f:spec:
  f:replicas: {}
  f:paused: {}
  f:selector: {}
  f:template:
    f:spec:
      f:hostNetwork: {}
      f:containers:
        'k:{"name":"web"}':
          .: {}
          f:name: {}
          f:image: {}
          f:args: {}
          f:env:
            'k:{"name":"LEVEL"}': {.: {}, f:name: {}, f:value: {}}
            'k:{"name":"NONE"}': {.: {}, f:name: {}, f:value: {}}
          f:ports:
            'k:{"containerPort":80,"protocol":"TCP"}': {.: {}, f:containerPort: {}}
          f:resources: {f:limits: {f:cpu: {}}}
          f:volumeMounts:
            'k:{"mountPath":"/data"}': {.: {}, f:mountPath: {}, f:name: {}}
      f:volumes:
        'k:{"name":"data"}': {.: {}, f:name: {}, f:emptyDir: {}}
`

// defaulted is wanted as the API server stores it, with what others have added.
func defaulted(t *testing.T) *unstructured.Unstructured {
	live := parse(t, wanted)
	live.SetResourceVersion("7")
	live.SetAnnotations(map[string]string{"spock.dev/hash": "abc", "deployment.kubernetes.io/revision": "1"})
	spec := dig(live.Object, "spec")
	delete(spec, "paused")
	spec["progressDeadlineSeconds"] = int64(600)
	pod := dig(spec, "template", "spec")
	delete(pod, "hostNetwork")
	c := container(live)
	c["imagePullPolicy"] = "IfNotPresent"
	c["env"] = []any{map[string]any{"name": "ADDED", "value": "x"}, map[string]any{"name": "NONE"}, map[string]any{"name": "LEVEL", "value": "info"}}
	c["ports"] = []any{map[string]any{"containerPort": int64(80), "protocol": "TCP"}}
	pod["containers"] = []any{map[string]any{"name": "sidecar", "image": "proxy"}, c}
	return live
}

func parse(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

func dig(o map[string]any, path ...string) map[string]any {
	for _, part := range path {
		o = o[part].(map[string]any)
	}
	return o
}

// lose takes an owned field away, and what is empty then, as the API server does.
func lose(own map[string]any, key string, path ...string) {
	delete(dig(own, path...), key)
	if len(path) > 0 && len(dig(own, path...)) == 0 {
		lose(own, path[len(path)-1], path[:len(path)-1]...)
	}
}

// container is the one named web.
func container(o *unstructured.Unstructured) map[string]any {
	all := dig(o.Object, "spec", "template", "spec")["containers"].([]any)
	return all[len(all)-1].(map[string]any)
}

func TestWhatSomebodyElseChanged(t *testing.T) {
	t.Parallel()
	const image = "spec.template.spec.containers[web].image"
	inWeb := []string{"f:spec", "f:template", "f:spec", "f:containers", `k:{"name":"web"}`}
	tests := map[string]struct {
		change func(live *unstructured.Unstructured, own map[string]any)
		want   []string
		// values is what comparing values alone finds.
		values []string
	}{
		"nothing but defaults and additions": {change: func(*unstructured.Unstructured, map[string]any) {}},
		"a number": {
			change: func(live *unstructured.Unstructured, own map[string]any) {
				dig(live.Object, "spec")["replicas"] = int64(5)
				lose(own, "f:replicas", "f:spec")
			},
			want: []string{"spec.replicas"}, values: []string{"spec.replicas"},
		},
		"an image": {
			change: func(live *unstructured.Unstructured, own map[string]any) {
				container(live)["image"] = "web:2"
				lose(own, "f:image", inWeb...)
			},
			want: []string{image}, values: []string{image},
		},
		"an image that the cluster itself makes of ours": {
			change: func(live *unstructured.Unstructured, _ map[string]any) { container(live)["image"] = "mirror/web:1" },
			values: []string{image},
		},
		"a field and back": {
			change: func(_ *unstructured.Unstructured, own map[string]any) { lose(own, "f:image", inWeb...) },
		},
		"an amount, told in another form": {
			change: func(live *unstructured.Unstructured, own map[string]any) {
				dig(container(live), "resources", "limits")["cpu"] = "1000m"
				lose(own, "f:cpu", append(inWeb, "f:resources", "f:limits")...)
			},
		},
		"an argument": {
			change: func(live *unstructured.Unstructured, own map[string]any) {
				container(live)["args"] = []any{"-a", "2"}
				lose(own, "f:args", inWeb...)
			},
			want: []string{"spec.template.spec.containers[web].args"}, values: []string{"spec.template.spec.containers[web].args"},
		},
		"a variable that is gone": {
			change: func(live *unstructured.Unstructured, own map[string]any) {
				container(live)["env"] = container(live)["env"].([]any)[:2]
				lose(own, `k:{"name":"LEVEL"}`, append(inWeb, "f:env")...)
			},
			want: []string{"spec.template.spec.containers[web].env[LEVEL]"}, values: []string{"spec.template.spec.containers[web].env[LEVEL]"},
		},
		"a port, which has no name": {
			change: func(live *unstructured.Unstructured, own map[string]any) {
				container(live)["ports"] = []any{map[string]any{"containerPort": int64(81), "protocol": "TCP"}}
				lose(own, `k:{"containerPort":80,"protocol":"TCP"}`, append(inWeb, "f:ports")...)
			},
			want: []string{"spec.template.spec.containers[web].ports[0]"}, values: []string{"spec.template.spec.containers[web].ports[0]"},
		},
		"where a volume is mounted": {
			change: func(live *unstructured.Unstructured, own map[string]any) {
				container(live)["volumeMounts"] = []any{map[string]any{"name": "data", "mountPath": "/else"}}
				lose(own, `k:{"mountPath":"/data"}`, append(inWeb, "f:volumeMounts")...)
			},
			want:   []string{"spec.template.spec.containers[web].volumeMounts[data].mountPath"},
			values: []string{"spec.template.spec.containers[web].volumeMounts[data].mountPath"},
		},
		"a label that is gone": {
			change: func(live *unstructured.Unstructured, own map[string]any) {
				live.SetLabels(nil)
				lose(own, "f:app", "f:metadata", "f:labels")
			},
			want: []string{"metadata.labels.app"}, values: []string{"metadata.labels.app"},
		},
		"a selector, which is one field": {
			change: func(live *unstructured.Unstructured, own map[string]any) {
				dig(live.Object, "spec", "selector", "matchLabels")["app"] = "other"
				lose(own, "f:selector", "f:spec")
			},
			want: []string{"spec.selector.matchLabels.app"}, values: []string{"spec.selector.matchLabels.app"},
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			live, own := defaulted(t), parse(t, owned).Object
			tc.change(live, own)
			nothing := func(string) bool { return false }
			if diff := cmp.Diff(tc.values, changed(parse(t, wanted), live, nothing).fields); diff != "" {
				t.Errorf("by values alone (-want +got):\n%s", diff)
			}
			live.Object["metadata"].(map[string]any)["managedFields"] = []any{
				map[string]any{"manager": "spock", "operation": "Apply", "fieldsV1": own},
			}
			if diff := cmp.Diff(tc.want, changed(parse(t, wanted), live, nothing).fields); diff != "" {
				t.Errorf("changed (-want +got):\n%s", diff)
			}
		})
	}
}

func TestAFieldThatIsNotOurs(t *testing.T) {
	t.Parallel()
	live := defaulted(t)
	dig(live.Object, "spec")["replicas"] = int64(5)
	if got := changed(parse(t, wanted), live, func(path string) bool { return path == replicasPath }).fields; got != nil {
		t.Errorf("changed %v", got)
	}
}
