package work

import "time"

// Limit is the physical limit T_min of bringing a work up: the longest path through what
// must wait for what,
//
//	T_min = max over paths p of the sum over services i in p of r_i
//
// where r_i is how long service i takes from its accepted write to being ready in the
// cluster. A tier that waits for the tier before is as long as its longest service. Give
// it what was measured in the run, and what the cluster itself is slow in is in it.
func (w Work) Limit(takes func(service string) time.Duration) time.Duration {
	done := map[string]time.Duration{}
	var longest, barrier time.Duration // over all, and over the tiers before this one
	tier := 0
	for _, s := range w.Services {
		if s.Tier != tier {
			tier, barrier = s.Tier, longest
		}
		start := time.Duration(0)
		if !w.Fine {
			start = barrier
		}
		for _, need := range s.Needs {
			start = max(start, done[need])
		}
		done[s.Name] = start + takes(s.Name)
		longest = max(longest, done[s.Name])
	}
	return longest
}

// Gates are the services that must be ready before the workload of each is written.
func (w Work) Gates() map[string][]string {
	gates, before, this, tier := map[string][]string{}, []string(nil), []string(nil), 0
	for _, s := range w.Services {
		if s.Tier != tier {
			tier, before, this = s.Tier, append(before, this...), nil
		}
		gates[s.Name] = s.Needs
		if !w.Fine {
			gates[s.Name] = append(append([]string(nil), before...), s.Needs...)
		}
		this = append(this, s.Name)
	}
	return gates
}
