package helm_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/source"
	"spock.dev/spock/pkg/source/helm"
)

func web(more source.Files) source.Files {
	files := source.Files{
		"Chart.yaml":             "apiVersion: v2\nname: web\nversion: 1.0.0\n",
		"values.yaml":            "size: 1\nquota: 2\n",
		"templates/_helpers.tpl": `{{ define "name" }}{{ .Release.Name }}-{{ .Chart.Name }}{{ end }}`,
		"templates/NOTES.txt":    "Thank you.",
		"templates/a.yaml":       "apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: {{ include \"name\" . }}\n  namespace: {{ .Release.Namespace }}\ndata:\n  size: {{ .Values.size | quote }}\n",
		"templates/b.yaml":       "{{ if .Values.more }}kind: X{{ end }}\n",
		"crds/x.yaml":            "kind: CustomResourceDefinition\n",
	}
	for name, text := range more {
		files[name] = text
	}
	return files
}

func TestRender(t *testing.T) {
	t.Parallel()
	const object = "---\n# web/templates/a.yaml\napiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: shop-web\n  namespace: ns\ndata:\n"
	for name, tc := range map[string]struct {
		more         source.Files
		values, want string
	}{
		"the chart's values":        {nil, "", object + "  size: \"1\"\n"},
		"values over the chart's":   {nil, "size: 5\n", object + "  size: \"5\"\n"},
		"no tests":                  {source.Files{"templates/t.yaml": "kind: Pod\nmetadata: {name: t, annotations: {helm.sh/hook: test}}\n"}, "", object + "  size: \"1\"\n"},
		"no cluster to look up":     {source.Files{"templates/b.yaml": `{{ if lookup "v1" "Secret" "a" "b" }}kind: X{{ end }}`}, "", object + "  size: \"1\"\n"},
		"a schema that is complete": {source.Files{"values.schema.json": `{"$schema": "http://json-schema.org/draft-07/schema#", "properties": {"size": {"$ref": "#/$defs/n"}}, "$defs": {"n": {"type": "integer"}}}`}, "", object + "  size: \"1\"\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := helm.Render(web(tc.more), helm.Release{Name: "shop", Namespace: "ns", Values: tc.values})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		more source.Files
		want string
	}{
		"a required value that is missing": {source.Files{"templates/b.yaml": `{{ required "set .Values.password" .Values.password }}`},
			`helm says: execution error at (web/templates/b.yaml:1:3): set .Values.password; correct the values or the chart`},
		"a random value": {source.Files{"templates/b.yaml": "kind: X\nmetadata: {name: '{{ randAlphaNum 20 }}'}\n"},
			"the chart gives another result each time, by a random value or the time; set the value that it makes up"},
		"a hook": {source.Files{"templates/b.yaml": "kind: Job\nmetadata: {name: j, annotations: {helm.sh/hook: 'pre-install,pre-upgrade'}}\n"},
			"Job/j is a Helm hook (pre-install,pre-upgrade), and hooks of charts are not run; turn it off in the values, and make a service of kind Job of it"},
		"a file that escapes": {source.Files{"../x": ""}, "file \"../x\" leaves the directory; write a path below it, without `..`"},
		"a dependency that is not there": {source.Files{"Chart.yaml": "apiVersion: v2\nname: web\nversion: 1.0.0\ndependencies: [{name: db, version: 1.0.0, repository: 'https://example.com'}]\n"},
			"chart web depends on chart db, which is not in its directory charts/; add it there"},
		"a schema that would be fetched": {source.Files{"values.schema.json": `{"properties": {"a": {"$ref": "https://example.com/a"}}}`},
			`values.schema.json of chart web refers to "https://example.com/a", which would be fetched, and nothing is; put it under $defs of the schema`},
		"a language of schemas that would be fetched": {source.Files{"values.schema.json": `{"$schema": "https://example.com/a"}`},
			`values.schema.json of chart web refers to "https://example.com/a", which would be fetched, and nothing is; put it under $defs of the schema`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := helm.Render(web(tc.more), helm.Release{Name: "shop", Namespace: "ns"})
			if err == nil {
				t.Fatalf("got no error but\n%s", text)
			}
			var e *source.Error
			if !errors.As(err, &e) {
				t.Errorf("not a *source.Error: %v", err)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestValuesOutsideTheSchemaAreRefused(t *testing.T) {
	t.Parallel()
	files := web(source.Files{"values.schema.json": `{"properties": {"size": {"type": "string"}}}`})
	if text, err := helm.Render(files, helm.Release{Name: "shop", Namespace: "ns"}); err == nil {
		t.Errorf("got no error but\n%s", text)
	}
}
