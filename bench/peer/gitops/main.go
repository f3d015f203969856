// Command gitops measures the library that Argo CD syncs with. A level is a sync wave: the
// library applies a wave when all of the wave before is healthy by what its cache of the
// namespace holds. It is driven as Argo CD drives it: a step whenever an object in the cache
// changes, at the latest after a second, each from the results of the step before.
//
// As "default" it is set as Argo CD sets it: client-side apply of everything, two seconds
// after each wave, 50 requests a second. As "tuned" it applies on the server, only what
// differs, with no pause, no rate limit, and a cache that tells of changes five times as often.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/go-logr/logr"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/bench/peer"
)

func main() {
	peer.Main(peer.Peer{Modes: []string{"default", "tuned"}, Deploy: deploy, Teardown: teardown})
}

func deploy(ctx context.Context, job peer.Job) error {
	targets, err := waves(job)
	if err != nil {
		return err
	}
	return drive(ctx, job, targets, func(s *sync) (bool, error) { return s.inSyncAndHealthy() })
}

// teardown syncs to nothing, which prunes what is there.
func teardown(ctx context.Context, job peer.Job) error {
	return drive(ctx, job, nil, func(s *sync) (bool, error) { return len(s.live) == 0, nil })
}

// drive steps until the operation has succeeded and done holds.
func drive(ctx context.Context, job peer.Job, targets []*unstructured.Unstructured, done func(*sync) (bool, error)) error {
	s, changed, stop, err := begin(job, targets)
	if err != nil {
		return err
	}
	defer stop()
	for {
		end, err := s.step(done)
		if end || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("sync of %s: %w: %s", job.Namespace, ctx.Err(), s.message)
		case <-changed:
		case <-time.After(time.Second): // as long as the library's own loop waits
		}
	}
}

// begin fills the cache. What it sends on says that something managed has changed.
func begin(job peer.Job, targets []*unstructured.Unstructured) (*sync, <-chan struct{}, func(), error) {
	settings := []cache.UpdateSettingsFunc{
		cache.SetNamespaces([]string{job.Namespace}), cache.SetLogr(logr.Discard()), cache.SetBatchEventsProcessing(true),
		cache.SetPopulateResourceInfoHandler(func(o *unstructured.Unstructured, _ bool) (any, bool) {
			managed := o.GetAnnotations()[mark] != ""
			return managed, managed
		}),
	}
	job.Config.QPS, job.Config.Burst = 50, 100
	if job.Mode == "tuned" {
		job.Config.QPS = -1
		settings = append(settings, cache.SetEventProcessingInterval(20*time.Millisecond))
	}
	live := cache.NewClusterCache(job.Config, settings...)
	if err := live.EnsureSynced(); err != nil {
		return nil, nil, nil, fmt.Errorf("fill the cache: %w", err)
	}
	changed := make(chan struct{}, 1)
	stop := live.OnResourceUpdated(func(now, before *cache.Resource, _ map[kube.ResourceKey]*cache.Resource) {
		if managed(now) || managed(before) {
			select {
			case changed <- struct{}{}:
			default: // a step is due already
			}
		}
	})
	return &sync{job: job, cache: live, targets: targets}, changed, stop, nil
}

// managed says that an object is one of ours.
func managed(r *cache.Resource) bool {
	if r == nil {
		return false
	}
	ours, _ := r.Info.(bool)
	return ours
}
