package cli

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// The output formats.
const (
	asTable = "table"
	asWide  = "wide"
	asJSON  = "json"
	asYAML  = "yaml"
	asName  = "name"
)

// format is the value of --output, one of those a command knows.
type format struct {
	value string
	known []string
}

// outputFlag adds -o with these formats; the first one is the default.
func outputFlag(cmd *cobra.Command, known ...string) *format {
	f := &format{value: known[0], known: known}
	cmd.Flags().VarP(f, "output", "o", "one of "+strings.Join(known, ", "))
	// It fails only for a flag that does not exist.
	_ = cmd.RegisterFlagCompletionFunc("output", cobra.FixedCompletions(known, cobra.ShellCompDirectiveNoFileComp))
	return f
}

func (f *format) String() string { return f.value }
func (f *format) Type() string   { return "format" }

func (f *format) Set(value string) error {
	if !slices.Contains(f.known, value) {
		return fmt.Errorf("it must be one of %s", strings.Join(f.known, ", "))
	}
	f.value = value
	return nil
}

// environment prints an Environment as name, JSON or YAML, and says whether
// it did: for a table it does nothing.
func (f *format) environment(out io.Writer, env *v1alpha1.Environment) (bool, error) {
	switch f.value {
	case asName:
		fmt.Fprintln(out, "environment.spock.dev/"+env.Name)
		return true, nil
	case asJSON, asYAML:
		return true, f.object(out, bare(env))
	}
	return false, nil
}

// object prints an object as JSON or YAML.
func (f *format) object(out io.Writer, object any) error {
	text, err := json.MarshalIndent(object, "", "  ")
	if err == nil && f.value == asYAML {
		text, err = yaml.JSONToYAML(text)
	}
	if err != nil {
		return fmt.Errorf("print as %s: %w", f.value, err)
	}
	_, err = fmt.Fprintln(out, strings.TrimRight(string(text), "\n"))
	return err
}

// bare is a copy that names its kind and leaves out who owns which field.
func bare(env *v1alpha1.Environment) *v1alpha1.Environment {
	env = env.DeepCopy()
	env.SetGroupVersionKind(v1alpha1.SchemeGroupVersion.WithKind("Environment"))
	env.ManagedFields = nil
	return env
}
