// Command catalog pushes each Task, StepAction and Pipeline that it reads as a Tekton bundle of its
// own: REPOSITORY/KIND-NAME:VERSION. The same YAML makes the same digest.
package main

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

// held are the kinds that a bundle may hold, each in the version in which the resolver reads it.
var held = []string{"tekton.dev/v1 Task", "tekton.dev/v1 Pipeline", "tekton.dev/v1beta1 StepAction"}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: ko resolve -f FILE... | catalog REPOSITORY")
		os.Exit(2)
	}
	if err := pushAll(context.Background(), os.Args[1], os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "error:", err)
		os.Exit(1)
	}
}

// pushAll says the reference of each bundle.
func pushAll(ctx context.Context, repository string, in io.Reader, out io.Writer) error {
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(in)); ; {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fmt.Errorf("read the catalog: %w", err)
		}
		if len(bytes.TrimSpace(document)) == 0 {
			continue
		}
		reference, err := push(ctx, repository, document)
		if err != nil {
			return err
		}
		fmt.Fprintln(out, reference)
	}
}

func push(ctx context.Context, repository string, document []byte) (string, error) {
	var object metav1.PartialObjectMetadata
	if err := yaml.Unmarshal(document, &object); err != nil {
		return "", fmt.Errorf("read an object of the catalog: %w", err)
	}
	kind, version := strings.ToLower(object.Kind), object.Labels["app.kubernetes.io/version"]
	if !slices.Contains(held, object.APIVersion+" "+object.Kind) || version == "" {
		return "", fmt.Errorf("%s %s of %s: a bundle holds Tasks and Pipelines of tekton.dev/v1 and StepActions of tekton.dev/v1beta1, with the label app.kubernetes.io/version", object.Kind, object.Name, object.APIVersion)
	}
	if bytes.Contains(document, []byte(": ko://")) {
		return "", fmt.Errorf("%s %s: its image is not resolved; pipe it through ko resolve", object.Kind, object.Name)
	}
	reference, err := name.ParseReference(fmt.Sprintf("%s/%s-%s:%s", repository, kind, object.Name, version))
	if err != nil {
		return "", fmt.Errorf("name the bundle of %s %s: %w", object.Kind, object.Name, err)
	}
	image, err := bundle(object, document)
	if err != nil {
		return "", fmt.Errorf("make the bundle of %s %s: %w", object.Kind, object.Name, err)
	}
	if err := remote.Write(reference, image, remote.WithContext(ctx), remote.WithAuthFromKeychain(authn.DefaultKeychain)); err != nil {
		return "", fmt.Errorf("push %s: %w", reference, err)
	}
	digest, err := image.Digest()
	if err != nil {
		return "", fmt.Errorf("digest of %s: %w", reference, err)
	}
	return reference.String() + "@" + digest.String(), nil
}

// bundle is an image with a layer for the object, as Tekton's contract for bundles says.
func bundle(object metav1.PartialObjectMetadata, document []byte) (v1.Image, error) {
	var raw bytes.Buffer
	w := tar.NewWriter(&raw)
	header := &tar.Header{Name: object.Name, Mode: 0o600, Size: int64(len(document)), Typeflag: tar.TypeReg}
	if err := w.WriteHeader(header); err != nil {
		return nil, err
	}
	if _, err := w.Write(document); err != nil {
		return nil, err
	}
	if err := w.Close(); err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(raw.Bytes())), nil })
	if err != nil {
		return nil, err
	}
	return mutate.Append(empty.Image, mutate.Addendum{Layer: layer, Annotations: map[string]string{
		"dev.tekton.image.name": object.Name, "dev.tekton.image.kind": strings.ToLower(object.Kind),
		"dev.tekton.image.apiVersion": strings.TrimPrefix(object.APIVersion, "tekton.dev/"),
	}})
}
