package docs

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

const types = "pkg/apis/spock/v1alpha1"

// specs are the pages of the kinds, and what they describe.
var specs = map[string][]any{
	"docs/spec/servicetemplate.md":  {v1alpha1.ServiceTemplateSpec{}},
	"docs/spec/product.md":          {v1alpha1.ProductSpec{}},
	"docs/spec/environmentclass.md": {v1alpha1.EnvironmentClassSpec{}},
	"docs/spec/environment.md":      {v1alpha1.EnvironmentSpec{}, v1alpha1.EnvironmentStatus{}},
	"docs/spec/host.md":             {v1alpha1.HostSpec{}, v1alpha1.HostStatus{}},
	"docs/spec/environmentrun.md":   {v1alpha1.EnvironmentRunSpec{}, v1alpha1.EnvironmentRunStatus{}},
}

// once are types that many kinds have, and the page that tells of them.
var once = map[reflect.Type]string{
	reflect.TypeFor[v1alpha1.EnvVar]():        "docs/spec/servicetemplate.md",
	reflect.TypeFor[v1alpha1.ServiceStatus](): "docs/spec/environment.md",
}

// spoken are the words in code of a page's prose.
func spoken(t *testing.T, name string) map[string]bool {
	t.Helper()
	words := map[string]bool{}
	for _, p := range pages(t) {
		if p.name != name {
			continue
		}
		for _, s := range span.FindAllString(p.prose, -1) {
			for _, word := range regexp.MustCompile(`[A-Za-z][A-Za-z0-9]*`).FindAllString(s, -1) {
				words[word] = true
			}
		}
	}
	return words
}

func TestThePageOfAKindNamesItsFields(t *testing.T) {
	t.Parallel()
	for name, values := range specs {
		words := spoken(t, name)
		for _, v := range values {
			seen := map[reflect.Type]bool{}
			for typ, page := range once {
				seen[typ] = page != name
			}
			for _, field := range fields(reflect.TypeOf(v), seen) {
				if !words[field] {
					t.Errorf("%s does not tell of the field %s", name, field)
				}
			}
		}
	}
}

// fields are the names of the fields of a type of ours, and of the types in it that have
// not been seen.
func fields(typ reflect.Type, seen map[reflect.Type]bool) []string {
	for typ.Kind() == reflect.Pointer || typ.Kind() == reflect.Slice {
		typ = typ.Elem()
	}
	if typ.Kind() != reflect.Struct || seen[typ] || !strings.HasSuffix(typ.PkgPath(), types) {
		return nil
	}
	seen[typ] = true
	var names []string
	for i := range typ.NumField() {
		tag, _, _ := strings.Cut(typ.Field(i).Tag.Get("json"), ",")
		if tag != "" {
			names = append(names, tag)
		}
		names = append(names, fields(typ.Field(i).Type, seen)...)
	}
	return names
}

func TestThePageOfEnvironmentsNamesEveryWordOfItsStatus(t *testing.T) {
	t.Parallel()
	words := spoken(t, "docs/spec/environment.md")
	for typ, consts := range constants(t) {
		switch typ {
		case "Phase", "ServiceState", "CauseClass":
			for _, word := range consts {
				if !words[word] {
					t.Errorf("docs/spec/environment.md does not tell of the %s %s", typ, word)
				}
			}
		}
	}
}

// constants are the texts of the typed constants of the API, by type.
func constants(t *testing.T) map[string][]string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), filepath.Join(root, types, "environment_types.go"), nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	out := map[string][]string{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok || len(spec.Values) != 1 {
			return true
		}
		typ, isTyped := spec.Type.(*ast.Ident)
		text, isText := spec.Values[0].(*ast.BasicLit)
		if isTyped && isText {
			word, err := strconv.Unquote(text.Value)
			if err != nil {
				t.Fatal(err)
			}
			out[typ.Name] = append(out[typ.Name], word)
		}
		return true
	})
	if len(out) == 0 {
		t.Fatal("found no constants")
	}
	return out
}
