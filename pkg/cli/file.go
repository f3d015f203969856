package cli

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned/scheme"
)

// read returns the one Environment of a file; none when no file is named.
func (s *session) read(file string) (*v1alpha1.Environment, error) {
	if file == "" {
		return nil, nil
	}
	documents, err := s.documents(file)
	if err != nil {
		return nil, err
	}
	strict := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	var found *v1alpha1.Environment
	for _, document := range documents {
		var kind metav1.TypeMeta
		if err := yaml.Unmarshal(document, &kind); err != nil {
			return nil, usage("%s: %w", called(file), err)
		}
		if kind.Kind != "Environment" || kind.APIVersion != v1alpha1.SchemeGroupVersion.String() {
			continue
		}
		if found != nil {
			return nil, usage("%s: there is more than one Environment in it; give each its own file", called(file))
		}
		found = &v1alpha1.Environment{}
		if _, _, err := strict.Decode(document, nil, found); err != nil {
			return nil, usage("%s: the Environment cannot be read: %w", called(file), err)
		}
	}
	if found == nil {
		return nil, usage("%s: there is no Environment of %s in it", called(file), v1alpha1.SchemeGroupVersion)
	}
	return found, nil
}

// called is what a file is called in a sentence.
func called(file string) string {
	if file == "-" {
		return "stdin"
	}
	return file
}

// documents are the YAML documents of a file, or of stdin when it is `-`.
func (s *session) documents(file string) ([][]byte, error) {
	var text []byte
	var err error
	if file == "-" {
		text, err = io.ReadAll(s.Streams.In)
	} else {
		text, err = os.ReadFile(file)
	}
	if err != nil {
		return nil, fmt.Errorf("read the file: %w", err)
	}
	reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	var documents [][]byte
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return documents, nil
		}
		if err != nil {
			return nil, fmt.Errorf("read %s: %w", called(file), err)
		}
		documents = append(documents, document)
	}
}

// place settles in which namespace an Environment of a file is meant: its own, which no
// flag may contradict, else the one of the command line.
func (s *session) place(cluster *Cluster, document *v1alpha1.Environment) error {
	if document.Namespace == "" {
		document.Namespace = cluster.Namespace
	}
	if s.connection.Namespace != "" && s.connection.Namespace != document.Namespace {
		return usage("the file says namespace %s, but the command line says %s; change one of them", document.Namespace, s.connection.Namespace)
	}
	cluster.Namespace = document.Namespace
	return nil
}
