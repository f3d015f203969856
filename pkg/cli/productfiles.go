package cli

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned/scheme"
)

// ofFiles reads products and templates; other kinds are left alone. What names no namespace
// is taken as of the same one.
func (s *session) ofFiles(paths []string) ([]v1alpha1.Product, map[string]map[string]*v1alpha1.ServiceTemplate, error) {
	var products []v1alpha1.Product
	templates := map[string]map[string]*v1alpha1.ServiceTemplate{}
	for _, path := range paths {
		files, err := yamlFiles(path)
		if err != nil {
			return nil, nil, err
		}
		for _, file := range files {
			documents, err := s.documents(file)
			if err != nil {
				return nil, nil, err
			}
			for _, document := range documents {
				if products, err = take(file, document, products, templates); err != nil {
					return nil, nil, err
				}
			}
		}
	}
	return products, templates, nil
}

// take reads one document, strictly: a field that does not exist is refused.
func take(file string, document []byte, products []v1alpha1.Product, templates map[string]map[string]*v1alpha1.ServiceTemplate) ([]v1alpha1.Product, error) {
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		return nil, usage("%s: %w", called(file), err)
	}
	if kind.APIVersion != v1alpha1.SchemeGroupVersion.String() || kind.Kind != "Product" && kind.Kind != "ServiceTemplate" {
		return products, nil
	}
	strict := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	object, _, err := strict.Decode(document, nil, nil)
	switch o := object.(type) {
	case *v1alpha1.Product:
		if err == nil {
			return append(products, *o), nil
		}
	case *v1alpha1.ServiceTemplate:
		if err == nil {
			if templates[o.Namespace] == nil {
				templates[o.Namespace] = map[string]*v1alpha1.ServiceTemplate{}
			}
			templates[o.Namespace][o.Name] = o
			return products, nil
		}
	}
	return nil, usage("%s: the %s cannot be read: %w", called(file), kind.Kind, err)
}

// yamlFiles are the YAML files of a folder and those below it, or the file itself.
func yamlFiles(path string) ([]string, error) {
	if path == "-" {
		return []string{path}, nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("read the files: %w", err)
	}
	if !info.IsDir() {
		return []string{path}, nil
	}
	var files []string
	err = filepath.WalkDir(path, func(name string, e os.DirEntry, err error) error {
		if err == nil && !e.IsDir() && (strings.HasSuffix(name, ".yaml") || strings.HasSuffix(name, ".yml")) {
			files = append(files, name)
		}
		return err
	})
	slices.Sort(files)
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("%s holds no YAML files", path)
	}
	return files, err
}

func (s *session) completeProduct(cmd *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	cluster, err := s.Connect(s.connection)
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	all, err := cluster.Spock.SpockV1alpha1().Products(cluster.Namespace).List(cmd.Context(), metav1.ListOptions{})
	if err != nil {
		return nil, cobra.ShellCompDirectiveError
	}
	var found []string
	for i := range all.Items {
		found = append(found, all.Items[i].Name)
	}
	return found, cobra.ShellCompDirectiveNoFileComp
}
