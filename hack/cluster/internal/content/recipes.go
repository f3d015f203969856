package content

import (
	_ "embed"
	"fmt"
	"os/exec"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"spock.dev/spock/hack/cluster/internal/debian"
	"spock.dev/spock/hack/cluster/internal/host"
	"spock.dev/spock/hack/cluster/internal/images"
)

//go:embed postgres.sh
var postgresScript string

const (
	searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	nonroot    = "65532"
)

// steps are the building blocks that several images share.
type steps struct{ static, user, debian, tools, builder, golang layer }

func (m *maker) recipes() ([]recipe, error) {
	shared, err := m.shared()
	if err != nil {
		return nil, err
	}
	out := []recipe{
		{ref: Pause, store: true, layers: []layer{m.program("pause", "pause", "pause")}, config: func(i *images.Image) {
			i.Config = v1.Config{Entrypoint: []string{"/pause"}, User: "65535:65535"}
		}},
		{ref: Ingress, store: true, layers: []layer{shared.static, m.program("skipper", "skipper", "usr/bin/skipper")}, config: func(i *images.Image) {
			i.Config = v1.Config{Entrypoint: []string{"/usr/bin/skipper"}, User: nonroot, Env: []string{searchPath}}
		}},
		{ref: PodRegistry + "static:nonroot", layers: []layer{shared.static}, config: func(i *images.Image) {
			i.Config = v1.Config{User: nonroot, WorkingDir: "/home/nonroot", Env: []string{searchPath, "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt"}}
		}},
		{ref: PodRegistry + "debian:12", store: true, layers: []layer{shared.debian}, config: func(i *images.Image) {
			i.Config = v1.Config{Cmd: []string{"bash"}, Env: []string{searchPath}}
		}},
		{ref: PodRegistry + "toolbox:1", store: true, layers: []layer{shared.debian, shared.tools, shared.golang, shared.user}, config: toolbox},
		{ref: PodRegistry + "builder:1", store: true, layers: []layer{shared.debian, shared.builder, shared.user}, config: func(i *images.Image) {
			i.Config = v1.Config{Cmd: []string{"bash"}, User: nonroot, WorkingDir: "/home/nonroot", Env: []string{searchPath, "HOME=/home/nonroot"}}
		}},
	}
	out = append(out, m.tekton(shared)...)
	for _, more := range []func(steps) (recipe, error){m.busybox, m.postgres, m.redis} {
		r, err := more(shared)
		if err != nil {
			return nil, err
		}
		out = append(out, r)
	}
	return out, nil
}

func toolbox(i *images.Image) {
	i.Config = v1.Config{
		Cmd: []string{"bash"}, User: nonroot, WorkingDir: "/home/nonroot",
		Env: []string{"PATH=/home/nonroot/go/bin:/usr/local/go/bin:" + strings.TrimPrefix(searchPath, "PATH="), "HOME=/home/nonroot", "GOTOOLCHAIN=local", "LANG=C.UTF-8"},
	}
}

func (m *maker) shared() (steps, error) {
	goroot, err := host.Run(exec.CommandContext(m.ctx, "go", "env", "GOROOT"))
	if err != nil {
		return steps{}, err
	}
	s := steps{
		debian: m.debianBase(),
		tools:  m.debianDiff(debian.Diff{Name: "tools", Packages: "git make wget tini", Before: addUser("nonroot", nonroot, "/home/nonroot") + "; ln -s ../bin/tini /usr/sbin/tini"}),
		builder: m.debianDiff(debian.Diff{
			Name: "builder", Packages: "buildah uidmap libcap2-bin", Before: addUser("nonroot", nonroot, "/home/nonroot") + "; echo nonroot:100000:65536 | tee /etc/subuid > /etc/subgid",
			// Set-user-ID would make them root, to whom the namespace of another user is not open.
			After: "chmod u-s /usr/bin/newuidmap /usr/bin/newgidmap; setcap cap_setuid+ep /usr/bin/newuidmap; setcap cap_setgid+ep /usr/bin/newgidmap",
		}),
	}
	if s.golang, err = toolchain(strings.TrimSpace(goroot)); err != nil {
		return s, err
	}
	home := images.File{Name: "home/nonroot/", Mode: 0o777, UID: 65532}
	if s.user, err = files("home", home); err != nil {
		return s, err
	}
	s.static, err = files("static",
		images.File{Name: "etc/", Mode: 0o755}, images.File{Name: "etc/ssl/", Mode: 0o755}, images.File{Name: "etc/ssl/certs/", Mode: 0o755},
		images.File{Name: "etc/ssl/certs/ca-certificates.crt", Mode: 0o644, From: "/etc/ssl/certs/ca-certificates.crt"},
		images.File{Name: "etc/passwd", Mode: 0o644, Data: passwd}, images.File{Name: "etc/group", Mode: 0o644, Data: group},
		images.File{Name: "etc/nsswitch.conf", Mode: 0o644, Data: "hosts: files dns\n"},
		images.File{Name: "tmp/", Mode: 0o1777}, images.File{Name: "home/", Mode: 0o755}, home)
	return s, err
}

const (
	passwd = "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\nnonroot:x:65532:65532:nonroot:/home/nonroot:/sbin/nologin\n"
	group  = "root:x:0:\nnobody:x:65534:\nnonroot:x:65532:\n"
)

// addUser is a command that makes a user with a fixed id, before a package makes one with any id.
func addUser(name, id, home string) string {
	return fmt.Sprintf("groupadd -g %[2]s %[1]s; useradd -u %[2]s -g %[1]s -d %[3]s -m -s /bin/sh %[1]s", name, id, home)
}

// tekton returns one image for each of Tekton's programs, laid out as its manifests expect.
func (m *maker) tekton(shared steps) []recipe {
	programs := map[string][]string{
		"pipeline": {"controller", "webhook", "events", "resolvers", "entrypoint", "nop", "workingdirinit", "sidecarlogresults"},
		"triggers": {"controller", "webhook", "eventlistenersink", "interceptors"},
	}
	var out []recipe
	for _, set := range []string{"pipeline", "triggers"} {
		for _, name := range programs[set] {
			layers := []layer{shared.static}
			if name == "resolvers" { // it runs git, under tini
				layers = []layer{shared.debian, shared.tools}
			}
			at := "ko-app/" + name
			out = append(out, recipe{ref: Tekton(set, name), store: true, layers: append(layers, m.program(set, name, at)), config: func(i *images.Image) {
				i.Config = v1.Config{Entrypoint: []string{"/" + at}, User: nonroot, Env: []string{searchPath}}
			}})
		}
	}
	return out
}

func (m *maker) busybox(shared steps) (recipe, error) {
	applets, err := host.Output(m.ctx, host.Busybox, "--list")
	if err != nil {
		return recipe{}, err
	}
	list := []images.File{{Name: "bin/", Mode: 0o755}, {Name: "usr/", Mode: 0o755}, {Name: "usr/bin/", Mode: 0o755},
		{Name: "bin/busybox", Mode: 0o755, From: host.Busybox}, {Name: "usr/bin/env", Mode: 0o777, Link: "/bin/busybox"}}
	for name := range strings.FieldsSeq(applets) {
		if name != "busybox" {
			list = append(list, images.File{Name: "bin/" + name, Mode: 0o777, Link: "busybox"})
		}
	}
	l, err := files("busybox", list...)
	return recipe{ref: Busybox, store: true, layers: []layer{shared.static, l}, config: func(i *images.Image) {
		i.Config = v1.Config{Cmd: []string{"sh"}, Env: []string{searchPath}}
	}}, err
}

func (m *maker) postgres(shared steps) (recipe, error) {
	before := addUser("postgres", "999", "/var/lib/postgresql") +
		"; mkdir -p /etc/postgresql-common /var/lib/postgresql/data; echo create_main_cluster=false > /etc/postgresql-common/createcluster.conf" +
		"; chown postgres:postgres /var/lib/postgresql/data"
	server := m.debianDiff(debian.Diff{Name: "postgres", Packages: "postgresql-15", Before: before})
	start, err := files("postgres-start", images.File{Name: "usr/local/bin/start-postgres", Mode: 0o755, Data: postgresScript})
	return recipe{ref: PodRegistry + "postgres:15", store: true, layers: []layer{shared.debian, server, start}, config: func(i *images.Image) {
		i.Config = v1.Config{
			Entrypoint: []string{"/usr/local/bin/start-postgres"}, Cmd: []string{"postgres"}, User: "999:999",
			Env:          []string{"PATH=/usr/lib/postgresql/15/bin:" + strings.TrimPrefix(searchPath, "PATH="), "LANG=C.UTF-8", "PGDATA=/var/lib/postgresql/data/pgdata"},
			ExposedPorts: map[string]struct{}{"5432/tcp": {}}, StopSignal: "SIGINT",
		}
	}}, err
}

func (m *maker) redis(shared steps) (recipe, error) {
	before := addUser("redis", "999", "/var/lib/redis") + "; mkdir -p /data; chown redis:redis /data"
	server := m.debianDiff(debian.Diff{Name: "redis", Packages: "redis-server", Before: before})
	return recipe{ref: PodRegistry + "redis:7", store: true, layers: []layer{shared.debian, server}, config: func(i *images.Image) {
		i.Config = v1.Config{
			Entrypoint: []string{"redis-server", "--bind", "*", "--protected-mode", "no", "--dir", "/data"}, User: "999:999",
			WorkingDir: "/data", Env: []string{searchPath}, ExposedPorts: map[string]struct{}{"6379/tcp": {}},
		}
	}}, nil
}
