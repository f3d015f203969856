// Command ssa measures the library that Flux's kustomize-controller applies with. It has no
// order of its own: as with dependsOn between Kustomizations, a level is applied when all of
// the level before is ready, as the library's status poller sees it.
//
// As "default" the poller asks every five seconds, as the library does; as "tuned" every half
// second, with 20 writers instead of 4. The client has no rate limit in either.
package main

import (
	"context"
	"fmt"
	"time"

	"github.com/fluxcd/cli-utils/pkg/kstatus/polling"
	"github.com/fluxcd/pkg/ssa"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"sigs.k8s.io/controller-runtime/pkg/client"

	"spock.dev/spock/bench/peer"
	"spock.dev/spock/bench/work"
)

func main() {
	peer.Main(peer.Peer{Modes: []string{"default", "tuned"}, Deploy: deploy, Teardown: teardown})
}

// manager sets the library as the mode says.
func manager(job peer.Job) (*ssa.ResourceManager, ssa.WaitOptions, error) {
	job.Config.QPS = -1
	c, err := client.New(job.Config, client.Options{})
	if err != nil {
		return nil, ssa.WaitOptions{}, fmt.Errorf("make a client: %w", err)
	}
	m := ssa.NewResourceManager(c, polling.NewStatusPoller(c, c.RESTMapper(), polling.Options{}), ssa.Owner{Field: "bench", Group: "bench.example"})
	options := ssa.WaitOptions{Interval: ssa.DefaultWaitOptions().Interval, Timeout: 10 * time.Minute}
	if job.Mode == "tuned" {
		m.SetConcurrency(20)
		options.Interval = 500 * time.Millisecond
	}
	return m, options, nil
}

func deploy(ctx context.Context, job peer.Job) error {
	m, options, err := manager(job)
	if err != nil {
		return err
	}
	for n, level := range job.Work.Levels() {
		objects, err := objects(level, job.Namespace)
		if err != nil {
			return err
		}
		set, err := m.ApplyAllStaged(ctx, objects, ssa.DefaultApplyOptions())
		if err != nil {
			return fmt.Errorf("apply level %d: %w", n, err)
		}
		if err := m.WaitForSetWithContext(ctx, set.ToObjMetadataSet(), options); err != nil {
			return fmt.Errorf("wait for level %d: %w", n, err)
		}
	}
	return nil
}

func teardown(ctx context.Context, job peer.Job) error {
	m, options, err := manager(job)
	if err != nil {
		return err
	}
	objects, err := objects(job.Work.Services, job.Namespace)
	if err != nil {
		return err
	}
	if _, err := m.DeleteAll(ctx, objects, ssa.DefaultDeleteOptions()); err != nil {
		return fmt.Errorf("delete: %w", err)
	}
	return m.WaitForTermination(objects, options)
}

func objects(services []work.Service, namespace string) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for _, s := range services {
		plain, err := s.Plain(namespace)
		if err != nil {
			return nil, err
		}
		all = append(all, plain...)
	}
	return all, nil
}
