package source_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/source"
)

const (
	pinned  = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
	tarball = "application/vnd.oci.image.layer.v1.tar"
)

func TestAnArtifactGivesTheFilesOfItsLayers(t *testing.T) {
	t.Parallel()
	files := archive(t, true, entry{name: "deploy/a.yaml", text: "a"})
	for name, tc := range map[string]struct {
		layers []source.Layer
		want   source.Files
	}{
		"of flux":                    {[]source.Layer{{MediaType: source.FluxContent, Data: files}}, source.Files{"deploy/a.yaml": "a"}},
		"of helm, with provenance":   {[]source.Layer{{MediaType: source.HelmChart, Title: "x", Data: files}, {MediaType: "application/vnd.helm.chart.provenance.v1.prov"}}[:1], source.Files{"deploy/a.yaml": "a"}},
		"single files of oras":       {[]source.Layer{{MediaType: tarball, Title: "a.yaml", Data: []byte("a")}, {MediaType: "application/yaml", Title: "b/c.yaml", Data: []byte("c")}}, source.Files{"a.yaml": "a", "b/c.yaml": "c"}},
		"a directory of oras":        {[]source.Layer{{MediaType: tarball + "+gzip", Title: "deploy", Packed: true, Data: files}}, source.Files{"deploy/a.yaml": "a"}},
		"an archive of oras":         {[]source.Layer{{MediaType: "application/gzip", Title: "web-1.tgz", Data: files}}, source.Files{"deploy/a.yaml": "a"}},
		"layers of an image":         {[]source.Layer{{MediaType: tarball, Data: archive(t, false, entry{name: "a.yaml"})}, {MediaType: "application/vnd.docker.image.rootfs.diff.tar.gzip", Data: files}}, source.Files{"a.yaml": "", "deploy/a.yaml": "a"}},
		"a chart and its provenance": {[]source.Layer{{MediaType: source.HelmChart, Data: files}, {MediaType: "application/vnd.cncf.helm.chart.provenance.v1.prov", Data: []byte("signed")}}, source.Files{"deploy/a.yaml": "a"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, left := source.FromLayers(pinned, tc.layers, source.OfArtifacts())
			if diff := cmp.Diff(tc.want, found.Files); diff != "" || found.Err != nil {
				t.Errorf("%v (-want +got):\n%s", found.Err, diff)
			}
			if found.Digest() != pinned || left.Files != source.OfArtifacts().Files-len(tc.want) {
				t.Errorf("digest %s, %d files left", found.Digest(), left.Files)
			}
		})
	}
}

func TestWrongArtifactsAreRefused(t *testing.T) {
	t.Parallel()
	const notInside = "; push the file with a relative path, without `..`"
	small := source.Limits{Files: 2, Bytes: 1 << 20}
	big := []byte(strings.Repeat("x", 1<<19+1))
	for name, tc := range map[string]struct {
		layers []source.Layer
		want   string
	}{
		"no layers":          {nil, "the artifact holds no files; push the manifests or the chart"},
		"what it is not":     {[]source.Layer{{MediaType: "application/zip"}}, `layer 1: its media type "application/zip" is not one of a tar archive, and it has no title that names a file; push the files with flux, helm or oras`},
		"a title that leads": {[]source.Layer{{Title: "../a.yaml"}}, `layer 1: its title "../a.yaml" is no path below one directory` + notInside},
		"an absolute title":  {[]source.Layer{{Title: "/a.yaml"}}, `layer 1: its title "/a.yaml" is no path below one directory` + notInside},
		"an archive that leads outside": {[]source.Layer{{MediaType: source.FluxContent, Data: archive(t, true, entry{name: "../a.yaml"})}},
			"layer 1: \"../a.yaml\" in the archive leads outside of it; pack paths below one directory, without `..`"},
		"a link":       {[]source.Layer{{MediaType: source.FluxContent, Data: archive(t, true, entry{name: "a", kind: '2', link: "b"})}}, `layer 1: "a" in the archive is a link; pack the file that it points to`},
		"a file twice": {[]source.Layer{{Title: "a"}, {Title: "a"}}, `layer 2 gives file "a" a second time; push it once`},
		"much at once": {[]source.Layer{{Title: "a", Data: make([]byte, 2<<20)}}, "layer 1: the archive unpacks to more than 1 MiB; pack the manifests alone"},
		"much in all":  {[]source.Layer{{Title: "a", Data: big}, {Title: "b", Data: big}}, "layer 2: with what was read before it, it is more than 1 MiB; pack the manifests alone"},
		"many files":   {[]source.Layer{{Title: "a"}, {Title: "b"}, {Title: "c"}}, "layer 3: with what was read before it, it is more than 2 files; pack the manifests alone"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			found, _ := source.FromLayers(pinned, tc.layers, small)
			var wrong *source.Error
			if !errors.As(found.Err, &wrong) || found.Err.Error() != tc.want {
				t.Errorf("got  %v\nwant %s", found.Err, tc.want)
			}
		})
	}
}

func TestAnArtifactIsNamedByItsDigest(t *testing.T) {
	t.Parallel()
	const remedy = "; write it as registry.example.com/path@sha256:..."
	for image, want := range map[string]string{
		"registry.example.com/web@" + pinned:     "",
		"registry.example.com/web:1@" + pinned:   "",
		"registry.example.com/web:1":             `"registry.example.com/web:1" does not name an artifact by its digest, and what a tag means may change` + remedy,
		"registry.example.com/web@sha256:12":     `"registry.example.com/web@sha256:12" is not the name of an artifact` + remedy,
		"oci://registry.example.com/w@" + pinned: `"oci://registry.example.com/w@` + pinned + `" is not the name of an artifact` + remedy,
	} {
		got := ""
		if err := (source.Origin{Artifact: source.Artifact{Image: image}}).Wrong(); err != nil {
			got = err.Error()
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", image, diff)
		}
	}
	if got := (source.Origin{Artifact: source.Artifact{Image: "registry.example.com/web:1@" + pinned}}).String(); got != "oci/registry.example.com/web:1" {
		t.Errorf("a run names it %s", got)
	}
}

// Whatever the layers of an artifact hold, its files are inside and within the limits.
func FuzzFromLayers(f *testing.F) {
	f.Add("application/vnd.oci.image.layer.v1.tar", "a.yaml", false, []byte("x"))
	f.Add(source.FluxContent, "", false, archive(f, true, entry{name: "../b", text: "x"}))
	f.Add("", "../x", true, []byte{0x1f, 0x8b})
	limits := source.Limits{Files: 3, Bytes: 1 << 10}
	f.Fuzz(func(t *testing.T, media, title string, packed bool, data []byte) {
		layer := source.Layer{MediaType: media, Title: title, Packed: packed, Data: data}
		found, left := source.FromLayers(pinned, []source.Layer{layer, {Title: "last", Data: []byte("x")}}, limits)
		if found.Err != nil {
			return
		}
		within(t, found.Files, limits)
		if left.Files < 0 || left.Bytes < 0 {
			t.Errorf("left %+v", left)
		}
	})
}
