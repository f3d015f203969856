package deploy

import (
	"context"
	"errors"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned/fake"
)

func TestRemove(t *testing.T) {
	t.Parallel()
	there := at(3, ready)
	there.UID = "one"
	client := fake.NewSimpleClientset(there)
	got, err := Remove(t.Context(), client, there.Namespace, there.Name)
	if err != nil || got == nil || got.UID != "one" {
		t.Fatalf("Remove = %v, %v", got, err)
	}
	got, err = Remove(t.Context(), client, there.Namespace, there.Name)
	if err != nil || got != nil {
		t.Errorf("removing what is gone = %v, %v", got, err)
	}
}

func TestFollowGone(t *testing.T) {
	t.Parallel()
	going := func(uid types.UID, message string) *v1alpha1.Environment {
		return at(3, func(e *v1alpha1.Environment) { e.UID = uid; e.MarkTerminating(message) })
	}
	client, events := world(going("one", "2 services left"))
	var seen []string
	err := FollowGone(limit(t), client, going("one", ""), func(e *v1alpha1.Environment) {
		if slices.Contains(seen, e.Status.Message) {
			return // a watch may begin with what was listed
		}
		seen = append(seen, e.Status.Message)
		if len(seen) == 1 {
			events.Modify(going("one", "1 service left"))
			return
		}
		events.Delete(going("one", "1 service left"))
	})
	if diff := cmp.Diff([]string{"2 services left", "1 service left"}, seen); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}

	client, _ = world(going("two", ""))
	if err := FollowGone(limit(t), client, going("one", ""), func(*v1alpha1.Environment) { t.Error("saw a namesake") }); err != nil {
		t.Errorf("a namesake made meanwhile: %v", err)
	}
}

func TestFollowGoneEndsWithItsContext(t *testing.T) {
	t.Parallel()
	there := at(3, func(e *v1alpha1.Environment) { e.UID = "one"; e.MarkTerminating("1 service left") })
	client, _ := world(there)
	ctx, cancel := context.WithCancel(limit(t))
	err := FollowGone(ctx, client, there, func(*v1alpha1.Environment) { cancel() })
	want := "stop following the teardown of environment " + there.Namespace + "/" + there.Name + ": 1 service left; the teardown goes on: context canceled"
	if !errors.Is(err, context.Canceled) || err.Error() != want {
		t.Errorf("error %v, want %s", err, want)
	}
}
