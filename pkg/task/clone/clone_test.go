package clone

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestValidate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		options Options
		want    string
	}{
		"https is fine":              {options: Options{URL: "https://git.example.com/shop.git", Revision: "main"}},
		"an ssh short form is fine":  {options: Options{URL: "git@git.example.com:team/shop.git"}},
		"an IPv6 address is fine":    {options: Options{URL: "http://[2001:db8::1]/shop.git"}},
		"nothing to clone":           {want: "url: it is empty; give the address of a repository"},
		"an option is no repository": {options: Options{URL: "--upload-pack=id"}, want: `url "--upload-pack=id": it begins with a dash; give the address of a repository`},
		"ext runs commands": {options: Options{URL: "ext::sh -c id"},
			want: `url "ext::sh -c id": transports of the form name:: may run commands; use https, ssh, git or file`},
		"an option is no revision": {options: Options{URL: "u", Revision: "--output=x"},
			want: `revision "--output=x": it begins with a dash or holds a line break; name a branch, tag or commit`},
		"a way out of the workspace": {options: Options{URL: "u", Subdirectory: "../other"},
			want: `subdirectory "../other": it leaves the workspace; name a directory below it`},
		"a negative depth": {options: Options{URL: "u", Depth: -1}, want: "depth -1: it is negative; 0 fetches the whole history"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := ""
			if err := tt.options.Validate(); err != nil {
				got = err.Error()
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("Validate (-want +got):\n%s", diff)
			}
		})
	}
}

func TestCommands(t *testing.T) {
	t.Parallel()
	const commit = "0123456789012345678901234567890123456789"
	tests := map[string]struct {
		options Options
		want    string
	}{
		"a branch, shallow": {
			options: Options{URL: "u", Revision: "main", Depth: 1},
			want: `init --quiet /w
remote add -- origin u || remote set-url -- origin u
fetch --quiet --force --update-head-ok --depth=1 -- origin main
checkout --quiet --force --detach FETCH_HEAD --`,
		},
		"the default branch with submodules, part of the tree": {
			options: Options{URL: "u", Submodules: true, Sparse: []string{"a", "b"}},
			want: `init --quiet /w
remote add -- origin u || remote set-url -- origin u
sparse-checkout set -- a b
fetch --quiet --force --update-head-ok -- origin HEAD
checkout --quiet --force --detach FETCH_HEAD --
submodule update --init --recursive --force`,
		},
		"a commit that the server may not hand out": {
			options: Options{URL: "u", Revision: commit, Depth: 1},
			want: `init --quiet /w
remote add -- origin u || remote set-url -- origin u
fetch --quiet --force --update-head-ok --depth=1 -- origin ` + commit + ` || ` +
				`fetch --quiet --force --update-head-ok --tags -- origin +refs/heads/*:refs/remotes/origin/* && update-ref FETCH_HEAD ` + commit + `
checkout --quiet --force --detach FETCH_HEAD --`,
		},
		"a refspec and a revision of it": {
			options: Options{URL: "u", Revision: "pr", Refspec: "refs/pull/7/head:pr"},
			want: `init --quiet /w
remote add -- origin u || remote set-url -- origin u
fetch --quiet --force --update-head-ok -- origin refs/pull/7/head:pr
checkout --quiet --force --detach pr --`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			tt.options.Workspace = "/w"
			if diff := cmp.Diff(tt.want, script(tt.options)); diff != "" {
				t.Errorf("Commands (-want +got):\n%s", diff)
			}
		})
	}
}

// script writes the commands as a person would, without the settings that all share.
func script(o Options) string {
	prefix := strings.Join(o.in(), " ") + " "
	var lines []string
	for _, c := range o.Commands() {
		line := strings.Join(c.Args, " ")
		for i, args := range c.Otherwise {
			line += map[bool]string{true: " || ", false: " && "}[i == 0] + strings.Join(args, " ")
		}
		lines = append(lines, strings.ReplaceAll(line, prefix, ""))
	}
	return strings.Join(lines, "\n")
}

func TestSettingsOfEveryCommand(t *testing.T) {
	t.Parallel()
	o := Options{Workspace: "/w", Subdirectory: "src", CAFile: "/ca.crt"}
	want := "-C /w/src -c safe.directory=/w/src -c protocol.ext.allow=never -c advice.detachedHead=false -c http.sslVerify=false -c http.sslCAInfo=/ca.crt log"
	if diff := cmp.Diff(want, strings.Join(o.in("log"), " ")); diff != "" {
		t.Errorf("in (-want +got):\n%s", diff)
	}
}
