package customrun

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/tektoncd/pipeline/pkg/apis/pipeline/v1beta1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/apimachinery/pkg/types"
	clienttesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

var (
	environments = v1alpha1.SchemeGroupVersion.WithResource("environments")
	customRuns   = v1beta1.SchemeGroupVersion.WithResource("customruns")
)

// emulate gives the fakes what the reconciler depends on and they lack: server-side
// apply, generations, conflicts, status as a subresource and finalizers.
func emulate(l *lab) {
	l.user.PrependReactor("patch", "environments", l.patchEnvironment)
	l.user.PrependReactor("delete", "environments", l.deleteEnvironment)
	l.tekton.PrependReactor("update", "customruns", l.updateRun)
	l.tekton.PrependReactor("patch", "customruns", l.patchRun)
}

func bumped(resourceVersion string) string {
	n, _ := strconv.Atoi(resourceVersion)
	return strconv.Itoa(n + 1)
}

// patchEnvironment is the cluster's side of apply and merge patches: the generation moves
// when the spec does.
func (l *lab) patchEnvironment(action clienttesting.Action) (bool, runtime.Object, error) {
	patch := action.(clienttesting.PatchActionImpl)
	found, err := l.spock.Tracker().Get(environments, patch.Namespace, patch.Name)
	env := &v1alpha1.Environment{ObjectMeta: metav1.ObjectMeta{Name: patch.Name, Namespace: patch.Namespace, UID: "shop-uid-1"}}
	switch {
	case err == nil:
		env = found.(*v1alpha1.Environment).DeepCopy()
	case !apierrors.IsNotFound(err) || patch.PatchType != types.ApplyPatchType:
		return true, nil, err
	}
	before := *env.Spec.DeepCopy()
	if patch.PatchType == types.ApplyPatchType {
		env.Spec.Run, env.Spec.Parameters = nil, nil
	}
	var sent v1alpha1.Environment
	if err := json.Unmarshal(patch.Patch, &sent); err != nil {
		return true, nil, err
	}
	if sent.ResourceVersion != "" && sent.ResourceVersion != env.ResourceVersion {
		return true, nil, conflict(environments, patch.Name)
	}
	if err := json.Unmarshal(patch.Patch, &struct {
		Spec *v1alpha1.EnvironmentSpec `json:"spec"`
	}{&env.Spec}); err != nil {
		return true, nil, err
	}
	if env.Generation == 0 || !reflect.DeepEqual(before, env.Spec) {
		env.Generation++
		env.ResourceVersion = bumped(env.ResourceVersion)
	}
	return true, env, l.store(env)
}

// deleteEnvironment keeps an environment that the engine has yet to take down.
func (l *lab) deleteEnvironment(action clienttesting.Action) (bool, runtime.Object, error) {
	deletion := action.(clienttesting.DeleteActionImpl)
	found, err := l.spock.Tracker().Get(environments, deletion.Namespace, deletion.Name)
	if err != nil {
		return true, nil, err
	}
	env := found.(*v1alpha1.Environment).DeepCopy()
	if want := deletion.DeleteOptions.Preconditions; want == nil || want.UID == nil || *want.UID != env.UID {
		return true, nil, fmt.Errorf("deletion of %s without its uid as a precondition", env.Name)
	}
	if len(env.Finalizers) == 0 {
		return true, nil, l.spock.Tracker().Delete(environments, env.Namespace, env.Name)
	}
	now := metav1.NewTime(l.clock.Now())
	env.DeletionTimestamp = &now
	env.Generation++
	return true, nil, l.store(env)
}

// updateRun writes the status alone, and only over the version that was read.
func (l *lab) updateRun(action clienttesting.Action) (bool, runtime.Object, error) {
	update := action.(clienttesting.UpdateActionImpl)
	sent := update.Object.(*v1beta1.CustomRun)
	found, err := l.tekton.Tracker().Get(customRuns, sent.Namespace, sent.Name)
	if err != nil {
		return true, nil, err
	}
	run := found.(*v1beta1.CustomRun).DeepCopy()
	if sent.ResourceVersion != run.ResourceVersion {
		return true, nil, conflict(customRuns, sent.Name)
	}
	if update.Subresource != "status" {
		return true, nil, fmt.Errorf("an update of all of %s", sent.Name)
	}
	// Times are stored to the second.
	raw, err := json.Marshal(sent.Status)
	if err != nil {
		return true, nil, err
	}
	run.Status = v1beta1.CustomRunStatus{}
	if err := json.Unmarshal(raw, &run.Status); err != nil {
		return true, nil, err
	}
	run.ResourceVersion = bumped(run.ResourceVersion)
	return true, run, l.tekton.Tracker().Update(customRuns, run, run.Namespace)
}

// patchRun is a merge patch of the finalizers; a run on its way out goes with the last.
func (l *lab) patchRun(action clienttesting.Action) (bool, runtime.Object, error) {
	patch := action.(clienttesting.PatchActionImpl)
	found, err := l.tekton.Tracker().Get(customRuns, patch.Namespace, patch.Name)
	if err != nil {
		return true, nil, err
	}
	run := found.(*v1beta1.CustomRun).DeepCopy()
	var sent struct {
		Metadata struct {
			Finalizers      []string `json:"finalizers"`
			ResourceVersion string   `json:"resourceVersion"`
		} `json:"metadata"`
	}
	if err := json.Unmarshal(patch.Patch, &sent); err != nil {
		return true, nil, err
	}
	if sent.Metadata.ResourceVersion != run.ResourceVersion {
		return true, nil, conflict(customRuns, patch.Name)
	}
	run.Finalizers = sent.Metadata.Finalizers
	run.ResourceVersion = bumped(run.ResourceVersion)
	if run.DeletionTimestamp != nil && len(run.Finalizers) == 0 {
		return true, run, l.tekton.Tracker().Delete(customRuns, run.Namespace, run.Name)
	}
	return true, run, l.tekton.Tracker().Update(customRuns, run, run.Namespace)
}

func conflict(resource schema.GroupVersionResource, name string) error {
	return apierrors.NewConflict(resource.GroupResource(), name, fmt.Errorf("the object has been modified"))
}
