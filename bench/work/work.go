// Package work describes what the benchmark deploys, in words of no engine: services in
// tiers, what each needs, and how long each takes to become ready. The same seed gives
// the same work. It is pure.
package work

import (
	"fmt"
	"hash/fnv"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"time"
)

// Service is one Deployment of one pod, with a Service and a ConfigMap; or one process on a
// machine.
type Service struct {
	Name string `json:"name"`
	// OnHost says that it runs on a machine. No peer has such.
	OnHost bool `json:"onHost,omitempty"`
	// Tier is its group, from 0.
	Tier int `json:"tier"`
	// Needs are the services that must be ready before its workload is written.
	Needs []string `json:"needs,omitempty"`
	// Ready is how long its pod takes from being bound to a node to being ready, or its process
	// from its start.
	Ready time.Duration `json:"ready"`
	// Fault is how the pod ends instead; empty when it becomes ready.
	Fault Fault `json:"fault,omitempty"`
	// Revision changes with an update.
	Revision int `json:"revision"`
}

// Fault is a way to fail.
type Fault string

// The faults that the benchmark injects. Each is what a real cluster shows for it.
const (
	NoImage       Fault = "no-image"      // ErrImagePull, then ImagePullBackOff
	BadConfig     Fault = "bad-config"    // CreateContainerConfigError
	CrashLoop     Fault = "crash-loop"    // exits with 3 again and again
	OutOfMemory   Fault = "out-of-memory" // OOMKilled again and again
	ProbeFails    Fault = "probe-fails"   // runs, and answers its probe with 503
	Unschedulable Fault = "unschedulable" // asks for more than any node has
	OverQuota     Fault = "over-quota"    // its pod is refused by the quota
	BadField      Fault = "bad-field"     // its Deployment is refused by the apiserver
)

// Faults are all of them.
func Faults() []Fault {
	return []Fault{NoImage, BadConfig, CrashLoop, OutOfMemory, ProbeFails, Unschedulable, OverQuota, BadField}
}

// Work is one product.
type Work struct {
	Name     string    `json:"name"`
	Services []Service `json:"services"`
	// Fine says that only Needs gate; otherwise a tier also waits for the tier before.
	Fine bool `json:"fine"`
}

// Image tells the node how the pod behaves: the benchmark pulls none.
func (s Service) Image() string {
	how := fmt.Sprintf("ready-%d", s.Ready.Milliseconds())
	if s.Fault != "" {
		how = string(s.Fault)
	}
	return fmt.Sprintf("bench.example/%s:%s-r%d", s.Name, how, s.Revision)
}

// Behaviour reads an image as Image made it.
func Behaviour(image string) (ready time.Duration, fault Fault, err error) {
	_, tag, _ := strings.Cut(image, ":")
	how, _, found := cutLast(tag, "-r")
	if !found {
		return 0, "", fmt.Errorf("image %q tells no behaviour", image)
	}
	var ms int64
	if n, _ := fmt.Sscanf(how, "ready-%d", &ms); n == 1 {
		return time.Duration(ms) * time.Millisecond, "", nil
	}
	if slices.Contains(Faults(), Fault(how)) {
		return 0, Fault(how), nil
	}
	return 0, "", fmt.Errorf("image %q tells no behaviour", image)
}

func cutLast(s, sep string) (before, after string, found bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}

// Delays are seeded and lognormal around a median: most services are quick, a few are not.
type Delays struct {
	Median time.Duration
	Seed   uint64
}

// sigma is the spread of the logarithm: one in a hundred takes four times the median.
const sigma = 0.6

// Tiers makes services spread evenly over tiers. Each, but those of the first tier, needs
// one to three services of the tier before.
func Tiers(name string, services, tiers int, fine bool, d Delays) Work {
	random := rand.New(rand.NewPCG(d.Seed, uint64(services)))
	w := Work{Name: name, Fine: fine}
	var before, tier []string
	for i := range services {
		at := i * tiers / services
		if len(w.Services) > 0 && at != w.Services[len(w.Services)-1].Tier {
			before, tier = tier, nil
		}
		s := Service{Name: fmt.Sprintf("s%03d", i), Tier: at, Ready: d.next(random), Revision: 1}
		for range 1 + random.IntN(3) {
			if len(before) > 0 {
				s.Needs = append(s.Needs, before[random.IntN(len(before))])
			}
		}
		slices.Sort(s.Needs)
		s.Needs = slices.Compact(s.Needs)
		tier = append(tier, s.Name)
		w.Services = append(w.Services, s)
	}
	return w
}

// Chain makes services of which each needs the one before, all in one tier.
func Chain(name string, services int, d Delays) Work {
	random := rand.New(rand.NewPCG(d.Seed, uint64(services)))
	w := Work{Name: name, Fine: true}
	for i := range services {
		s := Service{Name: fmt.Sprintf("s%03d", i), Ready: d.next(random), Revision: 1}
		if i > 0 {
			s.Needs = []string{w.Services[i-1].Name}
		}
		w.Services = append(w.Services, s)
	}
	return w
}

// Of is the delay of something by its name: the same for the same name.
func (d Delays) Of(name string) time.Duration {
	sum := fnv.New64a()
	sum.Write([]byte(name)) //nolint:errcheck // a hash takes all
	return d.next(rand.New(rand.NewPCG(d.Seed, sum.Sum64())))
}

func (d Delays) next(random *rand.Rand) time.Duration {
	t := float64(d.Median) * math.Exp(sigma*random.NormFloat64())
	return time.Duration(min(t, 6*float64(d.Median))).Round(time.Millisecond)
}

// Straggler returns the work with one service of the first tier that takes so long. With
// fine needs, only those that need it wait.
func (w Work) Straggler(takes time.Duration) Work {
	w.Services = slices.Clone(w.Services)
	w.Services[0].Ready = takes
	return w
}

// Updated returns the work with another revision of the services chosen; nil chooses all.
func (w Work) Updated(chosen func(Service) bool) Work {
	w.Services = slices.Clone(w.Services)
	for i := range w.Services {
		if chosen == nil || chosen(w.Services[i]) {
			w.Services[i].Revision++
		}
	}
	return w
}

// OnHosts returns the work with every nth service on a machine, evenly in all tiers.
func (w Work) OnHosts(nth int) Work {
	w.Services = slices.Clone(w.Services)
	for i := range w.Services {
		w.Services[i].OnHost = i%nth == 0
	}
	return w
}

// Failing returns the work with a fault in its first service.
func (w Work) Failing(f Fault) Work {
	w.Services = slices.Clone(w.Services)
	w.Services[0].Fault = f
	return w
}
