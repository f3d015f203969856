package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"spock.dev/spock/bench/machines"
	"spock.dev/spock/bench/measure"
	"spock.dev/spock/bench/work"
)

// hosts are products whose services run on machines, all of them or every fifth one. No
// peer deploys to machines.
func (l *lab) hosts(ctx context.Context, count, services int) (err error) {
	if why := machines.Why(); why != "" {
		fmt.Fprintln(os.Stderr, "left out: services on machines:", why)
		return nil
	}
	park, err := machines.Boot(ctx, l.root, l.bed.Dir, count)
	defer func() { err = errors.Join(err, park.Down()) }()
	if err != nil {
		return err
	}
	if err := l.ours.spock.AddHosts(ctx, park.Machines); err != nil {
		return err
	}
	l.park = park
	defer func() { l.park = nil }()
	for _, w := range []work.Work{
		work.Tiers("hosts", services, 3, true, l.delays()).OnHosts(1),
		work.Tiers("mixed", services, 3, true, l.delays()).OnHosts(5),
	} {
		pods := 0
		for _, s := range w.Services {
			if !s.OnHost {
				pods++
			}
		}
		all := w.Updated(nil)
		err := l.each(ctx, w, l.ours, []trial{
			{"up/" + w.Name, l.ours, w, pods * objectsPerService, l.ours.deploy},
			{"no-op/" + w.Name, l.ours, w, 0, l.ours.deploy},
			{"all/" + w.Name, l.ours, all, pods, l.ours.deploy},
			{"down/" + w.Name, l.ours, all, 0, l.ours.teardown},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// starts are those on the machines of the part that runs; none when it has none.
func (l *lab) starts(ctx context.Context) (map[string]measure.Start, error) {
	if l.park == nil {
		return nil, nil
	}
	return l.park.Starts(ctx)
}
