package source_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/source"
)

func TestAConfigMapGivesItsFiles(t *testing.T) {
	t.Parallel()
	found := source.FromConfigMap(
		map[string]string{"Chart.yaml": "c", "templates__a.yaml": "a", "templates___helpers.tpl": "h", "my_file": "m"},
		map[string][]byte{"logo.png": {0xff}, "more.tgz": archive(t, true, entry{name: "more/x.yaml", text: "x"})},
	)
	want := source.Files{"Chart.yaml": "c", "templates/a.yaml": "a", "templates/_helpers.tpl": "h", "my_file": "m", "logo.png": "\xff", "more/x.yaml": "x"}
	if diff := cmp.Diff(want, found.Files); diff != "" || found.Err != nil {
		t.Errorf("%v (-want +got):\n%s", found.Err, diff)
	}
}

func TestWrongConfigMapsAreRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		data   map[string]string
		binary map[string][]byte
		want   string
	}{
		"a key that climbs":       {map[string]string{"..__x": ""}, nil, "key \"..__x\" stands for the path \"../x\", which leads outside; rename it; `__` in a key stands for a slash"},
		"an absolute key":         {map[string]string{"__x": ""}, nil, "key \"__x\" stands for the path \"/x\", which leads outside; rename it; `__` in a key stands for a slash"},
		"a file twice":            {map[string]string{"a__x": ""}, map[string][]byte{"b.tgz": archive(t, true, entry{name: "a/x"})}, `key "b.tgz" gives file "a/x" a second time; remove one of the two`},
		"an archive that is none": {nil, map[string][]byte{"b.tar.gz": []byte("x")}, `key "b.tar.gz": it is not a whole tar archive: unexpected EOF; pack and push it again`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := source.FromConfigMap(tc.data, tc.binary).Err
			var wrong *source.Error
			if !errors.As(err, &wrong) || err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestDirectoriesOfFiles(t *testing.T) {
	t.Parallel()
	files := source.Files{"a/Chart.yaml": "", "b/Chart.yaml": "", "b/x/y.yaml": "", "c.json": "", "c.txt": ""}
	below := func(dir string) func() ([]string, error) {
		return func() ([]string, error) { f, err := source.Below(files, dir); return names(f), err }
	}
	chart := func(f source.Files, dir string) func() ([]string, error) {
		return func() ([]string, error) { g, err := source.Chart(f, dir); return names(g), err }
	}
	for name, tc := range map[string]struct {
		ask  func() ([]string, error)
		want []string
		err  string
	}{
		"a directory":               {ask: below("./b/"), want: []string{"Chart.yaml", "x/y.yaml"}},
		"all":                       {ask: below(""), want: names(files)},
		"a directory outside":       {ask: below("../b"), err: "path \"../b\" leaves the directory; write a path below it, without `..`"},
		"a directory that is not":   {ask: below("d"), err: `there is no directory "d" among the files; correct the path; there are a, b`},
		"a chart at its path":       {ask: chart(files, "b"), want: []string{"Chart.yaml", "x/y.yaml"}},
		"a chart of two":            {ask: chart(files, ""), err: "there is more than one chart: a, b; set path to one of them"},
		"a chart in the only one":   {ask: chart(source.Files{"a/Chart.yaml": ""}, ""), want: []string{"Chart.yaml"}},
		"no chart":                  {ask: chart(source.Files{"x": ""}, ""), err: "there is no Chart.yaml among the files; add it, or set path to the directory that has it"},
		"the manifests":             {ask: func() ([]string, error) { return source.Manifests(files) }, want: []string{"a/Chart.yaml", "b/Chart.yaml", "b/x/y.yaml", "c.json"}},
		"no manifests among others": {ask: func() ([]string, error) { return source.Manifests(source.Files{"c.txt": ""}) }, err: "there is no file among them that ends in .yaml, .yml or .json; add one, or correct the path"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := tc.ask()
			if tc.err != "" {
				if err == nil || err.Error() != tc.err {
					t.Errorf("got  %v\nwant %s", err, tc.err)
				}
				return
			}
			if diff := cmp.Diff(tc.want, got); diff != "" || err != nil {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
		})
	}
}

func names(files source.Files) []string {
	var out []string
	for name := range files {
		out = append(out, name)
	}
	slices.Sort(out)
	return out
}
