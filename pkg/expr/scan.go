// Package expr is the language of `${...}`: text with CEL expressions over a product's
// parameters, services and environment. It finds the expressions, compiles each one
// once, tells which services they name, and turns text into its final form.
package expr

import "strings"

// Part is a stretch of text: literal, or the source of one expression.
type Part struct {
	// Text is literal text, with `$${` already turned into `${`, or CEL source.
	Text string
	// Expression says which of the two.
	Expression bool
	// Start is where Text of an expression begins in the whole, in bytes.
	Start int
}

// Escape returns text such that Split gives it back as one literal.
func Escape(text string) string { return strings.ReplaceAll(text, "${", "$${") }

// Split cuts text into literals and expressions. Braces and string literals inside an
// expression are respected: `${ {'}': 1}['}'] }` is one expression.
func Split(text string) ([]Part, error) {
	var parts []Part
	var literal strings.Builder
	for i := 0; i < len(text); {
		switch {
		case strings.HasPrefix(text[i:], "$${"):
			literal.WriteString("${")
			i += 3
		case strings.HasPrefix(text[i:], "${"):
			end := closing(text, i+2)
			if end < 0 {
				return nil, at(text, i, "the expression is not closed", "close it with `}`, or write `$${` for a literal `${`")
			}
			source := text[i+2 : end]
			if strings.TrimSpace(source) == "" {
				return nil, at(text, i, "the expression is empty", "write one between the braces, or write `$${` for a literal `${`")
			}
			if literal.Len() > 0 {
				parts = append(parts, Part{Text: literal.String()})
				literal.Reset()
			}
			parts = append(parts, Part{Text: source, Expression: true, Start: i + 2})
			i = end + 1
		default:
			next := nextDollar(text, i+1)
			literal.WriteString(text[i:next])
			i = next
		}
	}
	if literal.Len() > 0 {
		parts = append(parts, Part{Text: literal.String()})
	}
	return parts, nil
}

func nextDollar(text string, from int) int {
	if n := strings.IndexByte(text[from:], '$'); n >= 0 {
		return from + n
	}
	return len(text)
}

// closing returns the index of the brace that closes the expression whose source
// begins at i, or -1.
func closing(text string, i int) int {
	for depth := 0; i < len(text); {
		switch c := text[i]; {
		case c == '{':
			depth++
			i++
		case c == '}' && depth == 0:
			return i
		case c == '}':
			depth--
			i++
		case c == '\'' || c == '"':
			if i = afterString(text, i); i < 0 {
				return -1
			}
		case strings.HasPrefix(text[i:], "//"):
			newline := strings.IndexByte(text[i:], '\n')
			if newline < 0 {
				return -1
			}
			i += newline + 1
		default:
			i++
		}
	}
	return -1
}

// afterString returns the index after the CEL string literal whose opening quote is at
// i, or -1 when it does not end.
func afterString(text string, i int) int {
	quote := text[i : i+1]
	if triple := strings.Repeat(quote, 3); strings.HasPrefix(text[i:], triple) {
		quote = triple
	}
	raw := isRaw(text, i)
	for j := i + len(quote); j < len(text); j++ {
		switch {
		case text[j] == '\\' && !raw:
			j++
		case strings.HasPrefix(text[j:], quote):
			return j + len(quote)
		case text[j] == '\n' && len(quote) == 1:
			return -1
		}
	}
	return -1
}

// isRaw says whether the quote at i follows a raw prefix: r, br, rb in any case, which
// is not the end of a longer word.
func isRaw(text string, i int) bool {
	start := i
	for start > 0 && isWord(text[start-1]) {
		start--
	}
	switch strings.ToLower(text[start:i]) {
	case "r", "rb", "br":
		return true
	}
	return false
}

func isWord(c byte) bool {
	return c == '_' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}
