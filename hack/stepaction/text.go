package main

import (
	"bytes"
	_ "embed"
	"strings"
	"text/template"

	v1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	"sigs.k8s.io/yaml"
)

//go:embed stepaction.yaml.tmpl
var layout string

// width of folded text.
const width = 90

var page = template.Must(template.New("stepaction").Funcs(template.FuncMap{
	"yaml": inYAML, "folded": folded, "standard": standard, "indent": indent,
}).Parse(layout))

// text is a StepAction as a person would write it: the fields in the order in which they
// are read, descriptions folded.
func text(action v1beta1.StepAction) (string, error) {
	var out bytes.Buffer
	if err := page.Execute(&out, action); err != nil {
		return "", err
	}
	return out.String(), nil
}

func inYAML(by int, value any) (string, error) {
	raw, err := yaml.Marshal(value)
	return indent(by, string(raw)), err
}

func indent(by int, text string) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	for i, line := range lines {
		if line != "" {
			lines[i] = strings.Repeat(" ", by) + line
		}
	}
	return strings.Join(lines, "\n")
}

// folded breaks a text between words, so that no line is wider than the page.
func folded(by int, text string) string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && by+len(line)+1+len(word) > width {
			lines, line = append(lines, line), ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return indent(by, strings.Join(append(lines, line), "\n"))
}

func standard(value *v1.ParamValue) (string, error) {
	raw, err := value.MarshalJSON()
	return string(raw), err
}
