//go:build e2e

package e2e

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	tektonv1 "github.com/tektoncd/pipeline/pkg/apis/pipeline/v1"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	networkingv1 "k8s.io/api/networking/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/uuid"
	"k8s.io/utils/ptr"
	"sigs.k8s.io/yaml"
)

// door takes the events of one source. It is installed as docs/triggers.md says, and
// reached through the cluster's ingress.
type door struct {
	*lab
	source, host string
	secret       []byte
	client       *http.Client
}

// openDoor follows the page's commands in the lab's namespace, with the config that is
// shipped; replace puts in what a team would change of it.
func (l *lab) openDoor(source string, replace ...string) *door {
	l.Helper()
	l.setting(l.T, "INGRESS_PORT")
	here := []string{
		"team-a", l.name, "spock-events-github", "spock-events-" + source, "triggers/github/github.yaml", "triggers/" + source + "/" + source + ".yaml",
		"triggers/github/config", l.config(source, replace...),
	}
	l.followPage("## Install", strings.NewReplacer(here...))
	name := "spock-events-" + source
	await(l, ref{deployments, l.name, name}, 2*soon, "the door stands", func(d *appsv1.Deployment) bool {
		return d != nil && d.Status.ObservedGeneration == d.Generation && d.Status.AvailableReplicas == *d.Spec.Replicas && d.Status.UpdatedReplicas == *d.Spec.Replicas
	})
	kept, err := l.kube.CoreV1().Secrets(l.name).Get(l.ctx, name, metav1.GetOptions{})
	l.must(err)
	d := &door{lab: l, source: source, host: source + "." + l.name + ".localhost", secret: kept.Data["secret"], client: l.throughIngress()}
	l.expose(name, d.host, "events")
	l.eventually(soon, func(ctx context.Context) string {
		if code, text := d.post(ctx, []byte("{}"), nil); code != http.StatusUnauthorized {
			return fmt.Sprintf("the door answers %d: %s", code, text)
		}
		return ""
	})
	return d
}

// block is the first of a kind, yaml or sh, under a heading of a page of the documentation.
func (l *lab) block(page, heading, kind string) string {
	l.Helper()
	text, err := os.ReadFile(filepath.Join(root, "docs", page))
	l.must(err)
	_, part, _ := strings.Cut(string(text), heading+"\n")
	part, _, _ = strings.Cut(part, "\n## ")
	for _, block := range fence.FindAllStringSubmatch(part, -1) {
		if block[1] == kind {
			return block[2]
		}
	}
	l.Fatalf("%s has no %s under %s", page, kind, heading)
	return ""
}

// followPage runs the first commands under a heading of docs/triggers.md.
func (l *lab) followPage(heading string, here *strings.Replacer, env ...string) {
	l.Helper()
	registry := l.setting(l.T, "REGISTRY")
	script := "set -eo pipefail; export PATH=$PWD/bin/tools:$PATH KO_DOCKER_REPO=" + registry + "/spock KO_DEFAULTBASEIMAGE=" + registry + "/static:nonroot " + strings.Join(env, " ") + "\n"
	_, err := l.tool("", "bash", "-c", script+here.Replace(l.block("triggers.md", heading, "sh")))
	l.must(err)
}

// config is a copy of the config that is shipped, with changes.
func (l *lab) config(source string, replace ...string) string {
	l.Helper()
	dir := l.TempDir()
	files, err := filepath.Glob(filepath.Join(root, "triggers", source, "config", "*.yaml"))
	l.must(err)
	here := strings.NewReplacer(replace...)
	for _, path := range files {
		raw, err := os.ReadFile(path)
		l.must(err)
		l.must(os.WriteFile(filepath.Join(dir, filepath.Base(path)), []byte(here.Replace(string(raw))), 0o600))
	}
	return dir
}

// throughIngress is a client that reaches the ingress for every name.
func (l *lab) throughIngress() *http.Client {
	to := net.JoinHostPort("127.0.0.1", l.settings["INGRESS_PORT"])
	client := &http.Client{Timeout: 20 * time.Second, Transport: &http.Transport{
		MaxIdleConnsPerHost: 20,
		DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, to)
		},
	}}
	l.Cleanup(client.CloseIdleConnections)
	return client
}

// expose makes a Service of the lab reachable by a name.
func (l *lab) expose(service, host, port string) {
	l.Helper()
	_, err := l.kube.NetworkingV1().Ingresses(l.name).Create(l.ctx, &networkingv1.Ingress{
		ObjectMeta: metav1.ObjectMeta{Name: service},
		Spec: networkingv1.IngressSpec{Rules: []networkingv1.IngressRule{{Host: host, IngressRuleValue: networkingv1.IngressRuleValue{
			HTTP: &networkingv1.HTTPIngressRuleValue{Paths: []networkingv1.HTTPIngressPath{{
				Path: "/", PathType: ptr.To(networkingv1.PathTypePrefix),
				Backend: networkingv1.IngressBackend{Service: &networkingv1.IngressServiceBackend{Name: service, Port: networkingv1.ServiceBackendPort{Name: port}}},
			}}},
		}}}},
	}, metav1.CreateOptions{})
	l.must(err)
}

// post sends a body as it is; 0 when there was no answer.
func (d *door) post(ctx context.Context, body []byte, header map[string]string) (int, string) {
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+d.host+"/", bytes.NewReader(body))
	if err != nil {
		return 0, err.Error()
	}
	r.Header.Set("Content-Type", "application/json")
	for name, value := range header {
		r.Header.Set(name, value)
	}
	answer, err := d.client.Do(r)
	if err != nil {
		return 0, err.Error()
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		return 0, err.Error()
	}
	return answer.StatusCode, strings.TrimSpace(string(text))
}

// headers are those of the sender: signed, and with a number that is new each time.
func (d *door) headers(kind string, body []byte) map[string]string {
	mac := hmac.New(sha256.New, d.secret)
	mac.Write(body)
	signature, number := "sha256="+hex.EncodeToString(mac.Sum(nil)), string(uuid.NewUUID())
	if d.source == "jira" {
		return map[string]string{"X-Hub-Signature": signature, "X-Atlassian-Webhook-Identifier": number}
	}
	return map[string]string{"X-Hub-Signature-256": signature, "X-GitHub-Event": kind, "X-GitHub-Delivery": number}
}

// sends delivers an event and wants an answer.
func (d *door) sends(kind string, event any, want int, says string) {
	d.Helper()
	body, err := json.Marshal(event)
	d.must(err)
	if code, text := d.post(d.ctx, body, d.headers(kind, body)); code != want || !strings.Contains(text, says) {
		d.Fatalf("%s is answered %d: %s; want %d with %q", kind, code, text, want, says)
	}
}

// asks delivers an event that asks for a run, and returns the run.
func (d *door) asks(kind string, event any) *tektonv1.PipelineRun {
	d.Helper()
	body, err := json.Marshal(event)
	d.must(err)
	code, text := d.post(d.ctx, body, d.headers(kind, body))
	if code != http.StatusAccepted {
		d.Fatalf("%s is answered %d: %s", kind, code, text)
	}
	name := strings.Fields(strings.TrimPrefix(text, "run "))[0]
	run, err := d.tekton.TektonV1().PipelineRuns(d.name).Get(d.ctx, name, metav1.GetOptions{})
	if err != nil {
		d.Fatalf("%s was told %q: %v", kind, text, err)
	}
	return run
}

// given are the params of a run.
func given(run *tektonv1.PipelineRun) map[string]string {
	all := map[string]string{}
	for _, p := range run.Spec.Params {
		all[p.Name] = p.Value.StringVal
	}
	return all
}

// runsAre counts the runs in the lab.
func (d *door) runsAre(want int) {
	d.Helper()
	list, err := d.tekton.TektonV1().PipelineRuns(d.name).List(d.ctx, metav1.ListOptions{})
	d.must(err)
	if len(list.Items) != want {
		d.Errorf("there are %d runs, want %d", len(list.Items), want)
	}
}

// pods are the door's.
func (d *door) pods() []corev1.Pod {
	d.Helper()
	list, err := d.kube.CoreV1().Pods(d.name).List(d.ctx, metav1.ListOptions{LabelSelector: "app.kubernetes.io/name=spock-events-" + d.source})
	d.must(err)
	return list.Items
}

// endsWell waits for a run.
func (l *lab) endsWell(run *tektonv1.PipelineRun, within time.Duration) *tektonv1.PipelineRun {
	l.Helper()
	run = await(l, ref{pipelineRuns, l.name, run.Name}, within, "done", func(run *tektonv1.PipelineRun) bool { return run != nil && run.IsDone() })
	if done := run.Status.GetCondition("Succeeded"); !done.IsTrue() {
		logs, _ := l.tool("", "tkn", "pipelinerun", "logs", "-n", l.name, run.Name)
		text, _ := yaml.Marshal(run.Status)
		l.Fatalf("%s: %s: %s\n%s\n%s", run.Name, done.Reason, done.Message, logs, text)
	}
	return run
}
