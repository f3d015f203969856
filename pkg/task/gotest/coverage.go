package gotest

import (
	"bufio"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Coverage is the share of statements, in percent with one digit, that a profile of
// `go test -coverprofile` says were run. A block that several packages' tests report
// counts once. Without statements it is 0.0.
func Coverage(profile io.Reader) (string, error) {
	statements, covered := map[string]int{}, map[string]bool{}
	lines := bufio.NewScanner(profile)
	for lines.Scan() {
		line := lines.Text()
		if strings.HasPrefix(line, "mode: ") || line == "" {
			continue
		}
		words := strings.Fields(line)
		if len(words) != 3 {
			return "", fmt.Errorf("read the coverage profile: %q is not `block statements count`", line)
		}
		n, err := strconv.Atoi(words[1])
		if err != nil {
			return "", fmt.Errorf("read the coverage profile: %q: %w", line, err)
		}
		statements[words[0]] = n
		covered[words[0]] = covered[words[0]] || words[2] != "0"
	}
	if err := lines.Err(); err != nil {
		return "", fmt.Errorf("read the coverage profile: %w", err)
	}
	return percent(statements, covered), nil
}

func percent(statements map[string]int, covered map[string]bool) string {
	all, run := 0, 0
	for block, n := range statements {
		all += n
		if covered[block] {
			run += n
		}
	}
	if all == 0 {
		return "0.0"
	}
	return fmt.Sprintf("%.1f", 100*float64(run)/float64(all))
}
