package diff

import (
	"encoding/json"
	"fmt"
	"strings"
)

// longest is how many characters of a value are shown.
const longest = 80

// String says in a line what changes.
func (c Change) String() string {
	if c.Secret {
		return c.Path + ": changed"
	}
	old, isOld := c.Old.(string)
	wanted, isNew := c.New.(string)
	if isOld && isNew && (strings.Contains(old, "\n") || strings.Contains(wanted, "\n")) {
		return c.Path + lines(strings.Split(old, "\n"), strings.Split(wanted, "\n"))
	}
	return fmt.Sprintf("%s: %s -> %s", c.Path, value(c.Old), value(c.New))
}

// lines tells the first line in which two texts differ.
func lines(old, wanted []string) string {
	at := 0
	for at < len(old) && at < len(wanted) && old[at] == wanted[at] {
		at++
	}
	same := 0 // lines at the end
	for same < len(old)-at && same < len(wanted)-at && old[len(old)-1-same] == wanted[len(wanted)-1-same] {
		same++
	}
	a, b := len(old)-at-same, len(wanted)-at-same
	line := func(all []string, n int) string {
		if n == 0 {
			return "(none)"
		}
		return short(quoted(all[at]))
	}
	out := fmt.Sprintf(" line %d: %s -> %s", at+1, line(old, a), line(wanted, b))
	if more := max(a, b) - 1; more > 0 {
		out += fmt.Sprintf(", and up to %d lines below it", more)
	}
	return out
}

func value(v any) string {
	if v == nil {
		return "(none)"
	}
	return short(quoted(v))
}

// quoted is the value in JSON, so that "1" and 1 are told apart.
func quoted(v any) string {
	var out strings.Builder
	e := json.NewEncoder(&out)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return fmt.Sprint(v)
	}
	return strings.TrimSuffix(out.String(), "\n")
}

// text is a value as a part of a path.
func text(v any) string {
	if s, ok := v.(string); ok {
		return s
	}
	return quoted(v)
}

func short(s string) string {
	if r := []rune(s); len(r) > longest {
		return fmt.Sprintf("%s... (%d more)", string(r[:longest]), len(r)-longest)
	}
	return s
}
