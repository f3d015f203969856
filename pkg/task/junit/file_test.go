package junit

import (
	"errors"
	"testing"
)

func TestReportsAreWrittenAndFound(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	for name, problem := range map[string]error{"out/a.xml": nil, "out/b.xml": errors.New("exit status 3")} {
		if err := Write(directory, name, One("check", problem)); err != nil {
			t.Fatal(err)
		}
	}
	got, err := Glob(directory, "out/*.xml")
	if err != nil {
		t.Fatal(err)
	}
	failed := 0
	for _, s := range got.Suites {
		failed += s.Failures
	}
	if len(got.Suites) != 2 || failed != 1 {
		t.Errorf("found %+v, want two suites and one failure", got.Suites)
	}
}

func TestReportsStayBelowTheirDirectory(t *testing.T) {
	t.Parallel()
	if err := Write(t.TempDir(), "../x.xml", Suites{}); err == nil || err.Error() != `report "../x.xml": it leaves the workspace; name a file below it` {
		t.Errorf("error %v", err)
	}
	if _, err := Glob(t.TempDir(), "/etc/*"); err == nil || err.Error() != `junit "/etc/*": it leaves the sources; give a pattern below them` {
		t.Errorf("error %v", err)
	}
	if got, err := Glob(t.TempDir(), ""); err != nil || len(got.Suites) != 0 {
		t.Errorf("Glob of no pattern = %v, %v", got, err)
	}
}
