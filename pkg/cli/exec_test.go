package cli

import (
	"context"
	"fmt"
	"testing"

	corev1 "k8s.io/api/core/v1"
)

func TestExec(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		args []string
		pod  bool
	}{
		"exec":         {[]string{"web", "--", "cat", "/etc/hosts"}, true},
		"exec-code":    {[]string{"web", "--", "false"}, true},
		"exec-host":    {[]string{"postgres", "--", "psql", "-U", "shop"}, false},
		"exec-failed":  {[]string{"postgres", "--", "false"}, false},
		"exec-nowhere": {[]string{"orders", "--", "true"}, false},
		"exec-unknown": {[]string{"ordres", "--", "true"}, false},
		"exec-dash":    {[]string{"web", "true", "false"}, true},
		"exec-tty":     {[]string{"web", "-t", "--", "sh"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, environment("shop", ready), aHost("db1", reachable))
			w.holds(t, "db1-ssh")
			w.machines = &fakeMachines{}
			if c.pod {
				p := pod("web", "web-1")
				p.Spec.Containers = []corev1.Container{{Name: "app"}}
				p.Status.Conditions = []corev1.PodCondition{{Type: corev1.PodReady, Status: corev1.ConditionTrue}}
				if err := w.kube.Tracker().Add(p); err != nil {
					t.Fatal(err)
				}
			}
			w.exec = func(_ context.Context, pod *corev1.Pod, want PodCommand) (int, error) {
				fmt.Fprintf(want.Stdout, "%s runs %q\n", pod.Name, want.Command)
				if want.Command[0] == "false" {
					return 3, nil
				}
				return 0, nil
			}
			w.run(append([]string{"env", "exec", "shop"}, c.args...)...).golden(t, name)
		})
	}
}
