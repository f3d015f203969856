//go:build hosts

package host

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"k8s.io/apimachinery/pkg/types"
)

// seen waits until a machine of a fleet is seen as expected; it looks when it is told to.
func seen(t *testing.T, f *Fleet, name types.NamespacedName, told <-chan types.NamespacedName, what string, is func(Sight) bool) Sight {
	t.Helper()
	late := time.After(patience)
	for {
		sight, ok := f.See(name)
		if ok && is(sight) {
			return sight
		}
		select {
		case <-told:
		case <-late:
			t.Fatalf("not seen in %s: %s; last %+v", patience, what, sight)
		}
	}
}

func TestAFleetKnowsHowItsMachinesAre(t *testing.T) {
	b := boot(t)
	told := make(chan types.NamespacedName, 1000)
	f := NewFleet(t.Context())
	f.Listen(func(name types.NamespacedName) { told <- name })
	name := types.NamespacedName{Namespace: "team-a", Name: "db1"}
	place := Place{Address: b.Address + ":22", User: "deploy", HostKey: b.HostKey}
	keys := func(context.Context) ([]byte, []byte, error) {
		key, err := os.ReadFile(b.Key)
		return key, nil, err
	}

	f.Set(name, place, func(context.Context) ([]byte, []byte, error) { return nil, nil, ErrNoCredentials })
	seen(t, f, name, told, "nothing to log in with", func(s Sight) bool { return errors.Is(s.Failure, ErrNoCredentials) })
	place.Credentials = "secret"
	f.Set(name, place, keys)
	sight := seen(t, f, name, told, "connected", func(s Sight) bool { return s.Connected })
	if sight.Facts.CPUs == 0 || len(sight.Services) != 0 {
		t.Errorf("it is %+v", sight)
	}

	// What happens on the machine is told without asking.
	c := dial(t, b.login(t, "root"))
	r := release(t, "1")
	bring(t, c, r)
	put(t, c, web(r, "web", 8080))
	seen(t, f, name, told, "web runs", func(s Sight) bool { return s.Services["web"].Unit.State() == Running })
	ask(t, c, "systemctl stop spock-web")
	seen(t, f, name, told, "web was stopped by hand", func(s Sight) bool { return s.Services["web"].Unit.State() == Stopped })

	b.cable(t, "down")
	seen(t, f, name, told, "the cable is out", func(s Sight) bool { return ClassOf(s.Failure) == Unreachable })
	b.cable(t, "up")
	seen(t, f, name, told, "the cable is in again", func(s Sight) bool { return s.Connected })

	// Another machine takes its address.
	b.up(t)
	seen(t, f, name, told, "it was installed anew", func(s Sight) bool { return ClassOf(s.Failure) == KeyChanged })
	place.HostKey = b.HostKey
	f.Set(name, place, keys)
	seen(t, f, name, told, "its new key is pinned", func(s Sight) bool { return s.Connected && len(s.Services) == 0 })

	f.Drop(name)
	if _, ok := f.See(name); ok {
		t.Error("it was dropped, and is seen")
	}
}
