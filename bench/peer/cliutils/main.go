// Command cliutils measures kubernetes-sigs/cli-utils, what kpt applies with. It has a graph:
// a Deployment depends on others by annotation. A level of groups is every Deployment of the
// tier before.
//
// It has no settings that matter to speed. The client has no rate limit, which is what its
// own command chooses on an API server with flow control, such as the bed's.
package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/kubectl/pkg/cmd/util"
	"sigs.k8s.io/cli-utils/pkg/apply"
	"sigs.k8s.io/cli-utils/pkg/apply/event"
	"sigs.k8s.io/cli-utils/pkg/common"
	"sigs.k8s.io/cli-utils/pkg/inventory"
	"sigs.k8s.io/cli-utils/pkg/object/dependson"

	"spock.dev/spock/bench/peer"
)

const patience = 10 * time.Minute

func main() {
	peer.Main(peer.Peer{Modes: []string{"default"}, Deploy: deploy, Teardown: teardown})
}

// set makes what an applier is made of.
func set(job peer.Job) (util.Factory, inventory.Client, inventory.Info, error) {
	flags := genericclioptions.NewConfigFlags(true)
	flags.Namespace = &job.Namespace
	flags.WrapConfigFn = func(*rest.Config) *rest.Config {
		c := rest.CopyConfig(job.Config)
		c.QPS = -1
		return c
	}
	factory := util.NewFactory(flags)
	client, err := inventory.ClusterClientFactory{StatusPolicy: inventory.StatusPolicyNone}.NewClient(factory)
	if err != nil {
		return nil, nil, nil, fmt.Errorf("make a client: %w", err)
	}
	info := inventory.WrapInventoryInfoObj(&unstructured.Unstructured{Object: map[string]any{
		"apiVersion": "v1", "kind": "ConfigMap",
		"metadata": map[string]any{"name": "inventory", "namespace": job.Namespace, "labels": map[string]any{common.InventoryLabel: job.Namespace}},
	}})
	return factory, client, info, nil
}

func deploy(ctx context.Context, job peer.Job) error {
	factory, client, info, err := set(job)
	if err != nil {
		return err
	}
	applier, err := apply.NewApplierBuilder().WithFactory(factory).WithInventoryClient(client).Build()
	if err != nil {
		return fmt.Errorf("make an applier: %w", err)
	}
	objects, err := describe(job)
	if err != nil {
		return err
	}
	return follow(applier.Run(ctx, info, objects, apply.ApplierOptions{
		ServerSideOptions: common.ServerSideOptions{ServerSideApply: true, FieldManager: "bench", ForceConflicts: true},
		ReconcileTimeout:  patience,
	}))
}

func teardown(ctx context.Context, job peer.Job) error {
	factory, client, info, err := set(job)
	if err != nil {
		return err
	}
	destroyer, err := apply.NewDestroyerBuilder().WithFactory(factory).WithInventoryClient(client).Build()
	if err != nil {
		return fmt.Errorf("make a destroyer: %w", err)
	}
	return follow(destroyer.Run(ctx, info, apply.DestroyerOptions{DeleteTimeout: patience}))
}

// follow reads the events to their end and returns the first failure.
func follow(events <-chan event.Event) error {
	var first error
	for e := range events {
		var err error
		switch e.Type {
		case event.ErrorType:
			err = e.ErrorEvent.Err
		case event.ApplyType:
			err = e.ApplyEvent.Error
		case event.DeleteType:
			err = e.DeleteEvent.Error
		case event.WaitType:
			if e.WaitEvent.Status == event.ReconcileFailed || e.WaitEvent.Status == event.ReconcileTimeout {
				err = fmt.Errorf("%s did not become ready", e.WaitEvent.Identifier)
			}
		}
		if first == nil {
			first = err
		}
	}
	return first
}

// describe are the objects with what each Deployment depends on.
func describe(job peer.Job) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	before := dependencies(job)
	for _, s := range job.Work.Services {
		plain, err := s.Plain(job.Namespace)
		if err != nil {
			return nil, err
		}
		for _, o := range plain {
			if on := before[s.Name]; o.GetKind() == "Deployment" && len(on) > 0 {
				o.SetAnnotations(map[string]string{dependson.Annotation: strings.Join(on, ",")})
			}
			all = append(all, o)
		}
	}
	return all, nil
}

// dependencies are, by service, the Deployments that must be ready before its own.
func dependencies(job peer.Job) map[string][]string {
	tiers := map[int][]string{}
	for _, s := range job.Work.Services {
		tiers[s.Tier] = append(tiers[s.Tier], s.Name)
	}
	all := map[string][]string{}
	for _, s := range job.Work.Services {
		on := slices.Clone(s.Needs)
		if !job.Work.Fine {
			on = append(on, tiers[s.Tier-1]...)
		}
		slices.Sort(on)
		for _, name := range slices.Compact(on) {
			all[s.Name] = append(all[s.Name], fmt.Sprintf("apps/namespaces/%s/Deployment/%s", job.Namespace, name))
		}
	}
	return all
}
