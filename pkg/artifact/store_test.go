package artifact_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/authn"
	"k8s.io/apimachinery/pkg/types"
	clocktesting "k8s.io/utils/clock/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/artifact"
	"spock.dev/spock/pkg/source"
)

const someDigest = "@sha256:0000000000000000000000000000000000000000000000000000000000000000"

// depot is a store in front of a registry whose answers a test gives.
type depot struct {
	*testing.T
	*artifact.Store
	clock *clocktesting.FakePassiveClock
	woken chan types.NamespacedName
	// asked gets every question to the registry, which answers what comes out of answers.
	asked   chan string
	answers chan error

	mu      sync.Mutex
	secrets map[string]string // namespace/name to dockerconfigjson
	size    int
}

func newDepot(t *testing.T) *depot {
	t.Helper()
	d := &depot{
		T: t, clock: clocktesting.NewFakePassiveClock(time.Unix(1000, 0)), woken: make(chan types.NamespacedName, 100),
		asked: make(chan string, 100), answers: make(chan error, 100), secrets: map[string]string{}, size: 1,
	}
	door := artifact.Door{Secret: d.secret, Fetch: func(ctx context.Context, wanted source.Artifact, keys authn.Keychain) ([]source.Layer, error) {
		ref, err := wanted.Reference()
		if err != nil {
			return nil, err
		}
		auth, err := authn.Resolve(ctx, keys, ref.Context())
		if err != nil {
			return nil, err
		}
		held, err := authn.Authorization(ctx, auth)
		if err != nil {
			return nil, err
		}
		d.asked <- strings.TrimPrefix(ref.Context().RepositoryStr()+" as "+held.Username, "library/")
		select {
		case err := <-d.answers:
			return []source.Layer{{Title: "a.yaml", Data: make([]byte, d.size)}}, err
		case <-ctx.Done():
			return nil, ctx.Err()
		}
	}}
	d.Store = artifact.NewStore(t.Context(), door, d.clock.Now, func(who types.NamespacedName) { d.woken <- who })
	return d
}

func (d *depot) secret(_ context.Context, namespace, account, name string) ([]byte, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	held, ok := d.secrets[namespace+"/"+name]
	if !ok {
		return nil, errors.New("not found as " + account)
	}
	return []byte(held), nil
}

// keep puts a Secret with a user of the registry.
func (d *depot) keep(name, user string) {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.secrets[name] = fmt.Sprintf(`{"auths": {"r.example.com": {"username": %q, "password": "hidden"}}}`, user)
}

func want(namespace, path, secret string) artifact.Want {
	return artifact.Want{Namespace: namespace, ServiceAccount: "deployer", Artifact: source.Artifact{Image: "r.example.com/" + path + someDigest, Secret: secret}}
}

func (d *depot) ask(w artifact.Want) artifact.Answer {
	return d.Ask(w, types.NamespacedName{Namespace: w.Namespace, Name: "shop"})
}

// asks asks, lets the attempt that this begins end so, and asks again.
func (d *depot) asks(w artifact.Want, answer error) artifact.Answer {
	d.Helper()
	if d.ask(w).There() {
		d.Fatal("it is there already")
	}
	<-d.asked
	d.answers <- answer
	<-d.woken
	return d.ask(w)
}

func TestWhoAsksIsWokenWhenTheArtifactIsThere(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	w := want("team-a", "web", "")
	if first, again := d.ask(w), d.ask(w); first.There() || again.There() || again.Failure != nil {
		t.Fatalf("answered %+v, %+v", first, again)
	}
	d.Ask(w, types.NamespacedName{Namespace: "team-a", Name: "other"})
	if got := <-d.asked; got != "web as " {
		t.Errorf("asked for %s", got)
	}
	d.answers <- nil
	woken := map[string]bool{(<-d.woken).Name: true, (<-d.woken).Name: true}
	if diff := cmp.Diff(map[string]bool{"shop": true, "other": true}, woken); diff != "" {
		t.Errorf("woken (-want +got):\n%s", diff)
	}
	if got := d.ask(w); !got.There() || got.Size == 0 {
		t.Errorf("answered %+v", got)
	}
	if len(d.asked)+len(d.woken) > 0 {
		t.Error("it was asked for more than once")
	}
}

func TestAFailureIsTriedAgainLaterAndLater(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	w, gone := want("team-a", "web", ""), &artifact.Failure{Reason: v1alpha1.ReasonSourceNotFound, Problem: "gone", Remedy: "push it"}
	var pauses []time.Duration
	for range 7 {
		got := d.asks(w, gone)
		if got.There() || got.Failure != gone {
			t.Fatalf("answered %+v", got)
		}
		pauses = append(pauses, got.RetryAt.Sub(d.clock.Now()))
		if d.clock.SetTime(got.RetryAt.Add(-1)); d.ask(w).There() || len(d.asked) > 0 {
			t.Fatal("asked before it was time")
		}
		d.clock.SetTime(got.RetryAt)
	}
	const s = time.Second
	if diff := cmp.Diff([]time.Duration{2 * s, 4 * s, 8 * s, 16 * s, 32 * s, 60 * s, 60 * s}, pauses); diff != "" {
		t.Errorf("pauses (-want +got):\n%s", diff)
	}
	if got := d.asks(w, nil); !got.There() || got.Failure != nil {
		t.Errorf("mended, it answers %+v", got)
	}
}

func TestWhatWasFetchedWithSomeCredentialsIsForThoseAlone(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	d.keep("team-a/pull", "alice")
	d.keep("team-b/pull", "bob")
	d.keep("team-c/own", "alice")
	if got := d.asks(want("team-a", "web", "pull"), nil); !got.There() {
		t.Fatalf("answered %+v", got)
	}
	denied := &artifact.Failure{Reason: v1alpha1.ReasonSourceUnauthorized}
	for _, w := range []artifact.Want{want("team-b", "web", "pull"), want("team-b", "web", "")} {
		if got := d.asks(w, denied); got.There() || got.Failure != denied {
			t.Errorf("%+v is answered %+v", w, got)
		}
	}
	same := want("team-c", "web", "own")
	if d.ask(same).There() {
		t.Error("it is there before its credentials were read")
	}
	<-d.woken
	if got := d.ask(same); !got.There() || len(d.asked) > 0 {
		t.Errorf("with the same credentials it answers %+v and asks %d times", got, len(d.asked))
	}
}

func TestARightIsAskedForAgain(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	d.keep("team-a/pull", "alice")
	w := want("team-a", "web", "pull")
	d.asks(w, nil)
	d.mu.Lock()
	delete(d.secrets, "team-a/pull")
	d.mu.Unlock()
	d.clock.SetTime(d.clock.Now().Add(10 * time.Minute))
	if d.ask(w).There() {
		t.Error("it is there although its right is old")
	}
	<-d.woken
	const says = `Secret "pull" of namespace team-a cannot be read as service account deployer: not found as deployer; create it, or let that account get it`
	if got := d.ask(w); got.There() || got.Failure.Error() != says || got.Failure.Reason != v1alpha1.ReasonSourceUnauthorized {
		t.Errorf("answered %+v", got)
	}
}

func TestSecretsThatDoNotHelpAreToldOf(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	d.secrets["team-a/other"] = `{"auths": {"other.example.com": {"username": "x", "password": "hidden"}}}`
	d.secrets["team-a/broken"] = `hidden`
	for secret, says := range map[string]string{
		"other":  `Secret "other" of namespace team-a has no credentials for registry r.example.com; add them, or remove secretRef`,
		"broken": `Secret "broken" of namespace team-a cannot be used: it is no Docker config with auths; make it with: kubectl create secret docker-registry`,
	} {
		w := want("team-a", "web", secret)
		d.ask(w)
		<-d.woken
		if got := d.ask(w).Failure; got == nil || got.Error() != says || strings.Contains(got.Error(), "hidden") {
			t.Errorf("told %v, want %s", got, says)
		}
	}
}

func TestANamespaceLeavesRoomForOthers(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	for i := range 6 {
		d.ask(want("team-a", fmt.Sprintf("slow%d", i), ""))
	}
	for i := range 3 {
		d.ask(want("team-b", fmt.Sprintf("web%d", i), ""))
	}
	under := map[string]int{}
	for range 4 {
		under[strings.TrimRight(strings.TrimSuffix(<-d.asked, " as "), "0123456789")]++
	}
	if diff := cmp.Diff(map[string]int{"slow": 2, "web": 2}, under); diff != "" {
		t.Errorf("under way (-want +got):\n%s", diff)
	}
	for range 9 {
		d.answers <- nil
	}
	for range 9 {
		<-d.woken
	}
}

func TestTheOldestArtifactsMakeRoom(t *testing.T) {
	t.Parallel()
	d := newDepot(t)
	d.size = 30 << 20
	for _, path := range []string{"one", "two"} {
		d.asks(want("team-a", path, ""), nil)
	}
	d.ask(want("team-a", "one", "")) // two is the older one now
	d.asks(want("team-a", "three", ""), nil)
	if !d.ask(want("team-a", "one", "")).There() {
		t.Error("what was asked for last has made room")
	}
	if got := d.ask(want("team-a", "two", "")); got.There() || got.Size == 0 {
		t.Errorf("what nobody asked for is answered %+v", got)
	}
}
