package cli

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

func TestWhatIsNotUnderstoodExitsWithTwo(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		want string
	}{
		"an unknown command":                {[]string{"evn"}, `spock: there is no command "evn"; did you mean "env"?`},
		"an unknown command of env":         {[]string{"env", "shw"}, `spock env: there is no command "shw"; did you mean "show"?`},
		"an unknown flag":                   {[]string{"env", "ls", "--al"}, "unknown flag: --al"},
		"an unknown format":                 {[]string{"env", "ls", "-o", "xml"}, "it must be one of table, wide, json, yaml, name"},
		"a format the command has not":      {[]string{"env", "plan", "shop", "-o", "wide"}, "it must be one of table, json, yaml"},
		"show without a name":               {[]string{"env", "show"}, "spock env show: the NAME of an environment is missing"},
		"show with two names":               {[]string{"env", "show", "a", "b"}, "spock env show: b is too much; it takes the NAME of an environment"},
		"up without a name":                 {[]string{"env", "up"}, "spock env up: name an environment, or a file with one"},
		"plan without a name":               {[]string{"env", "plan"}, "spock env plan: name an environment, or a file with one"},
		"up of a new one without a product": {[]string{"env", "up", "new", "--class", "dev"}, "environment team-a/new is new: say of what and in which class"},
		"up with an image without a name":   {[]string{"env", "up", "shop", "--image", "r/orders:1"}, "there is no `=`"},
		"up with a parameter without value": {[]string{"env", "up", "shop", "--param", "replicas"}, "not name=value"},
		"up with a name that is none":       {[]string{"env", "up", "Shop", "--product", "shop", "--class", "dev"}, `environment "Shop"`},
		"logs both -f and --previous":       {[]string{"env", "logs", "shop", "-f", "--previous"}, "none of the others can be"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := newWorld(t, environment("shop", ready)).run(tt.args...)
			if got.code != ExitUsage || !strings.Contains(got.err, tt.want) || !strings.Contains(got.err, "--help") || got.out != "" {
				t.Errorf("exit %d, stdout %q, stderr %q; want exit 2 and %q and a pointer to --help on stderr", got.code, got.out, got.err, tt.want)
			}
		})
	}
}

func TestWhatFailsExitsWithOne(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		args []string
		want string
	}{
		"an environment that is not there": {[]string{"env", "why", "bank"}, "there is no environment bank in namespace team-a; the only known one is shop\n"},
		"one of an empty namespace":        {[]string{"env", "show", "shop", "-n", "other"}, "there is no environment shop in namespace other; list all with: spock env ls -A\n"},
		"a cluster that does not answer":   {[]string{"env", "ls", "--context", "nowhere"}, "connection refused"},
		"a file that is not there":         {[]string{"env", "plan", "-f", "testdata/none.yaml"}, "read the file: open testdata/none.yaml"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := newWorld(t, environment("shop", ready)).run(tt.args...)
			if got.code != ExitFailed || !strings.Contains(got.err, tt.want) {
				t.Errorf("exit %d, stderr %q; want exit 1 and %q", got.code, got.err, tt.want)
			}
		})
	}
}

func TestAClusterWithoutSpockIsNamed(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.spock.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewGenericServerResponse(404, "list", v1alpha1.Resource("environments"), "", "404 page not found", 0, true)
	})
	for _, args := range [][]string{{"env", "ls"}, {"env", "show", "shop"}, {"env", "up", "shop"}} {
		if got := w.run(args...); got.code != ExitFailed || !strings.Contains(got.err, "Spock is not installed in this cluster") {
			t.Errorf("%v: exit %d, stderr %q", args, got.code, got.err)
		}
	}
}

func TestVersionAndTheNameOfThePlugin(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if got := w.run("version"); got.out != "spock v1.2.3\n" || got.code != ExitOK {
		t.Errorf("version printed %q, exit %d", got.out, got.code)
	}
	w.name = "tkn spock"
	help := w.run("env", "ls", "--help").out
	for _, want := range []string{"tkn spock env ls [flags]", "  tkn spock env ls -A"} {
		if !strings.Contains(help, want) {
			t.Errorf("the help of the plugin lacks %q:\n%s", want, help)
		}
	}
}

func TestEveryCommandHasAnExampleAndASentence(t *testing.T) {
	t.Parallel()
	for _, cmd := range all(New(Config{Name: "spock"})) {
		if cmd.Example == "" || cmd.Short == "" {
			t.Errorf("%s: example %q, short %q", cmd.CommandPath(), cmd.Example, cmd.Short)
		}
	}
}

func TestNamesAreCompleted(t *testing.T) {
	t.Parallel()
	got := newWorld(t, environment("shop", ready), environment("bank", ready)).run("__complete", "env", "show", "")
	if want := "bank\nshop\n:4\n"; got.out != want {
		t.Errorf("completion printed %q, want %q", got.out, want)
	}
}

// TestEveryExampleIsUnderstood has a shell read each, as a person's would: the command is there,
// and takes its flags and arguments. Other programs of a line do nothing.
func TestEveryExampleIsUnderstood(t *testing.T) {
	t.Parallel()
	const shell = `spock() { (IFS=$'\x1f'; echo "$*" >> called); }; curl() { :; }; kustomize() { :; }; dot() { cat; }; eval "$0"`
	calls := 0
	for _, cmd := range all(New(Config{Name: "spock"})) {
		for line := range strings.Lines(cmd.Example) {
			bash := exec.Command("bash", "-c", shell, line)
			bash.Dir = t.TempDir()
			if out, err := bash.CombinedOutput(); err != nil {
				t.Fatalf("%s: %v\n%s", line, err, out)
			}
			called, err := os.ReadFile(filepath.Join(bash.Dir, "called"))
			if err != nil {
				t.Errorf("%s: the example %q does not call spock", cmd.CommandPath(), line)
			}
			for call := range strings.Lines(string(called)) {
				calls++
				if err := understands(New(Config{Name: "spock"}), strings.Split(strings.TrimSuffix(call, "\n"), "\x1f")); err != nil {
					t.Errorf("%s: the example %q: %v", cmd.CommandPath(), line, err)
				}
			}
		}
	}
	if calls < 20 {
		t.Errorf("%d examples", calls)
	}
}

func understands(root *cobra.Command, words []string) error {
	found, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	if err := found.ParseFlags(rest); err != nil {
		return err
	}
	return found.ValidateArgs(found.Flags().Args())
}

// all are a command and those below it.
func all(cmd *cobra.Command) []*cobra.Command {
	commands := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		commands = append(commands, all(sub)...)
	}
	return commands
}
