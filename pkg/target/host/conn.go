package host

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"golang.org/x/crypto/ssh"
)

const (
	// answerWithin is how long a machine may take to answer a connection, a keepalive or a
	// packet before it counts as unreachable.
	answerWithin = 8 * time.Second
	// sessions side by side on one connection; sshd allows 10 unless told otherwise.
	sessions = 8
	// maxOutput is how much of a command's output is read.
	maxOutput = 4 << 20
)

// Conn is a connection to a machine. It is safe for concurrent use.
type Conn struct {
	login  Login
	client *ssh.Client
	slots  chan struct{}
	done   chan struct{} // closed when the connection is

	mu     sync.Mutex
	pieces map[string]*sync.Mutex // pieces that were sent, held while they are
}

// hold keeps others from sending the same piece at the same time.
func (c *Conn) hold(piece string) (release func()) {
	c.mu.Lock()
	held := c.pieces[piece]
	if held == nil {
		held = &sync.Mutex{}
		c.pieces[piece] = held
	}
	c.mu.Unlock()
	held.Lock()
	return held.Unlock
}

// Dial connects and logs in. Its error is a Failure.
func Dial(ctx context.Context, login Login) (*Conn, error) {
	config, err := login.config()
	if err != nil {
		return nil, &Failure{Class: AuthRefused, Host: login.Name, Message: "it cannot be logged in to", Err: err}
	}
	ctx, stop := context.WithTimeout(ctx, answerWithin)
	defer stop()
	raw, err := dialer.DialContext(ctx, "tcp", login.Address)
	if err != nil {
		return nil, &Failure{Class: Unreachable, Host: login.Name, Message: "it does not answer at " + login.Address, Err: err}
	}
	unwatch := context.AfterFunc(ctx, func() { raw.Close() })
	conn, channels, requests, err := ssh.NewClientConn(raw, login.Address, config)
	if err != nil {
		raw.Close()
		return nil, login.refusal(err)
	}
	if !unwatch() {
		conn.Close()
		return nil, &Failure{Class: Unreachable, Host: login.Name, Message: "it does not answer at " + login.Address, Err: ctx.Err()}
	}
	c := &Conn{login: login, client: ssh.NewClient(conn, channels, requests), slots: make(chan struct{}, sessions), done: make(chan struct{}), pieces: map[string]*sync.Mutex{}}
	go func() {
		_ = c.client.Wait()
		close(c.done)
	}()
	return c, nil
}

// dialer notices a network that is cut: by itself while nothing is sent, by limitWait
// while something is on its way.
var dialer = net.Dialer{
	KeepAliveConfig: net.KeepAliveConfig{Enable: true, Idle: answerWithin / 2, Interval: answerWithin / 8, Count: 4},
	Control:         limitWait,
}

// Close ends the connection and all that runs over it.
func (c *Conn) Close() error { return c.client.Close() }

// Done is closed when the connection has ended.
func (c *Conn) Done() <-chan struct{} { return c.done }

// Run runs a script with arguments and returns what it printed. Nothing secret may stand
// in the arguments: they can be seen on the machine.
func (c *Conn) Run(ctx context.Context, script string, stdin io.Reader, args ...string) (string, error) {
	out := &bounded{left: maxOutput}
	err := c.run(ctx, script, stdin, out, args)
	return out.String(), err
}

// Follow runs a script and hands over its output as it comes. It returns when the
// script ends, ctx does, or the connection is lost.
func (c *Conn) Follow(ctx context.Context, script string, out io.Writer, args ...string) error {
	return c.run(ctx, script, nil, out, args)
}

func (c *Conn) run(ctx context.Context, script string, stdin io.Reader, stdout io.Writer, args []string) error {
	select {
	case c.slots <- struct{}{}:
		defer func() { <-c.slots }()
	case <-ctx.Done():
		return ctx.Err()
	case <-c.done:
		return c.lost(nil)
	}
	session, err := c.client.NewSession()
	if err != nil {
		return c.lost(err)
	}
	defer session.Close()
	defer context.AfterFunc(ctx, func() { session.Close() })()
	problems := &bounded{left: 64 << 10}
	session.Stdin, session.Stdout, session.Stderr = stdin, stdout, problems
	err = session.Run(c.command(script, args))
	return c.ended(ctx, err, problems.String())
}

// ended reads how a command ended.
func (c *Conn) ended(ctx context.Context, err error, stderr string) error {
	var exit *ssh.ExitError
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		return ctx.Err()
	case errors.As(err, &exit) && exit.Signal() == "":
		return classify(c.login.Name, exit.ExitStatus(), stderr)
	default:
		return c.lost(err)
	}
}

func (c *Conn) lost(err error) *Failure {
	return &Failure{Class: Unreachable, Host: c.login.Name, Message: "the connection was lost", Err: err}
}

// command is the line that a login shell gets: a script and its arguments, quoted.
func (c *Conn) command(script string, args []string) string {
	words := []string{"sh", "-c", quote(script), "spock"}
	if c.login.User != "root" {
		words = append([]string{"sudo", "-n"}, words...)
	}
	for _, a := range args {
		words = append(words, quote(a))
	}
	return strings.Join(words, " ")
}

func quoted(words []string) string {
	out := make([]string, 0, len(words))
	for _, w := range words {
		out = append(out, quote(w))
	}
	return strings.Join(out, " ")
}

func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// bounded keeps the first bytes of an output and drops the rest.
type bounded struct {
	bytes.Buffer
	left int
}

func (b *bounded) Write(p []byte) (int, error) {
	keep := p[:min(len(p), b.left)]
	b.left -= len(keep)
	_, _ = b.Buffer.Write(keep)
	return len(p), nil
}

// KeyOf asks a machine for its public key, for a person to compare and pin.
func KeyOf(ctx context.Context, address string) (string, error) {
	ctx, stop := context.WithTimeout(ctx, answerWithin)
	defer stop()
	raw, err := dialer.DialContext(ctx, "tcp", address)
	if err != nil {
		return "", &Failure{Class: Unreachable, Host: address, Message: "it does not answer", Err: err}
	}
	defer raw.Close()
	defer context.AfterFunc(ctx, func() { raw.Close() })()
	var line string
	enough := errors.New("the key is known now")
	_, _, _, err = ssh.NewClientConn(raw, address, &ssh.ClientConfig{
		User:              "spock",
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519, ssh.KeyAlgoECDSA256, ssh.KeyAlgoRSASHA512},
		HostKeyCallback: func(_ string, _ net.Addr, shown ssh.PublicKey) error {
			line = strings.TrimSpace(string(ssh.MarshalAuthorizedKey(shown)))
			return enough
		},
	})
	if line == "" {
		return "", &Failure{Class: Unreachable, Host: address, Message: "it shows no key", Err: err}
	}
	return line, nil
}
