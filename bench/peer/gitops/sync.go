package main

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"github.com/argoproj/gitops-engine/pkg/cache"
	"github.com/argoproj/gitops-engine/pkg/diff"
	"github.com/argoproj/gitops-engine/pkg/health"
	engine "github.com/argoproj/gitops-engine/pkg/sync"
	"github.com/argoproj/gitops-engine/pkg/sync/common"
	"github.com/argoproj/gitops-engine/pkg/utils/kube"
	"github.com/argoproj/gitops-engine/pkg/utils/tracing"
	"github.com/go-logr/logr"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"

	"spock.dev/spock/bench/peer"
)

// mark is on every object of ours, as Argo CD tracks what is its own.
const mark = "bench.example/managed"

// sync is one operation on its way.
type sync struct {
	job     peer.Job
	cache   cache.ClusterCache
	targets []*unstructured.Unstructured

	live    map[kube.ResourceKey]*unstructured.Unstructured
	diffs   *diff.DiffResultList
	phase   common.OperationPhase
	message string
	results []common.ResourceSyncResult
	started metav1.Time
}

// step takes the operation one step further from what the cache holds now, and says whether
// it has succeeded and done holds.
func (s *sync) step(done func(*sync) (bool, error)) (bool, error) {
	result, err := s.look()
	if err != nil {
		return false, err
	}
	if s.phase == common.OperationSucceeded {
		return done(s)
	}
	if s.phase == "" {
		s.phase, s.started = common.OperationRunning, metav1.Now()
	}
	kubectl := &kube.KubectlCmd{Log: logr.Discard(), Tracer: tracing.NopTracer{}}
	operation, cleanup, err := engine.NewSyncContext("r", result, s.job.Config, s.job.Config, kubectl, s.job.Namespace, s.cache.GetOpenAPISchema(), s.options()...)
	if err != nil {
		return false, fmt.Errorf("begin a step: %w", err)
	}
	defer cleanup()
	operation.Sync()
	s.phase, s.message, s.results = operation.GetState()
	if s.phase == common.OperationFailed || s.phase == common.OperationError {
		return false, errors.New("the sync failed: " + s.message)
	}
	return false, nil
}

// look compares what should be with what the cache holds.
func (s *sync) look() (engine.ReconciliationResult, error) {
	live, err := s.cache.GetManagedLiveObjs(s.targets, managed)
	if err != nil {
		return engine.ReconciliationResult{}, fmt.Errorf("read the cache: %w", err)
	}
	s.live = make(map[kube.ResourceKey]*unstructured.Unstructured, len(live))
	for key, o := range live {
		s.live[key] = o
	}
	result := engine.Reconcile(s.targets, live, s.job.Namespace, s.cache)
	s.diffs, err = diff.DiffArray(result.Target, result.Live, diff.WithLogr(logr.Discard()))
	if err != nil {
		return engine.ReconciliationResult{}, fmt.Errorf("compare: %w", err)
	}
	return result, nil
}

func (s *sync) options() []engine.SyncOpt {
	options := []engine.SyncOpt{
		engine.WithInitialState(s.phase, s.message, s.results, s.started), engine.WithLogr(logr.Discard()), engine.WithPrune(true),
	}
	if s.job.Mode == "tuned" {
		return append(options, engine.WithServerSideApply(true), engine.WithServerSideApplyManager("bench"), engine.WithResourceModificationChecker(true, s.diffs))
	}
	return append(options, engine.WithSyncWaveHook(func(_ common.SyncPhase, _ int, last bool) error {
		if !last {
			time.Sleep(2 * time.Second)
		}
		return nil
	}))
}

// inSyncAndHealthy is what Argo CD shows as Synced and Healthy.
func (s *sync) inSyncAndHealthy() (bool, error) {
	if s.diffs.Modified || len(s.live) < len(s.targets) {
		return false, nil
	}
	for key, o := range s.live {
		state, err := health.GetResourceHealth(o, nil)
		if err != nil {
			return false, fmt.Errorf("health of %s: %w", key, err)
		}
		if state != nil && state.Status != health.HealthStatusHealthy {
			return false, nil
		}
	}
	return true, nil
}

// waves are the objects of the work, each with its level as wave.
func waves(job peer.Job) ([]*unstructured.Unstructured, error) {
	var all []*unstructured.Unstructured
	for n, level := range job.Work.Levels() {
		for _, service := range level {
			objects, err := service.Plain(job.Namespace)
			if err != nil {
				return nil, err
			}
			for _, o := range objects {
				o.SetAnnotations(map[string]string{mark: job.Work.Name, common.AnnotationSyncWave: strconv.Itoa(n)})
			}
			all = append(all, objects...)
		}
	}
	return all, nil
}
