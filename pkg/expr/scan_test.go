package expr_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"spock.dev/spock/pkg/expr"
)

func literal(text string) expr.Part { return expr.Part{Text: text} }

func expression(text string, start int) expr.Part {
	return expr.Part{Text: text, Expression: true, Start: start}
}

func TestSplit(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		text string
		want []expr.Part
	}{
		"nothing":                               {"", nil},
		"text":                                  {"a $b $(c) {d} $ }", []expr.Part{literal("a $b $(c) {d} $ }")}},
		"an expression":                         {"${a}", []expr.Part{expression("a", 2)}},
		"expressions side by side":              {"${a}${b}", []expr.Part{expression("a", 2), expression("b", 6)}},
		"text around an expression":             {"x${a}y", []expr.Part{literal("x"), expression("a", 3), literal("y")}},
		"a literal":                             {"$${a}", []expr.Part{literal("${a}")}},
		"a dollar before a literal":             {"$$${a}", []expr.Part{literal("$${a}")}},
		"a dollar at the end":                   {"a$", []expr.Part{literal("a$")}},
		"nested braces":                         {"${ {'a': {'b': 1}}['a'] }", []expr.Part{expression(" {'a': {'b': 1}}['a'] ", 2)}},
		"a brace in single quotes":              {"${'}'}", []expr.Part{expression("'}'", 2)}},
		"a brace in double quotes":              {`${"}"}`, []expr.Part{expression(`"}"`, 2)}},
		"a quote in the other quotes":           {`${"'}"}`, []expr.Part{expression(`"'}"`, 2)}},
		"an escaped quote":                      {`${'\'}'}`, []expr.Part{expression(`'\'}'`, 2)}},
		"an escaped backslash":                  {`${'\\'}}`, []expr.Part{expression(`'\\'`, 2), literal("}")}},
		"a raw string ends at its first quote":  {`${r'\'}`, []expr.Part{expression(`r'\'`, 2)}},
		"raw bytes end at their first quote":    {`${bR'\'}`, []expr.Part{expression(`bR'\'`, 2)}},
		"a longer word is no raw prefix":        {`${ber'\'}'}`, []expr.Part{expression(`ber'\'}'`, 2)}},
		"triple quotes":                         {`${'''}'}''}'''}`, []expr.Part{expression(`'''}'}''}'''`, 2)}},
		"triple quotes over lines":              {"${\"\"\"}\n}\"\"\"}", []expr.Part{expression("\"\"\"}\n}\"\"\"", 2)}},
		"a comment":                             {"${a // }\n}", []expr.Part{expression("a // }\n", 2)}},
		"slashes in a string":                   {"${'http://'}", []expr.Part{expression("'http://'", 2)}},
		"an expression in a string is a string": {"${'${a}'}", []expr.Part{expression("'${a}'", 2)}},
		"other scripts":                         {"ü${a}ü", []expr.Part{literal("ü"), expression("a", 4), literal("ü")}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := expr.Split(tc.text)
			if err != nil {
				t.Fatalf("splitting %q: %v", tc.text, err)
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Errorf("splitting %q (-want +got):\n%s", tc.text, diff)
			}
		})
	}
}

func TestSplitRefuses(t *testing.T) {
	t.Parallel()
	const open = "the expression is not closed; close it with `}`, or write `$${` for a literal `${`"
	for name, tc := range map[string]struct{ text, want string }{
		"an open expression":                {"${", "column 1: " + open},
		"an open expression after lines":    {"a\nbü ${x", "line 2, column 4: " + open},
		"an open brace inside":              {"${ {a }", "column 1: " + open},
		"an open string":                    {"${'}", "column 1: " + open},
		"a string over lines":               {"${'\n'}", "column 1: " + open},
		"an open triple string":             {"${'''}'}", "column 1: " + open},
		"a string that ends in a backslash": {`${'\`, "column 1: " + open},
		"a comment without an end":          {"${a //}", "column 1: " + open},
		"an empty expression":               {"a ${}", "column 3: the expression is empty; write one between the braces, or write `$${` for a literal `${`"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := expr.Split(tc.text)
			if err == nil {
				t.Fatalf("splitting %q gave %v and no error", tc.text, got)
			}
			if diff := cmp.Diff(tc.want, err.Error()); diff != "" {
				t.Errorf("splitting %q (-want +got):\n%s", tc.text, diff)
			}
		})
	}
}

func TestEscapedTextComesBack(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		text := rapid.StringOf(rapid.SampledFrom([]rune(`${}'"ax`+"\n\\ü"))).Draw(t, "text")
		comesBack(t, text)
	})
}

// comesBack fails when escaped text is not exactly its own literal.
func comesBack(t interface{ Fatalf(string, ...any) }, text string) {
	parts, err := expr.Split(expr.Escape(text))
	if err != nil {
		t.Fatalf("splitting %q, escaped: %v", text, err)
	}
	if got := join(parts); got != text || len(parts) > 1 {
		t.Fatalf("%q came back as %q in %d parts", text, got, len(parts))
	}
}

func join(parts []expr.Part) string {
	var out strings.Builder
	for _, part := range parts {
		out.WriteString(part.Text)
	}
	return out.String()
}

func FuzzSplit(f *testing.F) {
	for _, seed := range []string{
		"", "${a}", "$${a}", "$$${a}", "${'}'}", `${"\"}"}`, `${r'\'}`, "${'''}'''}", "${ {} }", "${a//}\n}", "${", "${'", "${''", "${'''",
		"${\\}", "a${b}c${d}", "${ü}", "\xff${\xff}", "${r\"\\\"}", "${br'''\\'''}", "$", "$$", "${}}",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		comesBack(t, text)
		parts, err := expr.Split(text)
		if err != nil {
			var e *expr.Error
			if !errors.As(err, &e) || e.Line < 1 || e.Column < 1 || e.Problem == "" || e.Remedy == "" {
				t.Fatalf("splitting %q: the error says too little: %#v", text, err)
			}
			return
		}
		for _, part := range parts {
			end := part.Start + len(part.Text)
			if part.Expression && (text[part.Start:end] != part.Text || text[part.Start-2:part.Start] != "${" || text[end] != '}') {
				t.Fatalf("splitting %q: expression %q is not at %d", text, part.Text, part.Start)
			}
		}
	})
}
