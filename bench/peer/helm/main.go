// Command helm measures Helm as a library. A chart has no order between its workloads, so a
// level is a release: it is installed or upgraded, with --wait, when the one before is ready.
//
// As "default" it waits with Helm 4's watcher and its client's usual limits; as "tuned" the
// client has 1000 requests a second.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"helm.sh/helm/v4/pkg/action"
	"helm.sh/helm/v4/pkg/chart/common"
	chart "helm.sh/helm/v4/pkg/chart/v2"
	"helm.sh/helm/v4/pkg/kube"
	"helm.sh/helm/v4/pkg/storage/driver"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/bench/peer"
	"spock.dev/spock/bench/work"
)

const patience = 10 * time.Minute

func main() {
	slog.SetDefault(slog.New(slog.DiscardHandler))
	peer.Main(peer.Peer{Modes: []string{"default", "tuned"}, Deploy: deploy, Teardown: teardown})
}

// configuration is Helm's, as the mode says.
func configuration(job peer.Job) (*action.Configuration, error) {
	flags := genericclioptions.NewConfigFlags(true)
	flags.Namespace = &job.Namespace
	flags.WrapConfigFn = func(*rest.Config) *rest.Config {
		c := rest.CopyConfig(job.Config)
		c.QPS, c.Burst = 0, 100 // as the command line has it: the client's 5 a second after a burst
		if job.Mode == "tuned" {
			c.QPS, c.Burst = 1000, 2000
		}
		return c
	}
	c := action.NewConfiguration()
	if err := c.Init(flags, job.Namespace, "secret"); err != nil {
		return nil, fmt.Errorf("set Helm up: %w", err)
	}
	return c, nil
}

func deploy(ctx context.Context, job peer.Job) error {
	c, err := configuration(job)
	if err != nil {
		return err
	}
	for n, level := range job.Work.Levels() {
		made, err := describe(level, job.Namespace)
		if err != nil {
			return err
		}
		if err := release(ctx, c, job.Namespace, name(n), made); err != nil {
			return fmt.Errorf("level %d: %w", n, err)
		}
	}
	return nil
}

func name(level int) string { return fmt.Sprintf("level-%d", level) }

// release installs a chart, or upgrades the release that is there.
func release(ctx context.Context, c *action.Configuration, namespace, name string, made *chart.Chart) error {
	_, err := action.NewHistory(c).Run(name)
	if errors.Is(err, driver.ErrReleaseNotFound) {
		install := action.NewInstall(c)
		install.ReleaseName, install.Namespace, install.WaitStrategy, install.Timeout = name, namespace, kube.StatusWatcherStrategy, patience
		_, err = install.RunWithContext(ctx, made, nil)
		return err
	}
	if err != nil {
		return err
	}
	upgrade := action.NewUpgrade(c)
	upgrade.Namespace, upgrade.WaitStrategy, upgrade.Timeout = namespace, kube.StatusWatcherStrategy, patience
	_, err = upgrade.RunWithContext(ctx, name, made, nil)
	return err
}

func teardown(_ context.Context, job peer.Job) error {
	c, err := configuration(job)
	if err != nil {
		return err
	}
	for n := len(job.Work.Levels()) - 1; n >= 0; n-- {
		uninstall := action.NewUninstall(c)
		uninstall.WaitStrategy, uninstall.Timeout, uninstall.DeletionPropagation = kube.StatusWatcherStrategy, patience, "foreground"
		if _, err := uninstall.Run(name(n)); err != nil {
			return fmt.Errorf("level %d: %w", n, err)
		}
	}
	return nil
}

// describe is a chart whose templates are the objects as they are.
func describe(services []work.Service, namespace string) (*chart.Chart, error) {
	made := &chart.Chart{Metadata: &chart.Metadata{APIVersion: chart.APIVersionV2, Name: "bench", Version: "1.0.0"}}
	for _, s := range services {
		plain, err := s.Plain(namespace)
		if err != nil {
			return nil, err
		}
		for _, o := range plain {
			text, err := yaml.Marshal(o.Object)
			if err != nil {
				return nil, fmt.Errorf("write a template: %w", err)
			}
			made.Templates = append(made.Templates, &common.File{Name: fmt.Sprintf("templates/%s-%s.yaml", s.Name, o.GetKind()), Data: text})
		}
	}
	return made, nil
}
