package main

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// settings say which cluster, and what it is called there. For the local cluster they
// come from .cluster/env; for another one from the environment.
type settings struct {
	root string // of the repository
	bin  string // folder with spock, ko and, for the local cluster, kubectl and tkn

	kubeconfig string
	simulated  bool   // no container runs there
	push       string // repository prefix that the machine pushes to
	pull       string // the same as pods and the kubelet call it
	staticBase string // base of our own binaries
	toolbox    string // base with git and Go
	builder    string // base with buildah; the Task that needs it is left out when empty
	servers    string // prefix of the images of PostgreSQL and Redis; empty for the public ones
	insecure   bool   // the registry speaks plain HTTP
	machines   bool   // machines can be booted beside it
	goproxy    string // for builds inside the cluster; empty for Go's default
	domain     string // domain of the class dev, with port if any
	dial       string // host:port to reach the ingress at from here; empty to use DNS
}

func load() (settings, error) {
	root, err := os.Getwd()
	if err != nil {
		return settings{}, fmt.Errorf("find the repository: %w", err)
	}
	s := settings{root: root, bin: filepath.Join(root, "bin")}
	if os.Getenv("CLUSTER") == "current" {
		return s, s.current()
	}
	return s, s.local()
}

func (s *settings) local() error {
	env, err := readEnv(filepath.Join(s.root, ".cluster", "env"))
	if err != nil {
		return fmt.Errorf("read the local cluster's settings (is it up? make cluster): %w", err)
	}
	s.kubeconfig = env["KUBECONFIG"]
	if s.simulated = env["SIMULATED"] == "true"; s.simulated {
		s.pull, s.servers, s.domain = env["POD_REGISTRY"], env["POD_REGISTRY"]+"/", "dev."+env["DOMAIN"]
		return nil
	}
	s.push, s.pull = env["REGISTRY"], "registry.localhost:5000"
	s.staticBase, s.toolbox, s.builder = s.push+"/static:nonroot", s.push+"/toolbox:1", s.push+"/builder:1"
	s.servers, s.insecure, s.machines = s.pull+"/", true, true
	s.goproxy = env["GOPROXY_URL"]
	s.domain = "dev.localhost:" + env["INGRESS_PORT"]
	s.dial = "127.0.0.1:" + env["INGRESS_PORT"]
	return nil
}

// current reads what only the owner of a cluster knows.
func (s *settings) current() error {
	var missing []string
	need := func(name, what string) string {
		v := os.Getenv(name)
		if v == "" {
			missing = append(missing, fmt.Sprintf("%s (%s)", name, what))
		}
		return v
	}
	s.push = need("IMAGE_REPO", "where images are pushed to from here and pulled from there")
	s.pull = s.push
	s.toolbox = need("TOOLBOX_IMAGE", "an image with git, Go and a shell")
	s.staticBase = need("BASE_IMAGE", "a static base image for our binaries")
	s.domain = need("DOMAIN", "a domain whose names reach the cluster's ingress")
	s.builder, s.servers, s.insecure = os.Getenv("BUILDER_IMAGE"), os.Getenv("SERVER_IMAGES"), os.Getenv("INSECURE_REGISTRY") == "true"
	s.goproxy, s.dial = os.Getenv("GOPROXY_URL"), os.Getenv("INGRESS")
	if len(missing) > 0 {
		return fmt.Errorf("CLUSTER=current needs these variables: %s; see docs/install.md", strings.Join(missing, ", "))
	}
	return nil
}

func readEnv(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	env := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		if key, value, ok := strings.Cut(lines.Text(), "="); ok {
			env[key] = value
		}
	}
	return env, lines.Err()
}
