package junit

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestFailed(t *testing.T) {
	t.Parallel()
	report, err := Unmarshal([]byte(`<testsuites><testsuite name="s"><testcase classname="cart" name="adds"/>
<testcase classname="cart" name="removes"><failure message="  want 1&#10;got 2"/></testcase>
<testcase name="pays"><error>

  at line 3
  at line 4</error></testcase>
<testcase classname="cart" name="later"><skipped/></testcase>
<testsuite name="nested"><testcase classname="cart.deep" name="x"><failure/></testcase></testsuite></testsuite></testsuites>`))
	if err != nil {
		t.Fatal(err)
	}
	want := []Failed{{"cart.removes", "want 1"}, {"pays", "at line 3"}, {"cart.deep.x", ""}}
	if diff := cmp.Diff(want, report.Failed()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
