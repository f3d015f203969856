package health

import (
	"cmp"
	"slices"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// current keeps the pods that speak for the service as it is wanted now, by name:
// neither being deleted nor ended, and of the newest version of their workload.
func current(pods []*corev1.Pod) []*corev1.Pod {
	newest := map[string]version{}
	for _, pod := range pods {
		if workload, v := versionOf(pod); alive(pod) && v.after(newest[workload]) {
			newest[workload] = v
		}
	}
	kept := make([]*corev1.Pod, 0, len(pods))
	for _, pod := range pods {
		if workload, v := versionOf(pod); alive(pod) && v.hash == newest[workload].hash {
			kept = append(kept, pod)
		}
	}
	slices.SortFunc(kept, func(a, b *corev1.Pod) int { return cmp.Compare(a.Name, b.Name) })
	return kept
}

func alive(pod *corev1.Pod) bool {
	return pod.DeletionTimestamp == nil && pod.Status.Phase != corev1.PodSucceeded && pod.Status.Phase != corev1.PodFailed
}

// version is the hash a workload controller gave a pod, as of the pod's creation.
type version struct {
	hash    string
	created time.Time
}

// after orders versions by the newest pod that has them. Within the second that the
// cluster's clock resolves, the hash decides, so that the answer does not waver.
func (v version) after(other version) bool {
	if !v.created.Equal(other.created) {
		return v.created.After(other.created)
	}
	return v.hash > other.hash
}

// versionOf names the workload a pod belongs to and the pod's version of it. A service
// may have several workloads; each has a newest version of its own.
func versionOf(pod *corev1.Pod) (string, version) {
	owner := ""
	if ref := metav1.GetControllerOf(pod); ref != nil {
		owner = ref.Kind + "/" + ref.Name
	}
	if hash := pod.Labels[appsv1.DefaultDeploymentUniqueLabelKey]; hash != "" {
		return strings.TrimSuffix(owner, "-"+hash), version{hash, pod.CreationTimestamp.Time}
	}
	return owner, version{pod.Labels[appsv1.ControllerRevisionHashLabelKey], pod.CreationTimestamp.Time}
}
