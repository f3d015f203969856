package host

import (
	"context"
	"fmt"
	"strings"
	"time"

	"spock.dev/spock/pkg/apis/spock/v1alpha1"
	"spock.dev/spock/pkg/unit"
)

// unusable is a failure that has its reason in what is wanted.
type unusable struct {
	class v1alpha1.CauseClass
	hint  string
	err   error
}

func (u *unusable) Error() string { return u.err.Error() }
func (u *unusable) Unwrap() error { return u.err }

// bring brings a service to a machine and starts it.
func (t *Target) bring(ctx context.Context, j *job, conn *Conn, facts Facts) error {
	s := &Service{ID: j.id, Owner: j.owner(), Revision: j.record.Annotations[v1alpha1.AnnotationHash], Record: j.record, Ready: j.want.Ready, Files: map[string]string{}}
	if err := t.contents(ctx, j, conn, facts, s); err != nil {
		return err
	}
	for _, f := range j.want.Files {
		s.Files[f.Path] = f.Content
	}
	for _, v := range j.want.Secrets {
		value, err := t.door.Secret(ctx, j.scope, v.Secret, v.Key)
		if err != nil {
			return &unusable{v1alpha1.CauseConfig, "let the environment's service account get the Secret, by a deployerRole of the class; docs/hosts.md tells how", fmt.Errorf("read variable %s from secret %s: %w", v.Name, v.Secret, err)}
		}
		s.Secrets = append(s.Secrets, unit.Variable{Name: v.Name, Value: value})
	}
	s.Unit, s.Sockets = j.unit(s.Release), j.want.Sockets
	t.say(j, "starts on host %s", j.machine.Name)
	return conn.Put(ctx, t.epoch(), s)
}

// contents brings what the service is made of: its image or its archive, and its package.
func (t *Target) contents(ctx context.Context, j *job, conn *Conn, facts Facts, s *Service) error {
	if p := j.want.Package; p != nil {
		t.say(j, "installs its package on host %s", j.machine.Name)
		if err := conn.Install(ctx, t.epoch(), p.Install); err != nil {
			return err
		}
		s.Uninstall = p.Remove
	}
	what := contentsOf(j.want)
	if what == "" {
		return nil
	}
	t.say(j, "reads %s", what)
	r, err := t.releases.get(j.scope, j.want, facts.architecture())
	if err != nil {
		return &unusable{v1alpha1.CauseImage, "check its name and digest, and that where it is can be read", fmt.Errorf("read %s: %w", what, err)}
	}
	if err := conn.Bring(ctx, t.epoch(), r, t.progress(j, what, r.bytes())); err != nil {
		return err
	}
	s.Release = r
	return nil
}

// progress tells how much of an image is there, no more than a few times.
func (t *Target) progress(j *job, what string, whole int64) func(int64) {
	told := int64(-1)
	return func(bytes int64) {
		const steps = 10
		if step := bytes * steps / max(1, whole); step > told && step <= steps {
			told = step
			t.say(j, "brings %s to host %s: %d%%", what, j.machine.Name, step*100/steps)
		}
	}
}

// unit is the systemd unit of the service; what the instance leaves open is the image's.
func (j *job) unit(r *Release) unit.Service {
	w := j.want
	u := unit.Service{
		Description: fmt.Sprintf("%s of environment %s", j.record.Name, j.scope.Environment),
		Exec:        append(append([]string(nil), w.Exec...), w.Args...),
		Env:         w.Env, User: w.User, WorkDir: w.WorkDir, Ports: w.Ports, Limits: w.Limits, Notify: w.Notify,
		Start: time.Duration(w.StartSeconds) * time.Second, Stop: time.Duration(w.StopSeconds) * time.Second, StopSignal: w.StopSignal,
	}
	for _, v := range w.Volumes {
		u.State = append(u.State, unit.State{Name: "spock-" + j.id + "/" + v.Name, Path: v.Path})
	}
	if r == nil {
		return u
	}
	u.Shared = w.Archive != nil
	if len(w.Exec) == 0 {
		args := w.Args
		if len(args) == 0 {
			args = r.Config.Cmd
		}
		u.Exec = append(append([]string(nil), r.Config.Entrypoint...), args...)
	}
	if u.WorkDir == "" {
		u.WorkDir = r.Config.WorkingDir
	}
	u.Env = inherited(r.Config.Env, w.Env)
	return u
}

// inherited are the variables of an image, replaced and followed by those of a service.
func inherited(image []string, own []unit.Variable) []unit.Variable {
	set := map[string]bool{}
	for _, v := range own {
		set[v.Name] = true
	}
	var out []unit.Variable
	for _, line := range image {
		if name, value, ok := strings.Cut(line, "="); ok && !set[name] {
			out = append(out, unit.Variable{Name: name, Value: value})
		}
	}
	return append(out, own...)
}
