package cli

import (
	"context"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	clienttesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func terminating(message string) func(*v1alpha1.Environment) {
	return func(e *v1alpha1.Environment) {
		ready(e)
		e.DeletionTimestamp = &metav1.Time{Time: now}
		e.Finalizers = []string{v1alpha1.FinalizerEnvironment}
		e.MarkTerminating(message)
	}
}

// lingers makes an environment stay after its deletion, as its finalizer does.
func (w *world) lingers(events ...*v1alpha1.Environment) *watch.FakeWatcher {
	w.spock.PrependReactor("delete", "environments", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, nil })
	watcher := watch.NewFakeWithChanSize(len(events)+1, false)
	for _, e := range events {
		watcher.Modify(e)
	}
	w.spock.PrependWatchReactor("environments", clienttesting.DefaultWatchReactor(watcher, nil))
	return watcher
}

// when does something as soon as a text is printed.
type when struct {
	text string
	do   func()
}

func (w *when) Write(p []byte) (int, error) {
	if strings.Contains(string(p), w.text) {
		w.do()
	}
	return len(p), nil
}

func TestDownFollowsUntilNothingIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t, environment("shop", ready))
	two, one := environment("shop", terminating("2 services left to stop")), environment("shop", terminating("1 service left to stop"))
	watcher := w.lingers(two, two, one)
	w.err = &when{text: "1 service left", do: func() { watcher.Delete(one) }}
	w.run("env", "down", "shop").golden(t, "down")
}

func TestDownEndsWhenANamesakeIsMade(t *testing.T) {
	t.Parallel()
	w := newWorld(t, environment("shop", ready))
	namesake := environment("shop", progressing)
	namesake.UID = "another"
	w.lingers(namesake)
	w.run("env", "down", "shop").golden(t, "down-namesake")
}

func TestDownOfWhatIsGoneAtOnce(t *testing.T) {
	t.Parallel()
	newWorld(t, environment("shop", ready)).run("env", "down", "shop").golden(t, "down-at-once")
}

func TestDownNeedNotWait(t *testing.T) {
	t.Parallel()
	newWorld(t, environment("shop", ready)).run("env", "down", "shop", "--wait=false").golden(t, "down-no-wait")
}

func TestDownSaysWhereItStandsWhenItStopsWatching(t *testing.T) {
	t.Parallel()
	w := newWorld(t, environment("shop", ready))
	w.lingers()
	w.run("env", "down", "shop", "--timeout", "1ns").golden(t, "down-timeout")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	w.ctx = ctx
	w.run("env", "down", "shop").golden(t, "down-interrupted")
}
