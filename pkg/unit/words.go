package unit

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

// writer collects lines, and the first thing that cannot be written.
type writer struct {
	text strings.Builder
	err  error
}

func (w *writer) section(name string) {
	if w.text.Len() > 0 {
		w.text.WriteByte('\n')
	}
	w.text.WriteString("[" + name + "]\n")
}

// line writes a directive; its value has been made by one of the functions below.
func (w *writer) line(name, value string) { w.text.WriteString(name + "=" + value + "\n") }

func (w *writer) fail(what, value string, why error) string {
	if w.err == nil {
		w.err = fmt.Errorf("%s %q: %w", what, value, why)
	}
	return ""
}

var (
	// program is a path or name that needs no quoting and does not begin with a prefix of
	// systemd's.
	program = regexp.MustCompile(`^[A-Za-z0-9_/][A-Za-z0-9_./+@:-]*$`)
	// location is a path that needs no quoting.
	location = regexp.MustCompile(`^[A-Za-z0-9_./+@-]+$`)
	word     = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_./+-]*$`)
	variable = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

	errWord = errors.New("it may hold letters, digits and ._/+- only")
	errText = errors.New("it is no text, or holds a zero byte")
)

// plain is a value that systemd reads to the end of the line.
func (w *writer) plain(value string) string {
	if !utf8.ValidString(value) || strings.ContainsFunc(value, func(r rune) bool { return r < ' ' || r == 0x7f }) {
		return w.fail("description", value, errors.New("it is not one line of text"))
	}
	return strings.NewReplacer("%", "%%", `\`, "/").Replace(value)
}

func (w *writer) word(value string) string {
	if !word.MatchString(value) {
		return w.fail("name", value, errWord)
	}
	return value
}

func (w *writer) path(value string) string {
	if !location.MatchString(value) || strings.Contains("/"+value+"/", "/../") {
		return w.fail("path", value, errWord)
	}
	return value
}

// command is a command line that systemd splits into exactly these words.
func (w *writer) command(words []string) string {
	if len(words) == 0 || !program.MatchString(words[0]) {
		return w.fail("program", strings.Join(words[:min(1, len(words))], ""), errors.New("it must be an absolute path, or a name of letters, digits and ._/+@:-"))
	}
	line := []string{words[0]}
	for _, arg := range words[1:] {
		line = append(line, w.quote("argument", strings.ReplaceAll(arg, "$", "$$")))
	}
	return strings.Join(line, " ")
}

func (w *writer) variable(v Variable) {
	if !variable.MatchString(v.Name) {
		w.fail("variable", v.Name, errors.New("its name may hold letters, digits and _ only"))
		return
	}
	w.line("Environment", w.quote("variable", v.Name+"="+v.Value))
}

// quote makes one word of a text: quoted, without specifiers and on one line.
func (w *writer) quote(what, value string) string {
	if !utf8.ValidString(value) || strings.ContainsRune(value, 0) {
		return w.fail(what, value, errText)
	}
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range value {
		switch {
		case r == '"' || r == '\\':
			b.WriteString(`\` + string(r))
		case r == '%':
			b.WriteString("%%")
		case r < ' ' || r == 0x7f:
			fmt.Fprintf(&b, `\x%02x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

// EnvFile is the text of a file for Service.EnvFile.
func EnvFile(variables []Variable) (string, error) {
	var b strings.Builder
	for _, v := range variables {
		if !variable.MatchString(v.Name) {
			return "", fmt.Errorf("variable %q: its name may hold letters, digits and _ only", v.Name)
		}
		// The value is a secret: an error does not tell it.
		if !utf8.ValidString(v.Value) || strings.ContainsRune(v.Value, 0) {
			return "", fmt.Errorf("variable %s: %w", v.Name, errText)
		}
		b.WriteString(v.Name + `="` + strings.NewReplacer(`\`, `\\`, `"`, `\"`, "$", `\$`, "`", "\\`").Replace(v.Value) + "\"\n")
	}
	return b.String(), nil
}
