package cli

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"golang.org/x/term"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/util/httpstream"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/remotecommand"
	"k8s.io/client-go/util/exec"

	"spock.dev/spock/pkg/target/host"
)

// PodCommand is a command to run in a pod. Terminal is nil where it has none.
type PodCommand struct {
	Container      string
	Command        []string
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Terminal       *host.Terminal
}

// PodExec runs a command in a pod and returns what it ended with.
type PodExec func(ctx context.Context, pod *corev1.Pod, want PodCommand) (code int, err error)

// execIn is the PodExec of a cluster: by WebSocket, and by SPDY where a proxy knows none.
func execIn(config *rest.Config, client rest.Interface) PodExec {
	return func(ctx context.Context, pod *corev1.Pod, want PodCommand) (int, error) {
		url := client.Post().Resource("pods").Namespace(pod.Namespace).Name(pod.Name).SubResource("exec").VersionedParams(&corev1.PodExecOptions{
			Container: first(want.Container, pod.Spec.Containers[0].Name), Command: want.Command,
			Stdin: want.Stdin != nil, Stdout: true, Stderr: want.Terminal == nil, TTY: want.Terminal != nil,
		}, scheme.ParameterCodec).URL()
		socket, err := remotecommand.NewWebSocketExecutor(config, "GET", url.String())
		if err != nil {
			return 0, fmt.Errorf("run in pod %s: %w", pod.Name, err)
		}
		spdy, err := remotecommand.NewSPDYExecutor(config, "POST", url)
		if err != nil {
			return 0, fmt.Errorf("run in pod %s: %w", pod.Name, err)
		}
		either, err := remotecommand.NewFallbackExecutor(socket, spdy, func(err error) bool {
			return httpstream.IsUpgradeFailure(err) || httpstream.IsHTTPSProxyError(err)
		})
		if err != nil {
			return 0, fmt.Errorf("run in pod %s: %w", pod.Name, err)
		}
		options := remotecommand.StreamOptions{Stdin: want.Stdin, Stdout: want.Stdout, Stderr: want.Stderr}
		if t := want.Terminal; t != nil {
			options.Tty, options.Stderr, options.TerminalSizeQueue = true, nil, &sizes{t}
		}
		err = either.StreamWithContext(ctx, options)
		var exit exec.CodeExitError
		if errors.As(err, &exit) {
			return exit.Code, nil
		}
		if err != nil {
			return 0, explain(fmt.Errorf("run in pod %s/%s: %w", pod.Namespace, pod.Name, err))
		}
		return 0, nil
	}
}

// sizes tells a terminal's size once.
type sizes struct{ terminal *host.Terminal }

func (s *sizes) Next() *remotecommand.TerminalSize {
	if s.terminal == nil {
		return nil
	}
	t := s.terminal
	s.terminal = nil
	return &remotecommand.TerminalSize{Width: uint16(t.Width), Height: uint16(t.Height)}
}

// raw gives the person's terminal to the command, where it is to have one.
func (s *session) raw(x *execution) (restore func(), terminal *host.Terminal, err error) {
	nothing := func() {}
	if !x.terminal {
		return nothing, nil, nil
	}
	file, is := s.Streams.In.(*os.File)
	if !is || !term.IsTerminal(int(file.Fd())) {
		return nothing, nil, &failure{ExitUsage, errNoTerminal}
	}
	width, height, err := term.GetSize(int(file.Fd()))
	if err != nil {
		return nothing, nil, fmt.Errorf("measure the terminal: %w", err)
	}
	before, err := term.MakeRaw(int(file.Fd()))
	if err != nil {
		return nothing, nil, fmt.Errorf("give the terminal away: %w", err)
	}
	return func() { _ = term.Restore(int(file.Fd()), before) }, &host.Terminal{Kind: first(os.Getenv("TERM"), "xterm"), Width: width, Height: height}, nil
}
