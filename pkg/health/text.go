package health

import "strings"

// oneLine makes foreign text fit into a sentence: one line, at most limit characters,
// no full stop at the end.
func oneLine(text string, limit int) string {
	text = strings.TrimRight(strings.Join(strings.Fields(text), " "), ".")
	letters := []rune(text)
	if len(letters) <= limit {
		return text
	}
	return strings.TrimSpace(string(letters[:limit-1])) + "…"
}

// list joins words as a sentence does.
func list(words []string) string {
	switch len(words) {
	case 0:
		return ""
	case 1:
		return words[0]
	default:
		return strings.Join(words[:len(words)-1], ", ") + " and " + words[len(words)-1]
	}
}
