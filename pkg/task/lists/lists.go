// Package lists reads several lists from one line of words. Tekton can put an array
// parameter into the arguments of a step and nowhere else; a marker such as `services:`
// in front of each array keeps them apart.
package lists

import (
	"fmt"
	"slices"
	"strings"
)

// Split gives each name the words between its marker, the name and a colon, and the next
// marker. Markers come in the order of the names, so the last list may hold any word.
// Words before the first marker are refused.
func Split(words []string, names ...string) (map[string][]string, error) {
	out := map[string][]string{}
	current := ""
	for rest := names; len(words) > 0; words = words[1:] {
		word := words[0]
		name, marked := strings.CutSuffix(word, ":")
		if i := slices.Index(rest, name); marked && i >= 0 {
			current, rest = name, rest[i+1:]
			continue
		}
		if current == "" {
			return nil, fmt.Errorf("argument %q: it belongs to no list; begin a list with one of %s", word, markers(names))
		}
		out[current] = append(out[current], word)
	}
	return out, nil
}

func markers(names []string) string {
	var out []string
	for _, name := range names {
		out = append(out, name+":")
	}
	return strings.Join(out, " ")
}
