package main

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"spock.dev/spock/bench/work"
)

// all runs the cases.
func (l *lab) all(ctx context.Context) error {
	delays := work.Delays{Median: l.median, Seed: 1}
	for text := range strings.SplitSeq(l.sizes, ",") {
		n, err := strconv.Atoi(text)
		if err != nil {
			return fmt.Errorf("-sizes %s: %w", l.sizes, err)
		}
		if err := l.life(ctx, n, delays); err != nil {
			return err
		}
	}
	return nil
}

// life is a product's: up, nothing, one service, all services, down.
func (l *lab) life(ctx context.Context, n int, d work.Delays) error {
	for _, fine := range []bool{false, true} {
		name := map[bool]string{false: "groups", true: "needs"}[fine]
		w := work.Tiers(nameOf(name, n), n, 3, fine, d)
		if err := l.spock.Describe(ctx, w); err != nil {
			return err
		}
		one := w.Updated(func(s work.Service) bool { return s.Name == w.Services[0].Name })
		all := one.Updated(nil)
		for _, step := range []struct {
			name string
			work work.Work
			do   func(context.Context) error
		}{
			{"up/" + name, w, func(ctx context.Context) error { return l.spock.Deploy(ctx, w, w.Name) }},
			{"no-op/" + name, w, func(ctx context.Context) error { return l.spock.Deploy(ctx, w, w.Name) }},
			{"one/" + name, one, func(ctx context.Context) error { return l.spock.Deploy(ctx, one, w.Name) }},
			{"all/" + name, all, func(ctx context.Context) error { return l.spock.Deploy(ctx, all, w.Name) }},
			{"down/" + name, all, func(ctx context.Context) error { return l.spock.Teardown(ctx, w.Name) }},
		} {
			if err := l.timed(ctx, step.name, w.Name, step.work, step.do); err != nil {
				return err
			}
		}
	}
	return nil
}

func nameOf(name string, n int) string { return fmt.Sprintf("%s-%d", name, n) }
