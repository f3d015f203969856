//go:build e2e

package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func TestABrokenServiceIsNamedWithItsCause(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		template *v1alpha1.ServiceTemplate
		image    string
		class    v1alpha1.CauseClass
		sentence []string
		hint     string
		log      string
		slow     bool // shown when a clock has run out
		runs     bool // shown by a process that runs
	}{
		"an image that nobody pushed": {
			template: idle(), image: "nowhere:1",
			class:    v1alpha1.CauseImage,
			sentence: []string{"nowhere:1", "cannot be pulled: the registry has no such image"},
			hint:     "check the image's name and tag or digest, and that the build pushed it",
		},
		"a process that ends every time": {
			template: crash(), image: "busybox:1", runs: true,
			class:    v1alpha1.CauseCrashLoop,
			sentence: []string{"broken", "ends with exit code 3 every time"},
			hint:     "read its last log lines, correct the cause and deploy again",
			log:      "cannot open the ledger",
		},
		"a pod that no node takes": {
			template: selective(), image: "busybox:1",
			class:    v1alpha1.CauseUnschedulable,
			sentence: []string{"no node takes pod broken-", "does not match its node selector disk=quantum"},
			hint:     "correct the node selector of the template, or label a node so that it matches",
		},
		"a pod that asks for more than there is": {
			template: greedy(), image: "busybox:1",
			class:    v1alpha1.CauseUnschedulable,
			sentence: []string{"no node takes pod broken-", "too little free cpu (it asks for 900)", "the largest node, ", " of cpu in all"},
			hint:     "ask for less, stop an environment that nobody uses, or add a node",
		},
		"a page that its probe does not find": {
			template: lost(), image: "busybox:1", slow: true, runs: true,
			class:    v1alpha1.CauseProbe,
			sentence: []string{"no progress for 15s", "its readiness probe has not succeeded", "Readiness probe failed: HTTP probe failed with statuscode: 404"},
			hint:     "read its log, and check that it listens on the port and path that the probe asks",
		},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if tc.runs {
				needsNode(t, "this one would show it")
			}
			l := newLab(t, func(class *v1alpha1.EnvironmentClassSpec) {
				if tc.slow {
					class.NoProgressSeconds = 15
				}
			})
			broken := l.service("broken", tc.template.Name)
			broken.Image = l.image(tc.image)
			l.create(page(), tc.template, l.shop(l.service("db", "page"), broken, l.service("web", "page")))
			run := l.deploy("shop", "shop")
			if tc.slow {
				l.troubled("shop", "broken", tc.class)
			}
			end := l.ended(run)
			if !end.IsFalse() || end.Reason != "Failed" {
				t.Errorf("the CustomRun ended %s %s", end.Status, end.Reason)
			}
			env := l.reaches("shop", v1alpha1.PhaseFailed, 1)
			cause := env.Status.Service("broken").Cause
			if cause == nil || cause.Class != tc.class || cause.Hint != tc.hint || !strings.Contains(cause.Log, tc.log) {
				t.Fatalf("the cause is %+v, want class %s, hint %q, log with %q", cause, tc.class, tc.hint, tc.log)
			}
			why := l.spockCommand("env", "why", "shop", "-n", l.name)
			wanted := append(slices.Clone(tc.sentence), string(tc.class), "service broken failed", "1 service blocked by it", tc.hint)
			for where, text := range map[string]string{"CustomRun's message": end.Message, "Environment's message": env.Status.Message + tc.hint, "answer of spock env why": why} {
				for _, want := range wanted {
					if !strings.Contains(text, want) {
						t.Errorf("the %s lacks %q:\n%s", where, want, text)
					}
				}
			}
			if blocked := env.Status.Service("web"); blocked.State != v1alpha1.ServiceBlocked || !strings.Contains(why, "frontend/web is blocked by broken") {
				t.Errorf("web is %s, waiting for %v; why says:\n%s", blocked.State, blocked.WaitingFor, why)
			}
			if !strings.Contains(why, tc.log) {
				t.Errorf("why lacks the log %q:\n%s", tc.log, why)
			}
		})
	}
}

// troubled waits until a service that may still become ready is told with what keeps it
// from being so.
func (l *lab) troubled(environment, service string, class v1alpha1.CauseClass) {
	l.Helper()
	await(l, l.environmentRef(environment), 2*soon, service+" is progressing with the cause "+string(class), func(env *v1alpha1.Environment) bool {
		if env == nil || env.Status.Service(service) == nil {
			return false
		}
		s := env.Status.Service(service)
		return s.State == v1alpha1.ServiceProgressing && s.Cause != nil && s.Cause.Class == class && s.Cause.Answer != ""
	})
}

// crash is a template whose process ends before it can serve.
func crash() *v1alpha1.ServiceTemplate {
	t := shell("crash", "echo cannot open the ledger >&2\nexit 3")
	t.Spec.Ports = []v1alpha1.Port{{Name: "http", Port: 8080}}
	t.Spec.Readiness = &v1alpha1.Readiness{TCP: &v1alpha1.TCPProbe{}}
	return t
}

// lost is a template whose probe asks for a page that is not there.
func lost() *v1alpha1.ServiceTemplate {
	t := page()
	t.Name = "lost"
	t.Spec.Readiness.HTTP.Path = "/health"
	return t
}

// selective is a template that asks for a node that does not exist.
func selective() *v1alpha1.ServiceTemplate {
	t := shell("selective", "exit 0")
	t.Spec.Container.NodeSelector = map[string]string{"disk": "quantum"}
	return t
}

// greedy is a template that asks for a node larger than any.
func greedy() *v1alpha1.ServiceTemplate {
	t := shell("greedy", "exit 0")
	t.Spec.Container.Resources.Requests = corev1.ResourceList{corev1.ResourceCPU: resource.MustParse("900")}
	return t
}

// commandLine is the path of the spock command: the one that make built, or one of ours.
var commandLine = sync.OnceValues(func() (string, error) {
	built, err := filepath.Abs("../../bin/spock")
	if err != nil {
		return "", err
	}
	if _, err := os.Stat(built); err == nil {
		return built, nil
	}
	dir, err := os.MkdirTemp("", "spock-e2e-")
	if err != nil {
		return "", err
	}
	path := filepath.Join(dir, "spock")
	build := exec.Command("go", "build", "-trimpath", "-o", path, "spock.dev/spock/cmd/spock")
	build.Stderr = os.Stderr
	return path, build.Run()
})

// spockCommand runs the command line and returns what it prints.
func (l *lab) spockCommand(args ...string) string {
	l.Helper()
	path, err := commandLine()
	l.must(err)
	cmd := exec.CommandContext(l.ctx, path, args...)
	cmd.Env = append(os.Environ(), "KUBECONFIG="+l.kubeconfig, "NO_COLOR=1")
	out, err := cmd.CombinedOutput()
	if err != nil {
		l.Fatalf("spock %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return string(out)
}
