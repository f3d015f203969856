//go:build e2e

package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// A product of every template that the catalog offers comes up as it is shipped, but for its
// images: the stores of the local cluster, and a server of HTTP as the team's own.
func TestTheSampleOfTheCatalogComesUp(t *testing.T) {
	t.Parallel()
	needsNode(t, "no container answers")
	l, m := machineLab(t)
	before := m.ask(leftovers)
	m.add("rack1")
	app := l.server()
	here := strings.NewReplacer(
		"team-a", l.name, "class: catalog-sample", "class: "+l.name+"\n  serviceAccountName: "+account, "name: catalog-sample", "name: shop", "product: catalog-sample", "product: shop",
		"registry.example.com/shop/api:1.2", app, "registry.example.com/shop/mailer:1.2", app, "registry.example.com/shop/cleanup:1.2", app, "registry.example.com/shop/agent:1.2", app,
		"postgres:17", l.image("postgres:15"), "redis:7", l.image("redis:7"),
	)
	templates, err := filepath.Glob(filepath.Join(root, "catalog", "templates", "*.yaml"))
	l.must(err)
	for _, path := range append(templates, filepath.Join(root, "catalog", "sample", "product.yaml"), filepath.Join(root, "catalog", "sample", "environment.yaml")) {
		text, err := os.ReadFile(path)
		l.must(err)
		if _, err := l.tool(here.Replace(string(text)), "kubectl", "apply", "-n", l.name, "-f", "-"); err != nil {
			t.Fatalf("%s is not taken: %v", path, err)
		}
	}

	status := l.reaches("shop", v1alpha1.PhaseReady, 1).Status
	if len(status.Services) != len(templates) {
		t.Errorf("there are %d services of %d templates", len(status.Services), len(templates))
	}
	for asked, want := range map[string]string{
		"api -- sh -c 'echo ${DATABASE#*:} ${#DATABASE_PASSWORD}'":                                                        "5432 32\n",
		`api -- sh -c 'printf "PING\r\nQUIT\r\n" | nc ${CACHE%:*} ${CACHE#*:} | tr -d "\r"'`:                              "+PONG\n+OK\n",
		"database -- sh -c 'PGPASSWORD=$POSTGRES_PASSWORD psql -h $HOSTNAME -U app -d app -Atc \"show max_connections\"'": "100\n",
		"cache -- redis-cli config get maxmemory-policy":                                                                  "maxmemory-policy\nallkeys-lru\n",
		"mailer -- sh -c 'echo $LOG_LEVEL $CONCURRENCY'":                                                                  "info 4\n",
		"agent -- sh -c 'touch /data/mine && wget -q -O - http://127.0.0.1:$PORT/healthz'":                                "ok\n",
	} {
		out, err := l.tool("", "bash", "-c", "spock env exec shop -n "+l.name+" "+asked)
		if err != nil || out != want {
			t.Errorf("spock env exec shop %s: %q, %v, want %q", asked, out, err, want)
		}
	}
	l.runsNow("cleanup")
	l.isTakenAway(m, before)
}

// server pushes an image of a team's own program: it serves HTTP at $PORT, or 8080, and in
// a job it ends.
func (l *lab) server() string {
	l.Helper()
	base, err := name.ParseReference(l.setting(l.T, "REGISTRY") + "/busybox:1")
	l.must(err)
	image, err := remote.Image(base, remote.WithContext(l.ctx))
	l.must(err)
	file, err := image.ConfigFile()
	l.must(err)
	config := file.Config
	config.Entrypoint, config.Cmd = []string{"sh", "-c", `case $HOSTNAME in cleanup-*) echo cleaned; exit;; esac; mkdir -p /tmp/www; echo ok > /tmp/www/healthz; exec httpd -f -p "${PORT:-8080}" -h /tmp/www`}, nil
	image, err = mutate.Config(image, config)
	l.must(err)
	tag, err := name.ParseReference(l.setting(l.T, "REGISTRY") + "/" + l.name + "/server:1")
	l.must(err)
	l.must(remote.Write(tag, image, remote.WithContext(l.ctx)))
	return l.image(l.name + "/server:1")
}

// runsNow starts the job of a CronJob, as a person would who does not wait for its hour.
func (l *lab) runsNow(cron string) {
	l.Helper()
	script := "kubectl create job -n $0 " + cron + "-now --from=cronjob/" + cron + " && kubectl wait -n $0 --for=condition=Complete job/" + cron + "-now --timeout=60s && kubectl logs -n $0 job/" + cron + "-now"
	if out, err := l.tool("", "bash", "-c", script, l.home("shop")); err != nil || !strings.HasSuffix(out, "cleaned\n") {
		l.Errorf("the job of %s says %q, %v", cron, out, err)
	}
}
