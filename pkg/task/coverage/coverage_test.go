package coverage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	cobertura = `<?xml version="1.0" ?>
<!DOCTYPE coverage SYSTEM "http://cobertura.sourceforge.net/xml/coverage-04.dtd">
<coverage version="7.4" timestamp="1" lines-valid="7" lines-covered="5" line-rate="0.7143" branch-rate="0"><packages><package name="p" line-rate="1"/></packages></coverage>`
	jacoco = `<?xml version="1.0" encoding="UTF-8" standalone="yes"?><!DOCTYPE report PUBLIC "-//JACOCO//DTD Report 1.1//EN" "report.dtd">
<report name="shop"><sessioninfo id="x" start="1" dump="2"/><package name="a"><counter type="LINE" missed="1" covered="1"/></package>
<counter type="INSTRUCTION" missed="30" covered="70"/><counter type="LINE" missed="2" covered="5"/></report>`
	trace = "TN:unit\nSF:src/a.js\nFN:1,f\nDA:1,3\nDA:2,0\nDA:3,1,c2hh\nLF:3\nLH:2\nend_of_record\n"
)

func TestRead(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		file, want, err string
	}{
		"a Go profile without statements":        {"mode: set\n", "0.0", ""},
		"of Go, whose statements are weighed":    {"mode: set\na.go:1.1,2.2 5 1\na.go:3.1,4.2 2 0\n", "71.4", ""},
		"of Go, a block that is there twice":     {"mode: atomic\na.go:1.1,2.2 1 0\na.go:1.1,2.2 1 7\n", "100.0", ""},
		"of Go, a line that is none":             {"mode: set\nnonsense\n", "", "\"nonsense\" is not `block statements count`"},
		"of Go, a number that is none":           {"mode: set\na.go:1.1,2.2 x 1\n", "", `"a.go:1.1,2.2 x 1": strconv.Atoi: parsing "x": invalid syntax`},
		"LCOV":                                   {trace, "66.7", ""},
		"LCOV, a file that two tests cover":      {trace + strings.ReplaceAll(trace, "DA:2,0", "DA:2,1"), "100.0", ""},
		"LCOV, two files":                        {trace + strings.ReplaceAll(trace, "a.js", "b.js"), "66.7", ""},
		"LCOV with sums alone":                   {"SF:a.c\r\nLF:8\r\nLH:2\r\nend_of_record\r\n", "25.0", ""},
		"LCOV, a line that is none":              {"SF:a.c\nDA:1\n", "", "\"DA:1\" is not `DA:line,hits`"},
		"LCOV, a sum that is none":               {"SF:a.c\nLF:x\n", "", `"LF:x": strconv.Atoi: parsing "x": invalid syntax`},
		"Cobertura":                              {cobertura, "71.4", ""},
		"Cobertura with the rate alone":          {`<coverage line-rate="0.85"/>`, "85.0", ""},
		"Cobertura after a byte order mark":      {"\xef\xbb\xbf" + cobertura, "71.4", ""},
		"another's XML with the root's name":     {"<coverage generated='1'/>", "", "the report says nothing of lines"},
		"JaCoCo, of which lines count":           {jacoco, "71.4", ""},
		"JaCoCo of a program without line table": {strings.ReplaceAll(jacoco, `<counter type="LINE" missed="2" covered="5"/>`, ""), "70.0", ""},
		"another's XML":                          {"<testsuites/>", "", "<testsuites> is a report neither of Cobertura nor of JaCoCo"},
		"half of an XML":                         {"<coverage", "", "read the XML: XML syntax error on line 1: unexpected EOF"},
		"nothing":                                {" \n", "", "the file is empty"},
		"something else":                         {"85%", "", "this is neither a Go profile, nor LCOV, nor the XML of Cobertura or JaCoCo"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			share, err := Read([]byte(tt.file))
			if tt.err != "" {
				if err == nil || err.Error() != tt.err {
					t.Errorf("error %v, want %s", err, tt.err)
				}
				return
			}
			if got := share.Percent(); err != nil || got != tt.want {
				t.Errorf("Read = %s, %v, want %s", got, err, tt.want)
			}
		})
	}
}

func TestGlob(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"a/lcov.info": trace, "b/lcov.info": strings.ReplaceAll(trace, "DA:2,0", "DA:2,9"), "c/other": "x"} {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if got, err := Glob(dir, "*/lcov.info"); err != nil || got != (Share{5, 6}) {
		t.Errorf("Glob = %v, %v", got, err)
	}
	for pattern, want := range map[string]string{
		"../x": "it leaves the sources", "*.xml": "there is no such file", "[": "syntax error in pattern", "c/*": filepath.Join(dir, "c", "other") + ": this is neither",
	} {
		if _, err := Glob(dir, pattern); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", pattern, err, want)
		}
	}
}

func FuzzRead(f *testing.F) {
	for _, seed := range []string{cobertura, jacoco, trace, "mode: set\na.go:1.1,2.2 5 1\n"} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, raw []byte) {
		if share, err := Read(raw); err == nil && share.Percent() == "" {
			t.Error("no text")
		}
	})
}
