package source

import (
	"bytes"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
)

// Artifact is an OCI artifact by digest.
type Artifact struct {
	// Image is `registry/path@sha256:...`.
	Image string
	// Secret with the registry's credentials, in the namespace of the template; the registry
	// is asked anonymously when it is empty.
	Secret string
	// Insecure asks over plain HTTP.
	Insecure bool
}

// Reference is the artifact's name, by its digest.
func (a Artifact) Reference() (name.Digest, error) {
	options := []name.Option{name.StrictValidation}
	if a.Insecure {
		options = append(options, name.Insecure)
	}
	ref, err := name.NewDigest(a.Image, options...)
	const remedy = "write it as registry.example.com/path@sha256:..."
	switch {
	case strings.Contains(a.Image, "://"):
		return ref, &Error{fmt.Sprintf("%q is not the name of an artifact", a.Image), remedy}
	case err == nil && strings.HasPrefix(ref.DigestStr(), "sha256:"):
		return ref, nil
	}
	if _, tagged := name.ParseReference(a.Image); tagged == nil {
		return ref, &Error{fmt.Sprintf("%q does not name an artifact by its digest, and what a tag means may change", a.Image), remedy}
	}
	return ref, &Error{fmt.Sprintf("%q is not the name of an artifact", a.Image), remedy}
}

// Layer is one of an artifact, as it is in the registry.
type Layer struct {
	// MediaType says what it is.
	MediaType string
	// Title is the path of a single file; of an archive it says nothing.
	Title string
	// Packed says that who pushed it has packed a directory.
	Packed bool
	// Data is its content.
	Data []byte
}

// Media types of what tools push, beside those that end as a tar archive's.
const (
	HelmChart      = "application/vnd.cncf.helm.chart.content.v1.tar+gzip"
	FluxContent    = "application/vnd.cncf.flux.content.v1.tar+gzip"
	helmProvenance = "application/vnd.cncf.helm.chart.provenance.v1.prov"
	dockerLayer    = "application/vnd.docker.image.rootfs.diff.tar.gzip"
)

// archive says whether the layer is to be unpacked. A single file that oras has pushed has
// a tar archive's media type too, so with a title it is an archive only when it was packed.
func (l Layer) archive() bool {
	switch {
	case l.MediaType == HelmChart || l.MediaType == FluxContent || l.Packed:
		return true
	case l.Title != "":
		return packed(l.Title)
	}
	return l.MediaType == dockerLayer || strings.HasSuffix(l.MediaType, ".tar") || strings.HasSuffix(l.MediaType, ".tar+gzip")
}

// packed says whether a file of that name is an archive.
func packed(file string) bool {
	return strings.HasSuffix(file, ".tgz") || strings.HasSuffix(file, ".tar.gz")
}

// FromLayers are the files of an artifact, and what they leave of the limits, which may be
// those of several artifacts.
func FromLayers(digest string, layers []Layer, limits Limits) (Found, Limits) {
	wrong := func(err error) (Found, Limits) { return Found{Err: err, Named: digest}, limits }
	files := Files{}
	for i, layer := range layers {
		if layer.MediaType == helmProvenance {
			continue
		}
		held, err := layer.files(limits)
		if err != nil {
			return wrong(at(fmt.Sprintf("layer %d", i+1), err))
		}
		limits = limits.without(held)
		for _, name := range slices.Sorted(maps.Keys(held)) {
			if _, twice := files[name]; twice {
				return wrong(&Error{fmt.Sprintf("layer %d gives file %q a second time", i+1, name), "push it once"})
			}
			files[name] = held[name]
		}
	}
	if len(files) == 0 {
		return wrong(&Error{"the artifact holds no files", "push the manifests or the chart"})
	}
	return Found{Files: files, Named: digest}, limits
}

// files are those of one layer.
func (l Layer) files(limits Limits) (Files, error) {
	switch {
	case l.archive():
		return Unpack(bytes.NewReader(l.Data), limits)
	case l.Title == "":
		return nil, &Error{fmt.Sprintf("its media type %.80q is not one of a tar archive, and it has no title that names a file", l.MediaType), "push the files with flux, helm or oras"}
	case !fs.ValidPath(l.Title) || l.Title == "." || strings.ContainsAny(l.Title, "\\\x00") || len(l.Title) > maxPath:
		return nil, &Error{fmt.Sprintf("its title %.80q is no path below one directory", l.Title), "push the file with a relative path, without `..`"}
	case limits.Files < 1:
		return nil, limits.tooMany()
	case int64(len(l.Data)) > limits.Bytes:
		return nil, limits.TooMuch()
	}
	return Files{l.Title: string(l.Data)}, nil
}
