package helm

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/source"
)

const hookAnnotation = "helm.sh/hook"

// hooked is as much of an object as tells whether it is a hook.
type hooked struct {
	Kind     string `json:"kind"`
	Metadata struct {
		Name        string         `json:"name"`
		Annotations map[string]any `json:"annotations"`
	} `json:"metadata"`
}

// withoutTests drops the tests of a chart. Other hooks are refused: Spock has hooks of
// its own, which run once per content, and a chart's would run at other times.
func withoutTests(text string) (string, error) {
	out := &strings.Builder{}
	documents := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			return out.String(), nil
		}
		if err != nil {
			return "", said(err, "correct the chart")
		}
		var object hooked
		if err := yaml.Unmarshal(document, &object); err != nil {
			return "", &source.Error{Problem: "the chart's result is not valid YAML: " + strings.Join(strings.Fields(err.Error()), " "), Remedy: "correct the values or the chart"}
		}
		switch hook, _ := object.Metadata.Annotations[hookAnnotation].(string); {
		case hook == "":
			fmt.Fprintf(out, "---\n%s", strings.TrimPrefix(string(document), "---\n"))
		case strings.TrimSpace(hook) != "test" && strings.TrimSpace(hook) != "test-success":
			return "", &source.Error{
				Problem: fmt.Sprintf("%s/%s is a Helm hook (%s), and hooks of charts are not run", object.Kind, object.Metadata.Name, hook),
				Remedy:  "turn it off in the values, and make a service of kind Job of it",
			}
		}
	}
}
