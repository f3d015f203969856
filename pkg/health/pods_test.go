package health_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
	"sigs.k8s.io/yaml"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/health"
)

// clock is a minute after the pods of the tests were created.
var clock = time.Date(2026, 11, 22, 10, 1, 0, 0, time.UTC)

// parsePods reads a list of pods; what they leave out comes from a pod of the service
// web, created at 10:00:00 and on a node.
func parsePods(t *testing.T, text string) []*corev1.Pod {
	t.Helper()
	var pods []*corev1.Pod
	if err := yaml.UnmarshalStrict([]byte(text), &pods); err != nil {
		t.Fatalf("reading the test's pods: %v\n%s", err, text)
	}
	for _, pod := range pods {
		if pod.CreationTimestamp.IsZero() {
			pod.CreationTimestamp.Time = clock.Add(-time.Minute)
		}
		if pod.Spec.Containers == nil {
			pod.Spec.Containers = []corev1.Container{{Name: "web", Image: "registry.example.com/shop/web:1.4"}}
		}
	}
	return pods
}

// pod is a pod named web-1 whose container web has the status given.
func podWith(status string) string {
	return `
- metadata: {name: web-1, labels: {spock.dev/service: web}}
  status:
    phase: Running
    containerStatuses:
    - {name: web, ` + status + `}`
}

type telling struct {
	pods     string
	class    v1alpha1.CauseClass
	says     string
	evidence *health.Evidence
	// later is when to look again.
	later time.Duration
}

func checkPods(t *testing.T, table map[string]telling) {
	t.Helper()
	for name, row := range table {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			pods := parsePods(t, row.pods)
			cause, evidence := health.Pods(clock, pods)
			checkCause(t, cause, row.class)
			if cause != nil {
				if diff := cmp.Diff(row.says, cause.Message); diff != "" {
					t.Errorf("message (-want +got):\n%s", diff)
				}
			}
			if diff := cmp.Diff(row.evidence, evidence); diff != "" {
				t.Errorf("evidence (-want +got):\n%s", diff)
			}
			if got := health.Later(clock, pods); got != row.later {
				t.Errorf("look again in %s, want %s", got, row.later)
			}
		})
	}
}

func TestImagesThatDoNotCome(t *testing.T) {
	t.Parallel()
	const cannot = "image registry.example.com/shop/web:1.4 of container web of pod web-1 cannot be pulled: "
	checkPods(t, map[string]telling{
		"the registry has no such tag": {
			pods: podWith(`state: {waiting: {reason: ErrImagePull, message: 'rpc error: code = NotFound desc = failed to pull and unpack image "registry.example.com/shop/web:1.4": failed to resolve reference "registry.example.com/shop/web:1.4": registry.example.com/shop/web:1.4: not found'}}`),

			class: v1alpha1.CauseImage, says: cannot + "the registry has no such image",
		},
		"the registry wants a login": {
			pods:  podWith(`state: {waiting: {reason: ImagePullBackOff, message: 'Back-off pulling image "registry.example.com/shop/web:1.4": ErrImagePull: rpc error: code = Unknown desc = failed to authorize: failed to fetch anonymous token: unexpected status from GET request: 401 Unauthorized'}}`),
			class: v1alpha1.CauseImage, says: cannot + "the registry refuses access to it, or it does not exist",
		},
		"the name is no image reference": {
			pods:  podWith(`state: {waiting: {reason: InvalidImageName, message: 'Failed to apply default image tag "Shop/web": couldn''t parse image name: invalid reference format'}}`),
			class: v1alpha1.CauseImage, says: cannot + "its name is not a valid image reference",
		},
		"pulling is not allowed": {
			pods:  podWith(`state: {waiting: {reason: ErrImageNeverPull, message: 'Container image is not present with pull policy of Never'}}`),
			class: v1alpha1.CauseImage, says: cannot + "it is not on the node and its pull policy forbids to pull it",
		},
		"the registry has been away for a minute": {
			pods:  podWith(`state: {waiting: {reason: ErrImagePull, message: 'failed to do request: Head "https://registry.example.com/v2/shop/web/manifests/1.4": dial tcp: lookup registry.example.com: no such host'}}`),
			class: v1alpha1.CauseImage, says: cannot + "the registry cannot be reached",
		},
		"the registry does not answer a young pod": {
			pods: `
- metadata: {name: web-1, creationTimestamp: "2026-11-22T10:00:50Z"}
  status:
    containerStatuses:
    - {name: web, state: {waiting: {reason: ErrImagePull, message: 'failed to do request: dial tcp 192.0.2.1:443: i/o timeout'}}}`,
			later: 20 * time.Second,
		},
		"the certificate is not trusted": {
			pods:  podWith(`state: {waiting: {reason: ErrImagePull, message: 'failed to do request: tls: failed to verify certificate: x509: certificate signed by unknown authority'}}`),
			class: v1alpha1.CauseImage, says: cannot + "the node does not trust the registry's certificate",
		},
		"the image is for another architecture": {
			pods:  podWith(`state: {waiting: {reason: ErrImagePull, message: 'rpc error: code = NotFound desc = failed to pull and unpack image "registry.example.com/shop/web:1.4": no match for platform in manifest: not found'}}`),
			class: v1alpha1.CauseImage, says: cannot + "it was not built for the node's architecture",
		},
		"the reason is unheard of": {
			pods:  podWith(`state: {waiting: {reason: ErrImagePull, message: 'rpc error: code = Unknown desc = the blob is haunted'}}`),
			class: v1alpha1.CauseImage, says: cannot + "the pull failed: the blob is haunted",
		},
		"an init container's image": {
			pods: `
- metadata: {name: web-1}
  spec:
    initContainers: [{name: fetch, image: "registry.example.com/fetch:2"}]
    containers: [{name: web, image: "registry.example.com/shop/web:1.4"}]
  status:
    initContainerStatuses: [{name: fetch, state: {waiting: {reason: ErrImagePull, message: "manifest unknown"}}}]
    containerStatuses: [{name: web, state: {waiting: {reason: PodInitializing}}}]`,
			class: v1alpha1.CauseImage, says: "image registry.example.com/fetch:2 of init container fetch of pod web-1 cannot be pulled: the registry has no such image",
		},
	})
}

func TestContainersThatDoNotStart(t *testing.T) {
	t.Parallel()
	checkPods(t, map[string]telling{
		"a secret is missing": {
			pods:  podWith(`state: {waiting: {reason: CreateContainerConfigError, message: 'secret "db-login" not found'}}`),
			class: v1alpha1.CauseConfig, says: `container web of pod web-1 cannot be started: secret "db-login" not found`,
		},
		"the command does not exist": {
			pods:  podWith(`state: {waiting: {reason: RunContainerError, message: 'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: "/bin/serve": stat /bin/serve: no such file or directory: unknown'}}`),
			class: v1alpha1.CauseConfig, says: `container web of pod web-1 cannot be started: exec: "/bin/serve": stat /bin/serve: no such file or directory`,
		},
		"the command does not exist and the kubelet backs off": {
			pods:  podWith(`restartCount: 1, state: {waiting: {reason: CrashLoopBackOff, message: back-off 10s}}, lastState: {terminated: {exitCode: 128, reason: StartError, message: 'failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: error during container init: exec: "serve": executable file not found in $PATH: unknown'}}`),
			class: v1alpha1.CauseConfig, says: `container web of pod web-1 cannot be started: exec: "serve": executable file not found in $PATH`,
		},
		"the kubelet gives no reason": {
			pods:  podWith(`state: {waiting: {reason: CreateContainerError}}`),
			class: v1alpha1.CauseConfig, says: "container web of pod web-1 cannot be started: the node gives no reason",
		},
	})
}

func TestContainersThatDie(t *testing.T) {
	t.Parallel()
	previous := &health.Evidence{Pod: "web-1", Container: "web", Previous: true}
	present := &health.Evidence{Pod: "web-1", Container: "web"}
	checkPods(t, map[string]telling{
		"a crash loop": {
			pods:  podWith(`restartCount: 2, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, reason: Error}}`),
			class: v1alpha1.CauseCrashLoop, says: "container web of pod web-1 ends with exit code 1 every time (2 restarts)", evidence: previous,
		},
		"a crash loop that left a message": {
			pods:  podWith(`restartCount: 4, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 2, reason: Error, message: "no such database.\n"}}`),
			class: v1alpha1.CauseCrashLoop, says: "container web of pod web-1 ends with exit code 2 every time (4 restarts): no such database", evidence: previous,
		},
		"the third crash, before the kubelet backs off": {
			pods:  podWith(`restartCount: 2, state: {terminated: {exitCode: 1, reason: Error}}`),
			class: v1alpha1.CauseCrashLoop, says: "container web of pod web-1 ends with exit code 1 every time (2 restarts)", evidence: present,
		},
		"a service that ends without an error": {
			pods:  podWith(`restartCount: 3, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 0, reason: Completed}}`),
			class: v1alpha1.CauseCrashLoop, says: "container web of pod web-1 ends with exit code 0 every time (3 restarts)", evidence: previous,
		},
		"a crash loop at its next try": {
			pods:  podWith(`restartCount: 2, state: {running: {startedAt: "2026-11-22T10:00:55Z"}}, lastState: {terminated: {exitCode: 1, reason: Error}}`),
			class: v1alpha1.CauseCrashLoop, says: "container web of pod web-1 ends with exit code 1 every time (2 restarts)", evidence: previous,
		},
		"a crash loop that seems to be over": {
			pods: podWith(`restartCount: 2, state: {running: {startedAt: "2026-11-22T10:00:45Z"}}, lastState: {terminated: {exitCode: 1, reason: Error}}`),
		},
		"the first crash is not a loop": {
			pods: podWith(`restartCount: 1, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 1, reason: Error}}`),
		},
		"it crashed before and serves now": {
			pods: podWith(`ready: true, restartCount: 7, state: {running: {}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}`),
		},
		"out of memory": {
			pods: `
- metadata: {name: web-1}
  spec: {containers: [{name: web, image: web, resources: {limits: {memory: 64Mi}}}]}
  status:
    containerStatuses: [{name: web, restartCount: 1, state: {running: {}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}}]`,
			class: v1alpha1.CauseOutOfMemory, says: "container web of pod web-1 was killed because it used more memory than its limit of 64Mi (1 restart)", evidence: previous,
		},
		"an init container": {
			pods: `
- metadata: {name: web-1}
  spec: {initContainers: [{name: wait, image: wait}], containers: [{name: web, image: web}]}
  status:
    initContainerStatuses: [{name: wait, restartCount: 2, state: {waiting: {reason: CrashLoopBackOff}}, lastState: {terminated: {exitCode: 3}}}]
    containerStatuses: [{name: web, state: {waiting: {reason: PodInitializing}}}]`,
			class: v1alpha1.CauseCrashLoop, says: "init container wait of pod web-1 ends with exit code 3 every time (2 restarts)",
			evidence: &health.Evidence{Pod: "web-1", Container: "wait", Previous: true},
		},
		"an init container that is done": {
			pods: `
- metadata: {name: web-1}
  spec: {initContainers: [{name: wait, image: wait}], containers: [{name: web, image: web}]}
  status:
    initContainerStatuses: [{name: wait, ready: true, restartCount: 3, state: {terminated: {exitCode: 0, reason: Completed}}, lastState: {terminated: {exitCode: 137, reason: OOMKilled}}}]
    containerStatuses: [{name: web, state: {running: {}}}]`,
		},
	})
}
