// Package nearest finds the known name a person probably meant when they wrote an
// unknown one.
package nearest

import (
	"fmt"
	"sort"
	"strings"
)

// listed is how many known names a hint spells out when none is near.
const listed = 8

// Name returns the known name with the smallest edit distance to name, the first in
// alphabetical order when several are as near, and whether it is near enough to be
// what was meant: at most two edits, or a third of the name's length, and something of
// the name must be left.
func Name(name string, known []string) (string, bool) {
	best, least := "", min(max(2, len(name)/3), len(name)-1)+1
	for _, candidate := range sorted(known) {
		if d := distance(strings.ToLower(name), strings.ToLower(candidate), least); d < least {
			best, least = candidate, d
		}
	}
	return best, best != ""
}

// Hint says what to write instead of an unknown name: the nearest known one, or the
// known ones when none is near, or fallback when nothing is known.
func Hint(name string, known []string, fallback string) string {
	if best, ok := Name(name, known); ok {
		return fmt.Sprintf("did you mean %q?", best)
	}
	if len(known) == 0 {
		return fallback
	}
	names := sorted(known)
	if len(names) == 1 {
		return "the only known one is " + names[0]
	}
	if len(names) > listed {
		return fmt.Sprintf("known are %s and %d more", strings.Join(names[:listed], ", "), len(names)-listed)
	}
	return "known are " + strings.Join(names, ", ")
}

func sorted(names []string) []string {
	out := append([]string(nil), names...)
	sort.Strings(out)
	return out
}

// distance is the Levenshtein distance of a and b in bytes, or limit when it is at
// least that much.
func distance(a, b string, limit int) int {
	if len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		diagonal := row[0]
		row[0] = i
		for j := 1; j <= len(b); j++ {
			cost := diagonal
			if a[i-1] != b[j-1] {
				cost++
			}
			diagonal = row[j]
			row[j] = min(cost, row[j]+1, row[j-1]+1)
		}
	}
	return min(row[len(b)], limit)
}
