package render_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/placement"
	"spock.dev/spock/pkg/render"
)

// mixed is a product on both sides, with two machines.
func mixed(t testing.TB) render.Input {
	in := load(t, "mixed")
	memory := int64(1 << 30)
	in.Hosts = []placement.Host{
		{Name: "db1", Address: "10.0.0.11", Labels: map[string]string{"role": "db"}, Memory: &memory},
		{Name: "work1", Address: "10.0.0.12"},
	}
	return in
}

func TestAMixedProductMatchesItsGoldenFiles(t *testing.T) {
	t.Parallel()
	out, err := render.Product(mixed(t))
	if err != nil {
		t.Fatal(err)
	}
	for _, service := range out.Services {
		t.Run(service.Name, func(t *testing.T) {
			t.Parallel()
			golden(t, filepath.Join("testdata", "mixed", service.Name+".golden.yaml"), describe(t, service))
		})
	}
}

// The same service runs in a pod where the class does not say otherwise.
func TestTheTargetIsOneMoreValueOfTheLayers(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*render.Input)
		want   string
	}{
		"the class says host":  {func(*render.Input) {}, "HostService"},
		"nobody says anything": {func(in *render.Input) { in.Class.Spec.Services = nil }, "StatefulSet"},
		"the environment says container": {func(in *render.Input) {
			in.Environment.Spec.Services = []v1alpha1.ServiceOverride{{Name: "db", Target: v1alpha1.TargetContainer}}
		}, "StatefulSet"},
		"the product says host": {func(in *render.Input) {
			in.Class.Spec.Services = nil
			in.Product.Spec.Groups[0].Services[0].Target = v1alpha1.TargetHost
		}, "HostService"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := mixed(t)
			tc.change(&in)
			out, err := render.Product(in)
			if err != nil {
				// The agent on a machine cannot reach a database in the cluster.
				if tc.want != "HostService" && strings.Contains(err.Error(), `service "db" runs in the cluster, where a machine cannot reach it by address`) {
					return
				}
				t.Fatal(err)
			}
			if got := out.Services[0].Workloads[0].GetKind(); got != tc.want {
				t.Errorf("db becomes a %s, want %s", got, tc.want)
			}
		})
	}
}

// digits are a SHA-256.
var digits = strings.Repeat("0a", 32)

func TestWhatAMachineCannotDoIsRefused(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		change func(*render.Input)
		want   []string
	}{
		"there is no room": {func(in *render.Input) { *in.Hosts[0].Memory = 1 << 20 },
			[]string{`(db)`, `0 of 1 instances have a place`, `"db1" has 1 MiB of memory free, and 512 are wanted`}},
		"there is no machine": {func(in *render.Input) { in.Hosts = nil }, []string{"there is no host in the namespace", "(db)", "(agent)"}},
		"its data is on a drained machine": {func(in *render.Input) {
			in.Hosts[0].Drained, in.On = true, map[string][]string{"db": {"db1"}}
		}, []string{`it keeps data on host "db1"`}},
		"a machine known by name alone": {func(in *render.Input) { in.Hosts[0].Address = "db1.example.com" },
			[]string{`pods reach a machine by its IP address only`}},
		"a template without a host part": {func(in *render.Input) { in.Product.Spec.Groups[1].Services[0].Target = v1alpha1.TargetHost },
			[]string{`template "web" does not say how the service runs on a machine`, "add spec.host"}},
		"a port that is handed over and asked": {func(in *render.Input) { in.Templates["postgres"].Spec.Host.Handover = true },
			[]string{"systemd listens before the program does, so that an open port says nothing", "readiness http or exec, or by host.notify"}},
		"a handover of nothing": {func(in *render.Input) {
			in.Templates["agent"].Spec.Host.Handover, in.Templates["agent"].Spec.Host.Notify = true, true
			in.Templates["agent"].Spec.Ports, in.Templates["agent"].Spec.Readiness = nil, nil
		}, []string{"there is no port to hand over"}},
		"an archive beside an image": {func(in *render.Input) {
			in.Templates["postgres"].Spec.Host.Archive = &v1alpha1.HostArchive{URL: "https://example.com/a.tgz", SHA256: digits}
		}, []string{"an image brings all that the program needs"}},
		"an archive from nowhere": {func(in *render.Input) {
			in.Templates["agent"].Spec.Host.Archive = &v1alpha1.HostArchive{URL: "ftp://example.com/a.tgz", SHA256: "abc"}
		}, []string{`"ftp://example.com/a.tgz" is no URL of an archive`, `"abc" is no SHA-256`, "sha256sum prints"}},
		"a password in a URL": {func(in *render.Input) {
			in.Templates["agent"].Spec.Host.Archive = &v1alpha1.HostArchive{URL: "https://me:hush@example.com/a.tgz", SHA256: digits}
		}, []string{`the URL for "example.com" holds a name or password`, "host.archive.secretRef"}},
		"a package where none may be installed": {func(in *render.Input) {
			in.Templates["agent"].Spec.Host.Package = &v1alpha1.HostPackage{Install: []string{"apt-get", "install", "-y", "jq"}, Remove: []string{"apt-get", "remove", "-y", "jq"}}
		}, []string{`"work1" lets no service install packages (spec.allowPackages)`}},
		"hooks": {func(in *render.Input) {
			in.Templates["postgres"].Spec.Hooks = []v1alpha1.Hook{{Name: "migrate"}}
		}, []string{"hooks do not run on machines"}},
		"two ways to be ready": {func(in *render.Input) { in.Templates["postgres"].Spec.Host.Notify = true },
			[]string{"both tells that it is ready and is asked"}},
		"a variable made of a secret": {func(in *render.Input) {
			v := "postgres://:$(POSTGRES_PASSWORD)@db"
			in.Templates["postgres"].Spec.Env[2].Value = &v
		}, []string{`it is made of the secret variable "POSTGRES_PASSWORD"`}},
		"two things at one path": {func(in *render.Input) {
			in.Templates["postgres"].Spec.Host.Volumes[0].MountPath = "/etc/postgres.conf"
		}, []string{"are both at /etc/postgres.conf"}},
		"a file that cannot be mounted": {func(in *render.Input) { in.Templates["postgres"].Spec.Files[0].Path = "/etc/my file" },
			[]string{"cannot be mounted on a machine"}},
		"no program": {func(in *render.Input) { in.Product.Spec.Groups[0].Services[0].Image = "" },
			[]string{"no layer gives the service an image"}},
		"the address of a pod": {func(in *render.Input) {
			v := "${services.web.host}"
			in.Templates["agent"].Spec.Env[1].Value = &v
		}, []string{`service "web" runs in the cluster, where a machine cannot reach it by address`, "use its url"}},
		"a need that never completes": {func(in *render.Input) {
			in.Product.Spec.Groups[1].Services[0].Needs = []v1alpha1.Need{{Service: "agent", Until: v1alpha1.UntilCompleted}}
		}, []string{`the service "agent" runs on and never completes`}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := mixed(t)
			tc.change(&in)
			_, err := render.Product(in)
			if err == nil {
				t.Fatal("it was rendered")
			}
			for _, want := range tc.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("the error lacks %q:\n%v", want, err)
				}
			}
		})
	}
}

func TestAServiceStaysOnItsMachine(t *testing.T) {
	t.Parallel()
	in := mixed(t)
	in.Templates["postgres"].Spec.Host.Selector = nil
	in.On = map[string][]string{"db": {"work1"}}
	out, err := render.Product(in)
	if err != nil {
		t.Fatal(err)
	}
	spec := out.Services[0].Workloads[0].Object["spec"].(map[string]any)
	if diff := cmp.Diff("work1", spec["host"]); diff != "" {
		t.Errorf("host (-want +got):\n%s", diff)
	}
}
