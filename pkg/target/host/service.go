package host

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"

	"spock.dev/spock/pkg/unit"
)

// Service is a service as it is to be on one machine.
type Service struct {
	// ID names it on the machine: letters, digits, dots and dashes.
	ID string
	// Owner is whose it is: nobody else can change or remove it.
	Owner string
	// Revision names this content of it.
	Revision string
	// Release it runs; nil when it runs a program of the machine's.
	Release *Release
	// Unit to run. Its Root, EnvFile, Files and Ready are set by Spock.
	Unit unit.Service
	// Secrets are variables that only the process sees.
	Secrets []unit.Variable
	// Files by the path at which the process sees them. They may be secret.
	Files map[string]string
	// Sockets that systemd keeps for it.
	Sockets []unit.Socket
	// Uninstall is the command that removes what was installed for it; nil when nothing was.
	Uninstall []string
	// Ready says how the service shows that it can serve: for how many seconds it must, and
	// `none`, `tcp PORT`, `http PORT PATH` or `exec COMMAND...`; nil when running is enough.
	Ready []string
	// Record is kept beside it.
	Record Record
}

func (s *Service) home() string { return "/etc/spock/services/" + s.ID + "/current/" }

// archive is everything of a service's revision, in files that only root can read.
func (s *Service) archive() ([]byte, error) {
	u := s.Unit
	files := map[string]string{}
	if s.Release != nil {
		u.Root = s.Release.Root()
		files["release"] = s.Release.Key + "\n"
		if u.User == "" && !u.Shared { // the machine knows the users that systemd makes up
			s.name(&u, files)
		}
	}
	if len(s.Secrets) > 0 {
		text, err := unit.EnvFile(s.Secrets)
		if err != nil {
			return nil, err
		}
		files["env"], u.EnvFile = text, s.home()+"env"
	}
	for i, path := range sorted(s.Files) {
		name := "file" + strconv.Itoa(i)
		files[name] = s.Files[path]
		u.Files = append(u.Files, unit.File{From: s.home() + name, Path: path})
	}
	if len(s.Sockets) > 0 {
		u.Sockets = "spock-" + s.ID + ".socket"
		text, err := unit.RenderSockets("ports of "+u.Description, s.Sockets)
		if err != nil {
			return nil, err
		}
		files[u.Sockets] = text
	}
	if len(s.Uninstall) > 0 {
		files["uninstall"] = "exec " + quoted(s.Uninstall) + "\n"
	}
	if len(s.Ready) > 0 {
		files["ready"] = script("ready")
		u.Ready = append([]string{"/bin/sh", s.home() + "ready"}, s.Ready...)
	}
	if mounts := u.Mounts(); len(mounts) > 0 {
		files["mounts"] = strings.Join(mounts, "\n") + "\n"
	}
	record, err := json.Marshal(s.Record)
	if err != nil {
		return nil, err
	}
	files["record"] = string(record)
	files["spock-"+s.ID+".service"], err = u.Render()
	if err != nil {
		return nil, err
	}
	return packed(files)
}

// name lets the process find its user, whose number is known only when it starts, under
// the name that the image has for it.
func (s *Service) name(u *unit.Service, files map[string]string) {
	files["accounts"] = script("accounts")
	u.Prepare, u.Runtime = []string{"/bin/sh", s.home() + "accounts", s.ID}, "spock-"+s.ID
	for name, text := range map[string]string{"passwd": s.Release.passwd, "group": s.Release.group} {
		files[name] = text
		if _, own := s.Files["/etc/"+name]; !own {
			u.Files = append(u.Files, unit.File{From: "/run/spock/" + s.ID + "." + name, Path: "/etc/" + name, Prepared: true})
		}
	}
	slices.SortFunc(u.Files, func(a, b unit.File) int { return strings.Compare(a.Path, b.Path) })
}

// packed is an archive of a few small files.
func packed(files map[string]string) ([]byte, error) {
	var raw bytes.Buffer
	archive := tar.NewWriter(&raw)
	for _, name := range sorted(files) {
		err := archive.WriteHeader(&tar.Header{Name: name, Mode: mode(name), Size: int64(len(files[name])), Typeflag: tar.TypeReg, Format: tar.FormatPAX})
		if err == nil {
			_, err = io.WriteString(archive, files[name])
		}
		if err != nil {
			return nil, fmt.Errorf("pack %s: %w", name, err)
		}
	}
	err := archive.Close()
	return raw.Bytes(), err
}

// mode of a file, in a directory that is root's alone. The process must be able to read its
// files; and systemd, which tells everybody what is in a unit, logs one that it finds hidden
// each time it reads it.
func mode(name string) int64 {
	if strings.HasPrefix(name, "file") || strings.HasPrefix(name, "spock-") {
		return 0o644
	}
	return 0o600
}

// Put makes a service as given and starts it. It returns when systemd has taken it up;
// Watch tells how it comes up. Its release must be there.
func (c *Conn) Put(ctx context.Context, epoch int64, s *Service) error {
	archive, err := s.archive()
	if err != nil {
		return fmt.Errorf("make service %s for host %s: %w", s.ID, c.login.Name, err)
	}
	var ports []string
	for _, p := range s.Unit.Ports {
		ports = append(ports, strconv.Itoa(int(p)))
	}
	_, err = c.Run(ctx, script("apply"), bytes.NewReader(archive), number(epoch), s.ID, s.Owner, s.Revision, strings.Join(ports, " "))
	return err
}

// Install runs a command that installs a package. What it says is told when it fails.
func (c *Conn) Install(ctx context.Context, epoch int64, command []string) error {
	_, err := c.Run(ctx, script("install"), nil, append([]string{number(epoch)}, command...)...)
	return err
}

// Remove stops a service and leaves nothing of it. One that is not there is no error.
func (c *Conn) Remove(ctx context.Context, epoch int64, id, owner string) error {
	_, err := c.Run(ctx, script("remove"), nil, number(epoch), id, owner)
	return err
}

// Sweep removes releases and pieces that nothing on the machine needs. Nothing may be on
// its way to the machine meanwhile.
func (c *Conn) Sweep(ctx context.Context, epoch int64) error {
	_, err := c.Run(ctx, script("sweep"), nil, number(epoch))
	return err
}
