// Command spock is the command line of Spock. Installed as tkn-spock it is `tkn spock`.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"strings"
	"syscall"

	"github.com/go-logr/logr"
	"k8s.io/klog/v2"
	"k8s.io/utils/clock"

	"spock.dev/spock/pkg/cli"
)

// version is set by the release build.
var version = ""

func main() {
	// The client's own log is for programmers: what a person must know is an error.
	klog.SetLogger(logr.Discard())
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	// The first signal ends the watching in good order, the second one the program.
	context.AfterFunc(ctx, stop)
	os.Exit(cli.Execute(ctx, cli.Config{
		Name:    name(os.Args[0]),
		Version: describe(),
		Streams: cli.StandardStreams(),
		Connect: cli.Kubeconfig,
		Clock:   clock.RealClock{},
	}, os.Args[1:]))
}

// name is how the program was called: tkn finds plugins as tkn-NAME.
func name(program string) string {
	if strings.HasPrefix(filepath.Base(program), "tkn-") {
		return "tkn spock"
	}
	return "spock"
}

func describe() string {
	text, commit := version, ""
	info, _ := debug.ReadBuildInfo()
	if info != nil {
		for _, setting := range info.Settings {
			if setting.Key == "vcs.revision" {
				commit = ", commit " + setting.Value[:min(12, len(setting.Value))]
			}
		}
		if text == "" {
			text = info.Main.Version
		}
	}
	if text == "" || text == "(devel)" {
		text = "development"
	}
	return fmt.Sprintf("spock %s%s, %s %s/%s", text, commit, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
