package host

import (
	"context"
	"fmt"
	"strings"
	"sync"

	"spock.dev/spock/pkg/rootfs"
	"spock.dev/spock/pkg/target"
	"spock.dev/spock/pkg/unit"
)

// releases reads each image and archive once.
type releases struct {
	ctx  context.Context
	door Door

	mu    sync.Mutex
	known map[string]*known
}

type known struct {
	mu      sync.Mutex
	release *Release
}

// contentsOf names what a service is made of; empty for a program of the machine's.
func contentsOf(w unit.Instance) string {
	switch {
	case w.Image != "":
		return "image " + w.Image
	case w.Archive != nil:
		return "archive " + w.Archive.URL
	}
	return ""
}

// get returns what a service is made of. It is read for all who want the same, so that it
// goes on when one of them does not want it any more.
func (r *releases) get(scope target.Scope, w unit.Instance, architecture string) (*Release, error) {
	// A scope may see an image that another one may not.
	key := strings.Join([]string{scope.Environment.Namespace, scope.ServiceAccount, w.ImageSecret, contentsOf(w), architecture}, " ")
	fixed := strings.Contains(w.Image, "@") // a tag may have moved
	if w.Archive != nil {
		key, fixed = key+fmt.Sprint(*w.Archive), true
	}
	r.mu.Lock()
	k := r.known[key]
	if k == nil {
		k = &known{}
		r.known[key] = k
	}
	r.mu.Unlock()
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.release != nil && fixed {
		return k.release, nil
	}
	made, err := r.read(scope, w, architecture)
	if err == nil {
		k.release = made
	}
	return made, err
}

func (r *releases) read(scope target.Scope, w unit.Instance, architecture string) (*Release, error) {
	if w.Archive != nil {
		layer, err := r.door.Archive(r.ctx, scope, *w.Archive)
		if err != nil {
			return nil, err
		}
		return newRelease([]rootfs.Layer{layer}, "")
	}
	found, err := r.door.Image(r.ctx, scope, w, architecture)
	if err != nil {
		return nil, err
	}
	return NewRelease(found)
}
