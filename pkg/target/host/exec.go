package host

import (
	"context"
	"errors"
	"io"

	"golang.org/x/crypto/ssh"
	"k8s.io/apimachinery/pkg/types"
)

// ExecRequest asks to run a command as a service runs.
type ExecRequest struct {
	// Environment and Service by name.
	Environment types.NamespacedName
	Service     string
	Command     []string
	// Stdin is nil when the command reads nothing.
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	// Terminal is what the command is given as its own, where it is to have one; its errors
	// go to Stdout then.
	Terminal *Terminal
}

// Terminal is one by its kind and size.
type Terminal struct {
	Kind          string
	Width, Height int
}

// Exec runs a command in the root of a service, as its user and with its variables. code is
// what the command ended with. The command can be seen on the machine while it runs.
func (c *Conn) Exec(ctx context.Context, want ExecRequest) (code int, err error) {
	id, err := c.find(ctx, want.Environment, want.Service)
	if err != nil {
		return 0, err
	}
	session, err := c.client.NewSession()
	if err != nil {
		return 0, c.lost(err)
	}
	defer session.Close()
	defer context.AfterFunc(ctx, func() { session.Close() })()
	session.Stdin, session.Stdout, session.Stderr = want.Stdin, want.Stdout, want.Stderr
	if t := want.Terminal; t != nil {
		if err := session.RequestPty(t.Kind, t.Height, t.Width, ssh.TerminalModes{}); err != nil {
			return 0, c.lost(err)
		}
	}
	err = session.Run(c.command(script("exec"), append([]string{id}, want.Command...)))
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return 0, nil
	case ctx.Err() != nil:
		return 0, ctx.Err()
	case errors.As(err, &exit):
		return exit.ExitStatus(), nil
	}
	return 0, c.lost(err)
}
