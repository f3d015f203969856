// Package cli is the command line of Spock. A command reads its flags, makes one call
// into the rooms below and prints: what was asked for on stdout, how it goes on stderr.
//
// It keeps no state: streams, clock and the way to a cluster are given by who builds
// the commands, so that a test runs them as a person does.
package cli

import (
	"context"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/utils/clock"
)

// Config is what the commands need from outside.
type Config struct {
	// Name as which the program is called: `spock`, or `tkn spock`.
	Name string
	// Version of the program, in one line.
	Version string
	// Streams to print to.
	Streams Streams
	// Connect opens a cluster. It is called once by each command that needs one.
	Connect Connect
	// Machines are reached over SSH; by this program itself when nil.
	Machines Machines
	// Browse opens an address; the browser of the desktop when nil.
	Browse Browse
	// Clock tells how old things are, and when to look again.
	Clock clock.WithTicker
}

// session is a run of the program: the configuration and the flags of the root command.
type session struct {
	Config
	connection Connection
	noColor    bool
}

const rootLong = `Spock brings a whole product up as a running environment, says why one is not up,
and takes it down again.

Exit codes: 0 it worked, 1 it failed, 2 the command was not understood, 4 the time was
up, 130 interrupted. A timeout or an interrupt ends the watching, never the rollout.`

// New returns the root command with all others below it.
func New(config Config) *cobra.Command {
	s := &session{Config: config}
	if s.Machines == nil {
		s.Machines = overSSH{}
	}
	if s.Browse == nil {
		s.Browse = browser
	}
	root := &cobra.Command{
		Use:           "spock",
		Short:         "Environments of whole products, on Tekton and Kubernetes",
		Long:          rootLong,
		Example:       examples(`spock env ls`, `spock env up shop --product shop --class dev --image orders=registry.example.com/orders:1.4`, `spock env why shop`),
		Annotations:   map[string]string{cobra.CommandDisplayNameAnnotation: config.Name},
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          knownCommand,
		RunE:          func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	root.SetOut(s.Streams.Out)
	root.SetErr(s.Streams.Err)
	flags := root.PersistentFlags()
	flags.StringVarP(&s.connection.Namespace, "namespace", "n", "", "namespace of the environments (default: the one of the context)")
	flags.StringVar(&s.connection.Kubeconfig, "kubeconfig", "", "path of the kubeconfig (default: $KUBECONFIG, then ~/.kube/config)")
	flags.StringVar(&s.connection.Context, "context", "", "context of the kubeconfig (default: its current one)")
	flags.BoolVar(&s.noColor, "no-color", false, "print without colour; so does the variable NO_COLOR, and so do pipes")
	root.AddCommand(newEnv(s), newHost(s), newProduct(s), newPipeline(s), newMan(s), newVersion(s))
	renamed(root, config.Name)
	return root
}

// Execute runs the command line and returns the exit code. What went wrong is on stderr.
func Execute(ctx context.Context, config Config, args []string) int {
	root := New(config)
	root.SetArgs(args)
	cmd, err := root.ExecuteContextC(ctx)
	return report(config.Streams.Err, cmd, err)
}

// examples indents the lines of an example.
func examples(lines ...string) string { return "  " + strings.Join(lines, "\n  ") }

// renamed lets examples call the program as its user does.
func renamed(cmd *cobra.Command, name string) {
	cmd.Example = strings.ReplaceAll(cmd.Example, "  spock ", "  "+name+" ")
	for _, sub := range cmd.Commands() {
		renamed(sub, name)
	}
}
