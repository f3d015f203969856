package customrun

import (
	"errors"
	"testing"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	customruninformer "github.com/tektoncd/pipeline/pkg/client/injection/informers/pipeline/v1beta1/customrun"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"
	"knative.dev/pkg/controller"
	rtesting "knative.dev/pkg/reconciler/testing"

	environmentinformer "spock.dev/spock/pkg/client/injection/informers/spock/v1alpha1/environment"
)

func failing(clienttesting.Action) (bool, runtime.Object, error) {
	return true, nil, errors.New("etcd is away")
}

// listen runs an informer until the end of the test.
func listen(l *lab, informer controller.Informer) {
	l.t.Helper()
	wait, err := rtesting.RunAndSyncInformers(l.ctx, informer)
	l.must(err)
	l.t.Cleanup(func() { l.cancel(); wait() })
}

// next is the name that is enqueued next.
func next(l *lab) string {
	key, _ := l.impl.WorkQueue().Get()
	l.impl.WorkQueue().Done(key)
	return key.(types.NamespacedName).String()
}

func TestARunOfOursIsEnqueued(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	listen(l, customruninformer.Get(l.ctx).Informer())
	for _, run := range []*v1beta1.CustomRun{deployRun(foreign, func(run *v1beta1.CustomRun) { run.Name = "other" }), deployRun()} {
		_, err := l.tekton.TektonV1beta1().CustomRuns(namespace).Create(l.ctx, run, metav1.CreateOptions{})
		l.must(err)
	}
	if got := next(l); got != runKey {
		t.Errorf("%s was enqueued, want %s alone", got, runKey)
	}
}

func TestItsEnvironmentBringsARunBack(t *testing.T) {
	t.Parallel()
	l := newLab(t, deployRun())
	l.catchUp()
	listen(l, environmentinformer.Get(l.ctx).Informer())
	l.must(l.stalePass())
	l.engine(progressing)
	if got := next(l); got != runKey {
		t.Errorf("%s was enqueued, want %s", got, runKey)
	}
}
