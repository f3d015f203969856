package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strconv"
	"sync"

	"k8s.io/apimachinery/pkg/types"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
)

// Journal returns the last lines of a service, of one start when invocation is not empty.
func (c *Conn) Journal(ctx context.Context, id string, lines int, invocation string) (string, error) {
	return c.Run(ctx, script("journal"), nil, id, strconv.Itoa(lines), invocation)
}

// LogRequest asks for what a service has printed.
type LogRequest struct {
	// Environment and Service by name.
	Environment types.NamespacedName
	Service     string
	// Tail is how many lines to begin with; all when it is negative.
	Tail int64
	// Follow goes on with new lines, also of later starts.
	Follow bool
}

// Logs hands over the lines that a service of an environment has printed, one by one. When
// they are followed it returns when ctx ends or the connection is lost.
func (c *Conn) Logs(ctx context.Context, want LogRequest, line func(string)) error {
	id, err := c.find(ctx, want.Environment, want.Service)
	if err != nil {
		return err
	}
	tail, follow := "all", ""
	if want.Tail >= 0 {
		tail = strconv.FormatInt(want.Tail, 10)
	}
	if want.Follow {
		follow = "follow"
	}
	out := &splitter{line: line}
	err = c.Follow(ctx, script("logs"), out, id, tail, follow)
	out.flush()
	return err
}

// find returns the ID of a service of an environment.
func (c *Conn) find(ctx context.Context, env types.NamespacedName, service string) (string, error) {
	watching, stop := context.WithCancel(ctx)
	defer stop()
	var once sync.Once
	id, answered := "", false
	err := c.Watch(watching, func(all map[string]Told) {
		once.Do(func() {
			for _, known := range sorted(all) {
				labels := all[known].Record.Labels
				if environmentOf(labels) == env && labels[v1alpha1.LabelService] == service {
					id = known
				}
			}
			answered = true
			stop()
		})
	})
	switch {
	case id != "":
		return id, nil
	case answered:
		return "", fmt.Errorf("host %s does not run service %s of environment %s", c.login.Name, service, env)
	case err == nil:
		return "", c.lost(errors.New("it told nothing"))
	}
	return "", err
}

// splitter hands over whole lines.
type splitter struct {
	line func(string)
	rest []byte
}

func (s *splitter) Write(p []byte) (int, error) {
	s.rest = append(s.rest, p...)
	for {
		at := bytes.IndexByte(s.rest, '\n')
		if at < 0 && len(s.rest) < maxLine {
			return len(p), nil
		}
		if at < 0 {
			s.flush()
			return len(p), nil
		}
		s.line(string(bytes.TrimRight(s.rest[:at], "\r")))
		s.rest = s.rest[at+1:]
	}
}

// flush hands over what no line feed ends.
func (s *splitter) flush() {
	if len(s.rest) > 0 {
		s.line(string(s.rest))
	}
	s.rest = nil
}
