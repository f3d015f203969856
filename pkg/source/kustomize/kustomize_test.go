package kustomize_test

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/source"
	"spock.dev/spock/pkg/source/kustomize"
)

const account = "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n"

func TestRender(t *testing.T) {
	t.Parallel()
	files := source.Files{
		"base/kustomization.yaml": "resources: [account.yaml]\n",
		"base/account.yaml":       account,
		"over/kustomization.yaml": "resources: [../base]\nnamePrefix: ${service.name}-\nconfigMapGenerator:\n- name: see\n  literals: ['url=https://example.com']\n  options: {disableNameSuffixHash: true}\n",
	}
	for name, tc := range map[string]struct{ path, want string }{
		"a directory": {"base", "apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: web\n  namespace: ns\n"},
		"a directory over another, with expressions left for later": {"./over",
			"apiVersion: v1\nkind: ServiceAccount\nmetadata:\n  name: ${service.name}-web\n  namespace: ns\n---\n" +
				"apiVersion: v1\ndata:\n  url: https://example.com\nkind: ConfigMap\nmetadata:\n  name: ${service.name}-see\n  namespace: ns\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := kustomize.Render(files, tc.path, "ns")
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
	const fetched = ` would be fetched, and nothing is; add its content to the files`
	for name, tc := range map[string]struct {
		kustomization, path, want string
		more                      source.Files
	}{
		"no kustomization":       {path: "over", want: `there is no kustomization.yaml in "over"; add one, or set path to the directory that has it`},
		"a path that escapes":    {path: "../x", want: "path \"../x\" leaves the directory; write a path below it, without `..`"},
		"a file that escapes":    {more: source.Files{"../x": ""}, want: "file \"../x\" leaves the directory; write a path below it, without `..`"},
		"a broken kustomization": {kustomization: "resources: [", want: "kustomization.yaml is not valid YAML: error converting YAML to JSON: yaml: line 1: did not find expected node content; correct it"},
		"an unknown field":       {kustomization: "resource: [a.yaml]\n", want: `kustomize says: invalid Kustomization: json: unknown field "resource"; correct the kustomization`},
		"a missing file":         {kustomization: "resources: [b.yaml]\n", want: `kustomization.yaml: "b.yaml" is not among the files; add it`},
		"an address":             {kustomization: "resources: ['https://example.com/a.yaml']\n", want: `kustomization.yaml: "https://example.com/a.yaml"` + fetched},
		"an address in capitals": {kustomization: "Resources: ['HTTPS://example.com/a.yaml']\n", want: `kustomization.yaml: "HTTPS://example.com/a.yaml"` + fetched},
		"a repository that is a directory too": {kustomization: "components: [github.com/a/b]\n", more: source.Files{"github.com/a/b/kustomization.yaml": ""},
			want: `kustomization.yaml: "github.com/a/b"` + fetched},
		"a repository by ssh":             {kustomization: "bases: ['git@example.com:a/b']\n", want: `kustomization.yaml: "git@example.com:a/b"` + fetched},
		"a patch from an address":         {kustomization: "patches: [{path: 'http://example.com/p'}]\n", want: `kustomization.yaml: "http://example.com/p"` + fetched},
		"a generated file from elsewhere": {kustomization: "configMapGenerator: [{name: x, files: ['a=https://example.com/p']}]\n", want: `kustomization.yaml: "a=https://example.com/p"` + fetched},
		"an address in a second document": {kustomization: "resources: [a.yaml]\n---\nresources: ['https://example.com/a']\n", want: `kustomization.yaml: "https://example.com/a"` + fetched},
		"a plugin":                        {kustomization: "generators: [a.yaml]\n", want: "kustomization.yaml: field generators is not supported; write its result as resources or patches"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			files := source.Files{"a.yaml": account, "kustomization.yaml": "resources: [a.yaml]\n"}
			if tc.kustomization != "" {
				files["kustomization.yaml"] = tc.kustomization
			}
			for name, text := range tc.more {
				files[name] = text
			}
			text, err := kustomize.Render(files, tc.path, "ns")
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
