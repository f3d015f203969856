package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/client/clientset/versioned"
	"spock.dev/spock/pkg/deploy"
	"spock.dev/spock/pkg/progress"
	"spock.dev/spock/pkg/task/lists"
	"spock.dev/spock/pkg/task/record"
	"spock.dev/spock/pkg/task/result"
	"spock.dev/spock/pkg/task/step"
)

func deployCommand() *cobra.Command {
	t := step.Step{Name: "deploy", Texts: []string{"environment", "namespace", "url", "run", "phase", "message", "services"}}
	d := deployment{}
	cmd := &cobra.Command{
		Use:   "deploy [flags] -- services: NAME=IMAGE... parameters: NAME=VALUE...",
		Short: "Create or update an environment and follow the rollout",
		RunE: func(cmd *cobra.Command, words []string) error {
			d.cmd = cmd
			return t.Run(func(results result.Writer, r *record.Record) error {
				r.Environment = d.request.Namespace + "/" + d.request.Environment
				if err := d.read(words); err != nil {
					return err
				}
				environment, err := d.do()
				if environment == nil {
					return err
				}
				r.Phase, r.URL = string(environment.Status.Phase), environment.Status.URL
				for _, service := range environment.Status.Services {
					if service.Image != "" {
						r.Services = append(r.Services, service.Name+"="+service.Image)
					}
				}
				if written := results.Texts(deploy.Results(environment)); written != nil {
					return written
				}
				return err
			})
		},
	}
	t.Flags(cmd)
	f := cmd.Flags()
	f.StringVar(&d.request.Namespace, "namespace", "", "namespace of the environment")
	f.StringVar(&d.request.Environment, "environment", "", "name of the environment")
	f.StringVar(&d.request.Product, "product", "", "product of the environment")
	f.StringVar(&d.request.Class, "class", "", "class of the environment")
	f.StringVar(&d.request.ServiceAccount, "service-account", "", "account as which the objects of the environment are written")
	f.StringVar(&d.request.Source, "source", "", "what is deployed, a commit for instance")
	f.StringVar(&d.request.From, "from", "", "environment whose images are deployed by digest where no image is named")
	f.StringVar(&d.request.Attempt, "attempt", "", "name of the new attempt when the last one failed")
	f.DurationVar(&d.timeout, "timeout", 15*time.Minute, "how long to follow the rollout; 0 follows without end")
	f.BoolVar(&d.wait, "wait", true, "follow the rollout until it ends")
	return cmd
}

type deployment struct {
	cmd     *cobra.Command
	request deploy.Request
	timeout time.Duration
	wait    bool
}

func (d *deployment) read(words []string) error {
	entries, err := lists.Split(words, "services", "parameters")
	if err != nil {
		return err
	}
	if d.request.Services, err = deploy.Images(entries["services"]); err != nil {
		return err
	}
	d.request.Parameters, err = deploy.Parameters(entries["parameters"])
	return err
}

// do returns the environment as last seen, also beside an error.
func (d *deployment) do() (*v1alpha1.Environment, error) {
	ctx := d.cmd.Context()
	if d.timeout > 0 {
		limited, cancel := context.WithTimeout(ctx, d.timeout)
		defer cancel()
		ctx = limited
	}
	client, err := connect()
	if err != nil {
		return nil, err
	}
	stored, err := deploy.Apply(ctx, client, d.request)
	if err != nil {
		return nil, err
	}
	d.say("environment %s/%s: product %s, class %s, generation %d", stored.Namespace, stored.Name, stored.Spec.Product, stored.Spec.Class, stored.Generation)
	if deploy.Settled(stored, stored.Generation) {
		d.say("nothing to change: run %s has brought this about", stored.Status.Run)
	}
	if !d.wait {
		return stored, nil
	}
	return d.follow(ctx, client, stored)
}

func (d *deployment) follow(ctx context.Context, client versioned.Interface, stored *v1alpha1.Environment) (*v1alpha1.Environment, error) {
	began := time.Now()
	var previous v1alpha1.EnvironmentStatus
	last, err := deploy.Follow(ctx, client, stored.Namespace, stored.Name, stored.Generation, func(e *v1alpha1.Environment) {
		for _, line := range progress.Lines(previous, e.Status, time.Since(began)) {
			d.say("%s", line)
		}
		previous = e.Status
	})
	if last == nil {
		return stored, err
	}
	d.close(last, time.Since(began))
	if err != nil {
		return last, err
	}
	if last.Status.Phase != v1alpha1.PhaseReady {
		return last, fmt.Errorf("environment %s/%s is %s: %s", last.Namespace, last.Name, last.Status.Phase, last.Status.Message)
	}
	return last, nil
}

func (d *deployment) close(e *v1alpha1.Environment, elapsed time.Duration) {
	d.say("")
	for _, line := range progress.Table(e, elapsed) {
		d.say("%s", line)
	}
	if failures := progress.Failures(e.Status); len(failures) > 0 {
		d.say("")
		for _, line := range failures {
			d.say("%s", line)
		}
	}
}

func (d *deployment) say(format string, args ...any) {
	fmt.Fprintf(d.cmd.OutOrStdout(), format+"\n", args...)
}

// connect uses the pod's own account, or the user's kubeconfig outside of a cluster.
func connect() (versioned.Interface, error) {
	config, err := cluster()
	if err != nil {
		return nil, err
	}
	client, err := versioned.NewForConfig(config)
	if err != nil {
		return nil, fmt.Errorf("connect to the cluster: %w", err)
	}
	return client, nil
}

func cluster() (*rest.Config, error) {
	rules := clientcmd.NewDefaultClientConfigLoadingRules()
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, nil).ClientConfig()
	if err != nil {
		return nil, fmt.Errorf("find the cluster: %w", err)
	}
	return config, nil
}
