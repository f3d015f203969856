// Package docs checks that the documentation speaks of Spock as it is: its objects are
// what the types read, its links lead somewhere, its commands are understood.
package docs

import (
	"bytes"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const root = "../.."

// page is a page of documentation.
type page struct {
	name   string // from the root, with slashes
	prose  string // without its blocks
	blocks []block
}

// block is a fenced block.
type block struct {
	language string
	line     int // of its first line of text
	text     string
}

// pages are all pages, in order.
func pages(t *testing.T) []page {
	t.Helper()
	var all []page
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir() && path != root && (strings.HasPrefix(entry.Name(), ".") || entry.Name() == "bin" || entry.Name() == "testdata"):
			return filepath.SkipDir
		case entry.IsDir() || filepath.Ext(path) != ".md":
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		name, err := filepath.Rel(root, path)
		all = append(all, parse(filepath.ToSlash(name), string(text)))
		return err
	})
	if err != nil || len(all) == 0 {
		t.Fatalf("read the pages below %s: found %d, %v", root, len(all), err)
	}
	return all
}

func parse(name, text string) page {
	p := page{name: name}
	var prose bytes.Buffer
	var open *block
	for i, line := range strings.Split(text, "\n") {
		fence, isFence := strings.CutPrefix(strings.TrimSpace(line), "```")
		switch {
		case isFence && open == nil:
			open = &block{language: fence, line: i + 2}
		case isFence:
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.text += line + "\n"
		default:
			prose.WriteString(line + "\n")
		}
	}
	p.prose = prose.String()
	return p
}

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.*)$`)
	span    = regexp.MustCompile("`[^`\n]+`")
)

func TestEveryRelativeLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()
	all := pages(t)
	for _, p := range all {
		for _, found := range link.FindAllStringSubmatch(span.ReplaceAllString(p.prose, ""), -1) {
			target := found[1]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			file, anchor, _ := strings.Cut(target, "#")
			name := p.name
			if file != "" {
				name = filepath.ToSlash(filepath.Join(filepath.Dir(p.name), file))
			}
			if _, err := os.Stat(filepath.Join(root, name)); err != nil {
				t.Errorf("%s: link %s: %v", p.name, target, err)
				continue
			}
			if anchor != "" && !hasAnchor(all, name, anchor) {
				t.Errorf("%s: link %s: %s has no heading of that name", p.name, target, name)
			}
		}
	}
}

func hasAnchor(all []page, name, anchor string) bool {
	i := slices.IndexFunc(all, func(p page) bool { return p.name == name })
	if i < 0 {
		return false
	}
	for _, found := range heading.FindAllStringSubmatch(all[i].prose, -1) {
		if slug(found[1]) == anchor {
			return true
		}
	}
	return false
}

// slug is a heading as links name it.
func slug(text string) string {
	return strings.Map(func(r rune) rune {
		switch {
		case r == ' ':
			return '-'
		case r == '-' || r == '_' || r >= '0' && r <= '9' || r >= 'a' && r <= 'z':
			return r
		}
		return -1
	}, strings.ToLower(text))
}

func TestEveryPageIsListed(t *testing.T) {
	t.Parallel()
	all := pages(t)
	var linked []string
	for _, p := range all {
		for _, found := range link.FindAllStringSubmatch(p.prose, -1) {
			file, _, _ := strings.Cut(found[1], "#")
			if target := filepath.ToSlash(filepath.Join(filepath.Dir(p.name), file)); target != p.name {
				linked = append(linked, target)
			}
		}
	}
	for _, p := range all {
		if strings.HasPrefix(p.name, "docs/") && !slices.Contains(linked, p.name) {
			t.Errorf("no page links to %s; add it to docs/README.md", p.name)
		}
	}
}
