// Command tierloop is a baseline of our own, not a product: the loop that engines without
// a watch are. Group by group it writes all objects of the group, a goroutine a service,
// each after a GET; then it asks for one workload after the other, in rounds, until all
// are ready, and the next group begins. A group has 300 seconds.
//
// As "default" a round begins every second, and a workload is ready by its replica counts,
// whichever generation they are of. As "tuned" a round begins every 200 milliseconds, and
// the counts must be of the generation that was written.
package main

import (
	"context"
	"fmt"
	"time"

	"k8s.io/client-go/dynamic"

	"spock.dev/spock/bench/peer"
)

func main() {
	peer.Main(peer.Peer{
		Modes: []string{"default", "tuned"},
		Deploy: func(ctx context.Context, job peer.Job) error {
			l, err := newLoop(job)
			if err != nil {
				return err
			}
			return l.deploy(ctx, job.Work)
		},
		Teardown: func(ctx context.Context, job peer.Job) error {
			l, err := newLoop(job)
			if err != nil {
				return err
			}
			return l.teardown(ctx, job.Work)
		},
	})
}

// newLoop sets the loop as the mode says. Its client has no rate limit in either.
func newLoop(job peer.Job) (*loop, error) {
	job.Config.QPS = -1
	client, err := dynamic.NewForConfig(job.Config)
	if err != nil {
		return nil, fmt.Errorf("make a client: %w", err)
	}
	l := &loop{client: client, namespace: job.Namespace, every: time.Second, within: 300 * time.Second}
	if job.Mode == "tuned" {
		l.every, l.strict = 200*time.Millisecond, true
	}
	return l, nil
}
