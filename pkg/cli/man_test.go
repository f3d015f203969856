package cli

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestEveryCommandHasAManualPage(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "man1")
	if r := newWorld(t).run("man", dir); r.code != 0 || r.out != "" {
		t.Fatalf("exit %d, %q, %q", r.code, r.out, r.err)
	}
	pages, err := filepath.Glob(docs + "/*.md")
	if err != nil || len(pages) == 0 {
		t.Fatalf("the pages of the commands: %v, %v", pages, err)
	}
	for _, page := range pages {
		name := strings.ReplaceAll(strings.TrimSuffix(filepath.Base(page), ".md"), "_", "-")
		raw, err := os.ReadFile(filepath.Join(dir, name+".1"))
		if err != nil {
			t.Error(err)
			continue
		}
		for _, part := range []string{".SH NAME", ".SH SYNOPSIS", ".SH EXAMPLE"} {
			if !strings.Contains(string(raw), part) {
				t.Errorf("%s.1 has no %s", name, part)
			}
		}
	}
}
