package junit

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
)

var update = flag.Bool("update", false, "write the golden files")

func report() Suites {
	return Suites{Time: "1.5", Suites: []Suite{
		{Name: "example.com/shop/cart", Time: "1.25", Timestamp: "2026-01-02T03:04:05Z", Cases: []Case{
			{Classname: "example.com/shop/cart", Name: "TestAdd", Time: "0.01"},
			{Classname: "example.com/shop/cart", Name: "TestRemove/the_last", Time: "0.2", Failure: &Problem{Message: "failed", Text: "cart_test.go:12: got <2>, want \"1\"\n"}},
			{Classname: "example.com/shop/cart", Name: "TestSlow", Skipped: &Problem{Message: "short"}},
		}},
		{Name: "example.com/shop/web", Cases: []Case{{Name: "build", Error: &Problem{Message: "did not build", Text: "undefined: x"}}}},
	}}
}

func TestMarshal(t *testing.T) {
	t.Parallel()
	got, err := Marshal(report())
	if err != nil {
		t.Fatal(err)
	}
	const path = "testdata/report.xml"
	if *update {
		if err := os.WriteFile(path, got, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), string(got)); diff != "" {
		t.Errorf("Marshal (-want +got; rewrite with -update):\n%s", diff)
	}
}

func TestWhatIsWrittenIsReadAgain(t *testing.T) {
	t.Parallel()
	raw, err := Marshal(report())
	if err != nil {
		t.Fatal(err)
	}
	got, err := Unmarshal(raw)
	if err != nil {
		t.Fatal(err)
	}
	ignore := cmp.Options{cmpopts.IgnoreFields(Suites{}, "XMLName", "Tests", "Failures", "Errors", "Skipped"),
		cmpopts.IgnoreFields(Suite{}, "XMLName", "Tests", "Failures", "Errors", "Skipped")}
	if diff := cmp.Diff(report(), got, ignore); diff != "" {
		t.Errorf("Unmarshal (-want +got):\n%s", diff)
	}
}

func TestUnmarshalReadsOtherDialects(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		raw  string
		want map[string][4]int
	}{
		"a single suite":       {raw: `<testsuite name="a"><testcase name="x"/><testcase name="y"><failure/></testcase></testsuite>`, want: map[string][4]int{"a": {2, 1, 0, 0}}},
		"suites within suites": {raw: `<testsuites><testsuite name="a"><testsuite name="b"><testcase name="x"><skipped/></testcase></testsuite></testsuite></testsuites>`, want: map[string][4]int{"b": {1, 0, 0, 1}}},
		"wrong counts":         {raw: `<testsuites tests="9"><testsuite name="a" tests="7"><testcase name="x"><error/></testcase></testsuite></testsuites>`, want: map[string][4]int{"a": {1, 0, 1, 0}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			report, err := Unmarshal([]byte(tt.raw))
			if err != nil {
				t.Fatal(err)
			}
			got := map[string][4]int{}
			for _, s := range report.Suites {
				got[s.Name] = [4]int{s.Tests, s.Failures, s.Errors, s.Skipped}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("counts (-want +got):\n%s", diff)
			}
		})
	}
	if _, err := Unmarshal([]byte("{}")); err == nil {
		t.Error("JSON was read as a report")
	}
}

func TestClean(t *testing.T) {
	t.Parallel()
	if got, want := Clean("a\x1b[31m\r\nb\x00\xff\tc"), "a\uFFFD[31m\nb\uFFFD\uFFFD\tc"; got != want {
		t.Errorf("Clean = %q, want %q", got, want)
	}
}
