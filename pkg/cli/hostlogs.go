package cli

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	spockclient "spock.dev/spock/pkg/client/clientset/versioned/typed/spock/v1alpha1"
	"spock.dev/spock/pkg/follow"
	"spock.dev/spock/pkg/target/host"
)

// units are the services of an environment that run on machines.
type units struct {
	machines Machines
	cluster  *Cluster
	env      *v1alpha1.Environment
	services []string // all when empty
}

// hosts are those of the environment.
func (u *units) hosts() spockclient.HostInterface {
	return u.cluster.Spock.SpockV1alpha1().Hosts(cmp.Or(u.env.Status.HostNamespace, u.env.Namespace))
}

// list are the machines that may run any.
func (u *units) list(ctx context.Context) ([]v1alpha1.Host, error) {
	all, err := u.hosts().List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	return all.Items, nil
}

// hostsAreHidden remarks that pods are all that is shown.
func (l *logs) hostsAreHidden(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(l.err, "the logs of hosts are left out: %v\n", explain(err))
}

// on are the services that a machine runs.
func (u *units) on(h *v1alpha1.Host) []string {
	var names []string
	for _, a := range h.Status.Allocations {
		if a.Environment == u.env.Namespace+"/"+u.env.Name && (len(u.services) == 0 || slices.Contains(u.services, a.Service)) {
			names = append(names, a.Service)
		}
	}
	return names
}

// login is how a machine is logged in to, with what the person at the terminal may read.
func (u *units) login(ctx context.Context, h *v1alpha1.Host) (host.Login, error) {
	name := h.Spec.Credentials.SecretName
	secret, err := u.cluster.Kube.CoreV1().Secrets(h.Namespace).Get(ctx, name, metav1.GetOptions{})
	if err != nil {
		return host.Login{}, explain(fmt.Errorf("read secret %s/%s: %w", h.Namespace, name, err))
	}
	return login(h.Name, &h.Spec, secret.Data[v1alpha1.HostSecretKey], secret.Data[v1alpha1.HostSecretCert]), nil
}

// printUnit prints the log of a service on a machine. What prevents it is a remark, no
// failure: the other logs are worth reading.
func (l *logs) printUnit(ctx context.Context, h *v1alpha1.Host, service string, tail int64) {
	prefix := service + "/" + h.Name
	if l.previous {
		l.printLine(l.err, prefix, "the journal of a host has all instances in one: leave out --previous")
		return
	}
	login, err := l.units.login(ctx, h)
	if err == nil {
		want := host.LogRequest{Environment: types.NamespacedName{Namespace: l.units.env.Namespace, Name: l.units.env.Name}, Service: service, Tail: tail, Follow: l.follow}
		err = hinted(l.units.machines.Logs(ctx, login, want, func(line string) { l.printLine(l.out, prefix, line) }))
	}
	if err != nil && ctx.Err() == nil {
		l.printLine(l.err, prefix, err.Error())
	}
}

// followUnits prints the logs of services on machines and of those that come there, until
// ctx ends. A connection that is lost is made again when something is heard of the machine.
func (l *logs) followUnits(ctx context.Context) error {
	var streams sync.WaitGroup
	var mu sync.Mutex
	open, known := map[string]bool{}, map[string]bool{}
	err := follow.Objects(ctx, l.units.cluster.Spock, l.units.hosts(), metav1.ListOptions{}, &v1alpha1.Host{}, false, func(h *v1alpha1.Host, gone bool) bool {
		mu.Lock()
		defer mu.Unlock()
		for _, service := range l.units.on(h) {
			key := service + "/" + h.Name
			if gone || open[key] {
				continue
			}
			tail := l.tail
			if known[key] {
				tail = 0
			}
			open[key], known[key] = true, true
			streams.Go(func() {
				l.printUnit(ctx, h, service, tail)
				mu.Lock()
				defer mu.Unlock()
				open[key] = false
			})
		}
		return false
	})
	streams.Wait()
	return err
}
