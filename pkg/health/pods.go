package health

import (
	"cmp"
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// How long something must last before it counts as a failure.
const (
	// unschedulablePatience lets the scheduler look twice; the time of a refusal has whole
	// seconds, so it may be less.
	unschedulablePatience = time.Second
	// volumePatience lets storage make and bind a volume.
	volumePatience = 30 * time.Second
	// pullPatience lets the kubelet pull again when the registry did not answer, or
	// answered something that may pass.
	pullPatience = 30 * time.Second
)

// Evidence says what shows a failure: a log, or the room that nodes have.
type Evidence struct {
	// Pod and Container that failed.
	Pod, Container string
	// Previous asks for the log of the instance before the present one.
	Previous bool
	// Short is the resource of which no node has enough for the pod; there is no log then.
	Short corev1.ResourceName
}

// finding is one failure seen in one pod.
type finding struct {
	rank     rank
	cause    *v1alpha1.Cause
	evidence *Evidence
	// patience is how much longer it must last to count; zero when it counts now.
	patience time.Duration
}

// rank orders findings: a smaller one tells more about why the service is not up.
type rank int

const (
	rankImage rank = iota
	rankConfig
	rankMemory
	rankCrash
	rankPlace
)

// Pods finds the most telling failure among the pods of one service, and whose log
// shows it (nil when no log helps). Without a failure both are nil.
//
// Pods that are being deleted, have ended, or are of an older version of their
// workload do not decide. A readiness probe that does not succeed is no failure by
// itself; see [Unprobed].
func Pods(now time.Time, pods []*corev1.Pod) (*v1alpha1.Cause, *Evidence) {
	counting := slices.DeleteFunc(findings(now, pods), func(f finding) bool { return f.patience > 0 })
	if len(counting) == 0 {
		return nil, nil
	}
	worst := slices.MinFunc(counting, func(a, b finding) int { return cmp.Compare(a.rank, b.rank) })
	return worst.cause, worst.evidence
}

// Later says after how long to ask [Pods] again although nothing changes, because
// something that is not a failure yet becomes one by lasting; zero when nothing does.
func Later(now time.Time, pods []*corev1.Pod) time.Duration {
	var soonest time.Duration
	for _, f := range findings(now, pods) {
		if f.patience > 0 && (soonest == 0 || f.patience < soonest) {
			soonest = f.patience
		}
	}
	return soonest
}

// findings lists what is wrong, in the order of the pods' names.
func findings(now time.Time, pods []*corev1.Pod) []finding {
	var all []finding
	for _, pod := range current(pods) {
		if f, found := placement(now, pod); found {
			all = append(all, f)
		}
		for _, c := range containersOf(pod) {
			if f, found := c.finding(now); found {
				all = append(all, f)
			}
		}
	}
	return all
}

// remaining is how much of a patience is left of something that began at start.
func remaining(now, start time.Time, patience time.Duration) time.Duration {
	return max(start.Add(patience).Sub(now), 0)
}
