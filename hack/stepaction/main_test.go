package main

import (
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// TestStepActionsAreMadeOfTheirTasks fails when a Task was changed and its StepAction was not.
func TestStepActionsAreMadeOfTheirTasks(t *testing.T) {
	t.Parallel()
	made, err := all("../..")
	if err != nil || len(made) == 0 {
		t.Fatalf("%d StepActions, %v", len(made), err)
	}
	for path, want := range made {
		got, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is out of date; make generate (-want +got):\n%s", path, diff)
		}
	}
}

// TestWhatAStepActionIsOfATask shows the text, with all that becomes something else.
func TestWhatAStepActionIsOfATask(t *testing.T) {
	t.Parallel()
	raw, err := os.ReadFile("testdata/task.yaml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := fromTask(raw)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/stepaction.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestATaskOfTwoStepsIsNoStepAction(t *testing.T) {
	t.Parallel()
	_, err := fromTask([]byte("metadata: {name: two}\nspec: {steps: [{name: a}, {name: b}]}"))
	if err == nil || !strings.Contains(err.Error(), "task two has 2 steps") {
		t.Error(err)
	}
}
