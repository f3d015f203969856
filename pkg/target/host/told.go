package host

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strconv"
	"strings"
)

// Record is what Spock leaves on a machine beside a service: whose it is, and what was
// wanted.
type Record struct {
	Name        string            `json:"name"`
	UID         string            `json:"uid"`
	Labels      map[string]string `json:"labels,omitempty"`
	Annotations map[string]string `json:"annotations,omitempty"`
	Spec        json.RawMessage   `json:"spec,omitempty"`
}

// Told is what a machine says of one service.
type Told struct {
	Record Record
	Unit   Unit
}

// Unit is what systemd says of a unit.
type Unit struct {
	Active, Sub, Result, Load string
	// Edited says that somebody has changed a file of it.
	Edited   bool
	Restarts int64
	// Job says that systemd is to start or stop it, and has not done so yet.
	Job bool
	// Code says how the process ended ("1" exited, "2" killed), Status with what.
	Code, Status int64
	// Invocation changes with every start.
	Invocation string
}

// State is a service in one word.
type State string

// The states.
const (
	Starting State = "Starting"
	Running  State = "Running"
	Failed   State = "Failed"
	Stopped  State = "Stopped"
)

// crashes is how often a process may end by itself before it counts as crashing.
const crashes = 2

// State judges the unit.
func (u Unit) State() State {
	crashing := u.Restarts >= crashes && u.Active == "activating" && u.Result != "success"
	switch {
	case u.Job && !crashing:
		return Starting
	case u.Active == "active":
		return Running
	case u.Active == "failed", crashing:
		return Failed
	case u.Active == "activating", u.Active == "reloading":
		return Starting
	default:
		return Stopped
	}
}

// after keeps the reason of a crash while the next start, which forgets it, is under way.
func (u Unit) after(before Unit) Unit {
	again := u.Restarts >= crashes && u.Active == "activating" && u.Result == "success"
	if again && before.State() == Failed && before.Restarts >= crashes-1 {
		u.Result, u.Code, u.Status = before.Result, before.Code, before.Status
	}
	return u
}

// Why says in a sentence why the unit is not running.
func (u Unit) Why() string {
	switch u.Result {
	case "exit-code":
		return fmt.Sprintf("the process ended with exit code %d%s", u.Status, u.again())
	case "signal", "core-dump":
		return fmt.Sprintf("the process was killed by signal %d%s", u.Status, u.again())
	case "oom-kill":
		return "the process used more memory than its limit and was killed" + u.again()
	case "timeout":
		return "it was not ready in time and was stopped" + u.again()
	case "start-limit-hit":
		return "it was started too often in a short time and was given up"
	case "protocol":
		return "the process ended before it told that it is ready" + u.again()
	case "success", "":
		if u.Active == "activating" {
			return "the process ended by itself" + u.again()
		}
		return "it was stopped"
	default:
		return "systemd says " + lastLines(u.Result)
	}
}

func (u Unit) again() string {
	if u.Restarts == 0 {
		return ""
	}
	return fmt.Sprintf(", %d times", u.Restarts+1)
}

// maxLine and maxServices bound what a machine can make this program remember.
const (
	maxLine     = 1 << 20
	maxServices = 10_000
)

// listen reads what watch.sh prints, and hands over every whole answer.
func listen(from io.Reader, answer func(map[string]Told)) error {
	lines := bufio.NewScanner(from)
	lines.Buffer(nil, maxLine)
	now, at := map[string]Told{}, ""
	for lines.Scan() {
		line := lines.Text()
		word, rest, _ := strings.Cut(line, " ")
		switch {
		case line == "end":
			answer(now)
			now, at = map[string]Told{}, ""
		case word == "service":
			at = rest
			if len(now) < maxServices {
				now[at] = Told{}
			}
		default:
			if told, ok := now[at]; ok {
				now[at] = told.hear(word, rest, line)
			}
		}
	}
	return lines.Err()
}

// hear adds one line to what is told of a service.
func (t Told) hear(word, rest, line string) Told {
	if word == "record" {
		var r Record
		if json.Unmarshal([]byte(rest), &r) == nil {
			t.Record = r
		}
		return t
	}
	name, value, _ := strings.Cut(line, "=")
	count := func() int64 {
		n, err := strconv.ParseInt(value, 10, 32)
		if err != nil {
			return 0
		}
		return n
	}
	switch name {
	case "ActiveState":
		t.Unit.Active = value
	case "SubState":
		t.Unit.Sub = value
	case "Result":
		t.Unit.Result = value
	case "Job":
		t.Unit.Job = count() != 0
	case "LoadState":
		t.Unit.Load = value
	case "NRestarts":
		t.Unit.Restarts = count()
	case "ExecMainCode":
		t.Unit.Code = count()
	case "ExecMainStatus":
		t.Unit.Status = count()
	case "Intact":
		t.Unit.Edited = value != "yes"
	case "InvocationID":
		t.Unit.Invocation = value
	}
	return t
}

// Watch hands over how all services of the machine are, now and whenever one moves. It
// returns when ctx ends or the connection is lost.
func (c *Conn) Watch(ctx context.Context, answer func(map[string]Told)) error {
	reader, writer := io.Pipe()
	heard := make(chan error, 1)
	go func() {
		err := listen(reader, answer)
		_ = reader.CloseWithError(err)
		heard <- err
	}()
	err := c.Follow(ctx, script("watch"), writer)
	writer.Close()
	if failed := <-heard; failed != nil {
		return fmt.Errorf("listen to host %s: %w", c.login.Name, failed)
	}
	return err
}
