package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"spock.dev/spock/bench/work"
)

// objectsPerService: a ConfigMap, a Service and a Deployment.
const objectsPerService = 3

// all runs the parts that are asked for.
func (l *lab) all(ctx context.Context) error {
	if l.short && l.parts == "" {
		return errors.Join(l.lives(ctx), l.faults(ctx, work.NoImage))
	}
	for _, part := range []struct {
		name string
		run  func(context.Context) error
	}{
		{"faults", func(ctx context.Context) error { return l.faults(ctx, work.Faults()...) }},
		{"many", func(ctx context.Context) error { return l.many(ctx, 20, 50) }},
		{"killed", func(ctx context.Context) error { return l.killed(ctx, 100) }}, // the memory of a life is that of a new controller
		{"life", l.lives},
		{"hosts", l.hosts},
		{"shapes", l.shapes},
	} {
		if !chosen(l.parts, part.name) {
			continue
		}
		if err := part.run(ctx); err != nil {
			return err
		}
	}
	return nil
}

// lives runs the life of a product of each size, with both orders.
func (l *lab) lives(ctx context.Context) error {
	for text := range strings.SplitSeq(l.sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("-sizes %s: %w", l.sizes, err)
		}
		for _, how := range []string{"groups", "needs"} {
			if !chosen(l.orders, how) {
				continue
			}
			if err := l.life(ctx, n, how); err != nil {
				return err
			}
		}
	}
	return nil
}

// chosen says whether a list of names with commas between has one; an empty list has all.
func chosen(list, name string) bool {
	return list == "" || slices.Contains(strings.Split(list, ","), name)
}

func (l *lab) delays() work.Delays { return work.Delays{Median: l.median, Seed: 1} }

// life is a product's: up, nothing, one service, all services, down.
func (l *lab) life(ctx context.Context, n int, how string) error {
	w := work.Tiers(fmt.Sprintf("%s-%d", how, n), n, 3, how == "needs", l.delays())
	one := w.Updated(func(s work.Service) bool { return s.Name == w.Services[0].Name })
	all := one.Updated(nil)
	size := strconv.Itoa(n)
	with := chosen(l.peerSizes, size) || chosen(l.peerSizes, size+"/"+how)
	for _, e := range l.engines(func(string) bool { return with }) {
		err := l.each(ctx, w, e, []trial{
			{"up/" + how, e, w, n * objectsPerService, e.deploy},
			{"no-op/" + how, e, w, 0, e.deploy},
			{"one/" + how, e, one, 1, e.deploy},
			{"all/" + how, e, all, n, e.deploy},
			{"down/" + how, e, all, 0, e.teardown},
		})
		if err != nil {
			return err
		}
	}
	return nil
}

// shapes are works of other shapes: more tiers, a chain, one that all others outrun.
func (l *lab) shapes(ctx context.Context) error {
	d := l.delays()
	for _, w := range []work.Work{
		work.Tiers("five-tiers", 100, 5, true, d),
		work.Chain("chain", 50, work.Delays{Median: d.Median / 4, Seed: d.Seed}),
		work.Tiers("straggler", 100, 3, true, d).Straggler(10 * d.Median),
	} {
		for _, e := range l.engines(func(mode string) bool { return chosen(l.shapePeers, mode) }) {
			err := l.each(ctx, w, e, []trial{
				{"up/" + w.Name, e, w, len(w.Services) * objectsPerService, e.deploy},
				{"down/" + w.Name, e, w, 0, e.teardown},
			})
			if err != nil {
				return err
			}
		}
	}
	return nil
}
