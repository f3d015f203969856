package diff_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/diff"
)

const live = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web, old: "1", theirs: "2"}
  annotations: {spock.dev/hash: aaa}
spec:
  replicas: 1
  progressDeadlineSeconds: 600
  selector: {matchLabels: {app: web, tier: a}}
  template:
    metadata: {annotations: {spock.dev/pod-hash: aaa}}
    spec:
      containers:
      - {name: sidecar, image: "proxy:1"}
      - name: web
        image: web:1
        imagePullPolicy: IfNotPresent
        args: [a, b]
        env:
        - {name: A, value: "1"}
        - {name: B, value: "2"}
        - {name: THEIRS, value: "3"}
        ports: [{name: http, containerPort: 80, protocol: TCP}]
        resources: {limits: {cpu: 1000m}}
`

const owned = `
f:metadata: {f:labels: {f:app: {}, f:old: {}}, f:annotations: {f:spock.dev/hash: {}}}
f:spec:
  f:replicas: {}
  f:selector: {}
  f:template:
    f:spec:
      f:containers:
        'k:{"name":"web"}':
          .: {}
          f:name: {}
          f:image: {}
          f:args: {}
          f:env:
            'k:{"name":"A"}': {.: {}, f:name: {}, f:value: {}}
            'k:{"name":"B"}': {.: {}, f:name: {}, f:value: {}}
          f:ports:
            'k:{"containerPort":80,"protocol":"TCP"}': {.: {}, f:containerPort: {}, f:name: {}}
          f:resources: {f:limits: {f:cpu: {}}}
`

const wanted = `
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  labels: {app: web, old: "1"}
  annotations: {spock.dev/hash: bbb}
spec:
  replicas: 1
  selector: {matchLabels: {app: web, tier: a}}
  template:
    metadata: {annotations: {spock.dev/pod-hash: bbb}}
    spec:
      containers:
      - name: web
        image: web:1
        args: [a, b]
        env:
        - {name: A, value: "1"}
        - {name: B, value: "2"}
        ports: [{name: http, containerPort: 80}]
        resources: {limits: {cpu: "1"}}
`

func read(t *testing.T, text string) *unstructured.Unstructured {
	t.Helper()
	o := &unstructured.Unstructured{Object: map[string]any{}}
	if err := yaml.Unmarshal([]byte(text), &o.Object); err != nil {
		t.Fatal(err)
	}
	return o
}

func told(changes []diff.Change) []string {
	var out []string
	for _, c := range changes {
		out = append(out, c.String())
	}
	return out
}

func TestWrite(t *testing.T) {
	t.Parallel()
	const web = "spec.template.spec.containers[web]"
	tests := map[string]struct {
		old, new string // of a part of what is wanted
		want     []string
	}{
		"nothing but the marks, defaults, and what others add": {},
		"an image": {
			old: "image: web:1", new: "image: web:2",
			want: []string{web + `.image: "web:1" -> "web:2"`},
		},
		"an amount is compared as one": {
			old: `cpu: "1"`, new: "cpu: 2",
			want: []string{web + `.resources.limits.cpu: "1000m" -> 2`},
		},
		"a field that is new": {
			old: "replicas: 1", new: "replicas: 1\n  paused: true",
			want: []string{"spec.paused: (none) -> true"},
		},
		"a label of ours goes, one of others stays": {
			old:  `, old: "1"`,
			want: []string{`metadata.labels.old: "1" -> (none)`},
		},
		"a variable in the middle": {
			old:  `        - {name: A, value: "1"}` + "\n",
			want: []string{web + `.env[A]: {"name":"A","value":"1"} -> (none)`},
		},
		"all variables": {
			old: "        env:\n" + `        - {name: A, value: "1"}` + "\n" + `        - {name: B, value: "2"}` + "\n",
			want: []string{
				web + `.env[A]: {"name":"A","value":"1"} -> (none)`,
				web + `.env[B]: {"name":"B","value":"2"} -> (none)`,
			},
		},
		"a variable that is new": {
			old: `{name: B, value: "2"}`, new: `{name: B, value: "2"}` + "\n        - {name: C, value: x}",
			want: []string{web + `.env[C]: (none) -> {"name":"C","value":"x"}`},
		},
		"plain lists are told as one": {
			old: "args: [a, b]", new: "args: [a, c]",
			want: []string{web + `.args: ["a","b"] -> ["a","c"]`},
		},
		"another port": {
			old: "containerPort: 80", new: "containerPort: 81",
			want: []string{
				web + `.ports[81]: (none) -> {"containerPort":81,"name":"http"}`,
				web + `.ports[80]: {"containerPort":80,"name":"http","protocol":"TCP"} -> (none)`,
			},
		},
		"the name of a port": {
			old: "name: http", new: "name: web",
			want: []string{web + `.ports[80].name: "http" -> "web"`},
		},
		"a map that is one field": {
			old:  ", tier: a",
			want: []string{`spec.selector.matchLabels.tier: "a" -> (none)`},
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if !strings.Contains(wanted, tt.old) {
				t.Fatalf("%q is not in what is wanted", tt.old)
			}
			want := read(t, strings.Replace(wanted, tt.old, tt.new, 1))
			if got := cmp.Diff(tt.want, told(diff.Write(want, read(t, live), read(t, owned).Object))); got != "" {
				t.Errorf("(-want +got):\n%s", got)
			}
		})
	}
}

func TestWriteShowsNoSecret(t *testing.T) {
	t.Parallel()
	old := read(t, "{apiVersion: v1, kind: Secret, type: Opaque, data: {password: b2xk, user: YQ==}}")
	want := read(t, "{apiVersion: v1, kind: Secret, type: other, data: {password: bmV3, user: YQ==}, stringData: {token: hush}}")
	got := told(diff.Write(want, old, nil))
	if d := cmp.Diff([]string{"data.password: changed", "stringData.token: changed", `type: "Opaque" -> "other"`}, got); d != "" {
		t.Errorf("(-want +got):\n%s", d)
	}
	for _, c := range diff.Write(want, old, nil) {
		if c.Secret && (c.Old != nil || c.New != nil) {
			t.Errorf("%s keeps its values", c.Path)
		}
	}
}

func TestAChangeInALine(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change diff.Change
		want   string
	}{
		"a line of a text":  {diff.Change{Path: "data.conf", Old: "a\nb\nc\n", New: "a\nx\nc\n"}, `data.conf line 2: "b" -> "x"`},
		"a line that goes":  {diff.Change{Path: "data.conf", Old: "a\nb\nc\n", New: "a\nc\n"}, `data.conf line 2: "b" -> (none)`},
		"two lines":         {diff.Change{Path: "data.conf", Old: "a\nb\nc\nd", New: "a\nx\ny\nd"}, `data.conf line 2: "b" -> "x", and up to 1 lines below it`},
		"a number and text": {diff.Change{Path: "spec.a", Old: int64(1), New: "1"}, `spec.a: 1 -> "1"`},
		"a long value":      {diff.Change{Path: "spec.a", New: strings.Repeat("x", 100)}, `spec.a: (none) -> "` + strings.Repeat("x", 79) + `... (22 more)`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := tt.change.String(); got != tt.want {
				t.Errorf("got  %s\nwant %s", got, tt.want)
			}
		})
	}
}
