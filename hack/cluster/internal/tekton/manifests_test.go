package tekton

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAdapt(t *testing.T) {
	t.Parallel()
	src := source{set: "pipeline", version: "v1.15.0"}
	tests := map[string]struct{ in, want string }{
		"a program becomes its image on the node": {
			in:   "image: ko://github.com/tektoncd/pipeline/cmd/controller",
			want: "image: node.local/tekton-pipeline-controller:1",
		},
		"a program named in an argument too": {
			in:   `"-nop-image", "ko://github.com/tektoncd/pipeline/cmd/nop",`,
			want: `"-nop-image", "node.local/tekton-pipeline-nop:1",`,
		},
		"the shell image is ours": {
			in:   `"-shell-image", "example.org/busybox@sha256:01",`,
			want: `"-shell-image", "registry.localhost:5000/busybox:1",`,
		},
		"the version of development becomes the released one": {in: "version: \"devel\"\nv: devel", want: "version: \"v1.15.0\"\nv: \"v1.15.0\""},
		"the word elsewhere is left alone":                    {in: "# a devel build", want: "# a devel build"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, adapt(tc.in, src)); diff != "" {
				t.Errorf("adapt (-want +got):\n%s", diff)
			}
		})
	}
}

func TestDocumentsAreSortedByWhenTheyAreApplied(t *testing.T) {
	t.Parallel()
	var s sorted
	yaml := "# only a licence\n---\nkind: ConfigMap\n---\nkind: Deployment\n---  \nkind: Namespace\n---\nkind: HorizontalPodAutoscaler\n---\nspec:\n  kind: Deployment\nkind: Role"
	for _, doc := range split(yaml) {
		s.add(doc)
	}
	dir := t.TempDir()
	if err := s.write(dir); err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, name := range []string{First, Deployments} {
		raw, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Fatal(err)
		}
		got[name] = string(raw)
	}
	want := map[string]string{
		First:       "\nkind: Namespace\n\n---\n\nkind: ConfigMap\n\n---\n\nspec:\n  kind: Deployment\nkind: Role",
		Deployments: "\nkind: Deployment\n",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}
