package main

import (
	"bufio"
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

const secret = "a secret of enough length"

// fakeCluster keeps PipelineRuns as an API server does: a name once.
type fakeCluster struct {
	mu    sync.Mutex
	kept  map[string]bool
	twice int
	// half is closed when halfway are kept. What comes then is not answered before its
	// sender is gone, until revived is closed.
	half, revived chan struct{}
	halfway       int
	isHalf        bool
}

func (f *fakeCluster) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	var run struct {
		Metadata struct{ Name, Namespace string }
	}
	raw, _ := io.ReadAll(r.Body)
	if r.Method != http.MethodPost || r.URL.Path != "/apis/tekton.dev/v1/namespaces/team-a/pipelineruns" || json.Unmarshal(raw, &run) != nil || run.Metadata.Name == "" {
		http.Error(w, "not found", http.StatusNotFound)
		return
	}
	if f.stuck() {
		select {
		case <-r.Context().Done():
			return
		case <-f.revived:
		}
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	if f.kept[run.Metadata.Name] {
		f.twice++
		w.WriteHeader(http.StatusConflict)
		fmt.Fprint(w, `{"kind":"Status","apiVersion":"v1","status":"Failure","reason":"AlreadyExists","code":409}`)
		return
	}
	f.kept[run.Metadata.Name] = true
	if len(f.kept) == f.halfway && !f.isHalf {
		f.isHalf = true
		close(f.half)
	}
	w.WriteHeader(http.StatusCreated)
	_, _ = w.Write(raw)
}

func (f *fakeCluster) stuck() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.isHalf
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

// start runs the program until it listens, and returns where.
func start(t *testing.T, program, directory string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), program, "--config", directory, "--secret", filepath.Join(directory, "secret"),
		"--namespace", "team-a", "--address", "127.0.0.1:0", "--metrics-address", "127.0.0.1:0")
	cmd.Env = append(os.Environ(), "KUBECONFIG="+filepath.Join(directory, "kubeconfig"))
	log, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(log)
	line, err := lines.ReadBytes('\n')
	var said struct{ At []string }
	if err != nil || json.Unmarshal(line, &said) != nil || len(said.At) != 2 {
		t.Fatalf("the program says %q, %v", line, err)
	}
	go func() { _, _ = io.Copy(io.Discard, lines) }()
	answer, err := http.Get("http://" + said.At[1] + "/healthz")
	if err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("it is not well: %v, %v", answer, err)
	}
	answer.Body.Close()
	return cmd, said.At[0]
}

// deliver returns the status of an answer, or 0 when there was none.
func deliver(address string, commit int) int {
	body := fmt.Sprintf(`{"ref":"refs/heads/main","after":"%040x","repository":{"full_name":"team-a/shop","pushed_at":%d}}`, commit, time.Now().Unix()/3600*3600)
	mac := hmac.New(sha256.New, []byte(secret))
	mac.Write([]byte(body))
	r, err := http.NewRequest(http.MethodPost, "http://"+address, bytes.NewReader([]byte(body)))
	if err != nil {
		return 0
	}
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("X-GitHub-Event", "push")
	r.Header.Set("X-Hub-Signature-256", "sha256="+hex.EncodeToString(mac.Sum(nil)))
	answer, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0
	}
	answer.Body.Close()
	return answer.StatusCode
}

// deliverAll returns which deliveries were told 202.
func deliverAll(address string, count int, done func()) map[int]bool {
	var mu sync.Mutex
	var group sync.WaitGroup
	told, slots := map[int]bool{}, make(chan struct{}, 20)
	for i := range count {
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			if deliver(address, i) == http.StatusAccepted {
				mu.Lock()
				told[i] = true
				mu.Unlock()
			}
		})
	}
	group.Wait()
	done()
	return told
}

// The program is killed amid 200 deliveries. All that were told 202 are there; sent again,
// all are there, each once.
func TestKilledAmidDeliveries(t *testing.T) {
	t.Parallel()
	const deliveries = 200
	cluster := &fakeCluster{kept: map[string]bool{}, half: make(chan struct{}), revived: make(chan struct{}), halfway: deliveries / 2}
	server := httptest.NewServer(cluster)
	defer server.Close()
	directory := t.TempDir()
	program := filepath.Join(directory, "event-door")
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".").CombinedOutput(); err != nil {
		t.Fatalf("build the program: %v\n%s", err, out)
	}
	write(t, filepath.Join(directory, "secret"), secret)
	write(t, filepath.Join(directory, "config.yaml"), "{source: github, repositories: [team-a/shop]}")
	write(t, filepath.Join(directory, "integrate.yaml"), "{apiVersion: tekton.dev/v1, kind: PipelineRun, spec: {pipelineRef: {name: p}}}")
	write(t, filepath.Join(directory, "kubeconfig"), fmt.Sprintf(`{apiVersion: v1, kind: Config, current-context: c, contexts: [{name: c, context: {cluster: c, user: u}}],
		clusters: [{name: c, cluster: {server: %q}}], users: [{name: u, user: {}}]}`, server.URL))

	first, address := start(t, program, directory)
	killed := make(chan struct{})
	go func() {
		defer close(killed)
		<-cluster.half
		_ = first.Process.Kill()
		_ = first.Wait()
	}()
	told := deliverAll(address, deliveries, func() { <-killed })
	if len(told) == deliveries || len(told) > len(cluster.kept) {
		t.Fatalf("%d of %d deliveries were told 202, %d are kept", len(told), deliveries, len(cluster.kept))
	}
	close(cluster.revived)
	second, address := start(t, program, directory)
	again := deliverAll(address, deliveries, func() {})
	if len(again) != deliveries || len(cluster.kept) != deliveries || cluster.twice < len(told) {
		t.Errorf("%d told 202 and %d kept of %d; %d were there already, of which %d had been told", len(again), len(cluster.kept), deliveries, cluster.twice, len(told))
	}
	if err := second.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := second.Wait(); err != nil {
		t.Errorf("asked to end: %v", err)
	}
	t.Logf("killed with %d of %d deliveries told 202", len(told), deliveries)
}
