package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"spock.dev/spock/bench/machines"
	"spock.dev/spock/bench/measure"
	"spock.dev/spock/bench/spock"
	"spock.dev/spock/bench/work"
)

// servicesPerMachine, and of those in the mixed work, where one in so many runs on a machine.
const (
	servicesPerMachine = 5
	mixedEvery         = 5
)

// hosts runs the lives of products on machines, and on machines and in pods together. No
// peer is there: none of them runs anything on a machine. Where no machine can be booted,
// the part is left out.
func (l *lab) hosts(ctx context.Context) (err error) {
	yard, bootErr := machines.Boot(ctx, l.root, l.bed.Dir, l.machines)
	if bootErr != nil {
		if ctx.Err() == nil {
			fmt.Fprintf(os.Stderr, "left out: services on machines: %v\n", bootErr)
		}
		return ctx.Err()
	}
	l.yard = yard
	defer func() {
		l.yard = nil
		err = errors.Join(err, yard.End())
	}()
	var all []spock.Host
	for _, m := range yard.Machines {
		login, err := os.ReadFile(m.Key)
		if err != nil {
			return fmt.Errorf("read the key of machine %s: %w", m.Name, err)
		}
		all = append(all, spock.Host{Name: m.Name, Address: m.Address, Key: m.HostKey, Login: login})
	}
	if err := l.ours.spock.AddHosts(ctx, all...); err != nil {
		return err
	}
	n := l.machines * servicesPerMachine
	for _, w := range []work.Work{
		work.Tiers("hosts", n, 3, true, l.delays()).OnHosts(1),
		work.Tiers("mixed", n, 3, true, l.delays()).OnHosts(mixedEvery),
	} {
		if err := l.lifeOnHosts(ctx, w); err != nil {
			return err
		}
	}
	return l.ours.spock.RemoveHosts(ctx, all...)
}

// lifeOnHosts is up, nothing, all services, down. A service on a machine is a Service, an
// EndpointSlice and the service itself.
func (l *lab) lifeOnHosts(ctx context.Context, w work.Work) error {
	e, n := l.ours, len(w.Services)
	all := w.Updated(nil)
	return l.each(ctx, w, e, []trial{
		{"up/" + w.Name, e, w, n * objectsPerService, e.deploy},
		{"no-op/" + w.Name, e, w, 0, e.deploy},
		{"all/" + w.Name, e, all, n, e.deploy},
		{"down/" + w.Name, e, all, 0, e.teardown},
	})
}

// onMachines adds to a run what happened on machines, if there are any.
func (l *lab) onMachines(ctx context.Context, run *measure.Run) error {
	if l.yard == nil {
		return nil
	}
	units, err := l.yard.Units(ctx, run.From)
	run.Add(units)
	return err
}
