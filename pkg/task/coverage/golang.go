package coverage

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
)

// golang reads a profile of `go test -coverprofile`. A block that the tests of several
// packages report counts once.
func golang(text []byte) (Share, error) {
	statements, run := map[string]int{}, map[string]bool{}
	for line := range bytes.Lines(text) {
		words := strings.Fields(string(line))
		if len(words) == 0 || words[0] == "mode:" {
			continue
		}
		if len(words) != 3 {
			return Share{}, fmt.Errorf("%q is not `block statements count`", strings.TrimSpace(string(line)))
		}
		n, err := strconv.Atoi(words[1])
		if err != nil {
			return Share{}, fmt.Errorf("%q: %w", strings.TrimSpace(string(line)), err)
		}
		statements[words[0]] = n
		run[words[0]] = run[words[0]] || words[2] != "0"
	}
	var s Share
	for block, n := range statements {
		s.All += n
		if run[block] {
			s.Run += n
		}
	}
	return s, nil
}
