// Package clone brings one revision of a git repository into a directory.
//
// What git is told is data: Commands builds the argument vectors from Options and is
// pure. Run executes them. Nothing passes through a shell, and no value can become an
// option of git or choose a transport that runs commands.
package clone

import (
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
)

// Options say what to clone, and whereto. The names follow the git-clone Task.
type Options struct {
	// URL of the repository.
	URL string
	// Revision is a branch, tag or commit; the default branch when empty.
	Revision string
	// Refspec is fetched before the revision is checked out; empty fetches the revision.
	Refspec string
	// Depth of the history; 0 fetches all of it.
	Depth int
	// Submodules are fetched as well.
	Submodules bool
	// SSLVerify checks the certificate of the server.
	SSLVerify bool
	// CAFile holds certificates to trust; the system's when empty.
	CAFile string
	// Sparse restricts the checkout to these directories.
	Sparse []string
	// Workspace is the root of the workspace; Subdirectory the place below it.
	Workspace, Subdirectory string
	// DeleteExisting empties the directory first.
	DeleteExisting bool
}

// Directory is where the repository goes.
func (o Options) Directory() string { return filepath.Join(o.Workspace, o.Subdirectory) }

var (
	helperTransport = regexp.MustCompile(`^[A-Za-z0-9+.-]*::`)
	commitID        = regexp.MustCompile(`^([0-9a-f]{40}|[0-9a-f]{64})$`)
)

// Validate refuses what git would not take for a value, in sentences.
func (o Options) Validate() error {
	var problems []error
	switch {
	case o.URL == "":
		problems = append(problems, errors.New("url: it is empty; give the address of a repository"))
	case strings.HasPrefix(o.URL, "-"):
		problems = append(problems, fmt.Errorf("url %q: it begins with a dash; give the address of a repository", o.URL))
	case helperTransport.MatchString(o.URL):
		problems = append(problems, fmt.Errorf("url %q: transports of the form name:: may run commands; use https, ssh, git or file", o.URL))
	}
	for field, value := range map[string]string{"revision": o.Revision, "refspec": o.Refspec} {
		if strings.HasPrefix(value, "-") || strings.ContainsAny(value, "\n\x00") {
			problems = append(problems, fmt.Errorf("%s %q: it begins with a dash or holds a line break; name a branch, tag or commit", field, value))
		}
	}
	if o.Depth < 0 {
		problems = append(problems, fmt.Errorf("depth %d: it is negative; 0 fetches the whole history", o.Depth))
	}
	if o.Subdirectory != "" && !filepath.IsLocal(o.Subdirectory) {
		problems = append(problems, fmt.Errorf("subdirectory %q: it leaves the workspace; name a directory below it", o.Subdirectory))
	}
	return errors.Join(problems...)
}

// Command is one call of git.
type Command struct {
	// Args follow `git`.
	Args []string
	// Otherwise replaces the command when it fails; empty means the failure is final.
	Otherwise [][]string
}

// Commands are the calls that bring the revision into the directory, in order.
func (o Options) Commands() []Command {
	commands := []Command{
		{Args: []string{"init", "--quiet", o.Directory()}},
		{Args: o.in("remote", "add", "--", "origin", o.URL), Otherwise: [][]string{o.in("remote", "set-url", "--", "origin", o.URL)}},
	}
	if len(o.Sparse) > 0 {
		commands = append(commands, Command{Args: o.in(append([]string{"sparse-checkout", "set", "--"}, o.Sparse...)...)})
	}
	commands = append(commands, o.fetch(), Command{Args: o.in("checkout", "--quiet", "--force", "--detach", o.target(), "--")})
	if o.Submodules {
		update := append([]string{"submodule", "update", "--init", "--recursive", "--force"}, o.depth()...)
		commands = append(commands, Command{Args: o.in(update...)})
	}
	return commands
}

// fetch asks for the revision alone. Servers that hand out no bare commit are asked for
// everything instead.
func (o Options) fetch() Command {
	what := o.Revision
	if o.Refspec != "" {
		what = o.Refspec
	}
	if what == "" {
		what = "HEAD"
	}
	fetch := append([]string{"fetch", "--quiet", "--force", "--update-head-ok"}, o.depth()...)
	command := Command{Args: o.in(append(fetch, "--", "origin", what)...)}
	if o.Refspec == "" && commitID.MatchString(o.Revision) {
		command.Otherwise = [][]string{
			o.in("fetch", "--quiet", "--force", "--update-head-ok", "--tags", "--", "origin", "+refs/heads/*:refs/remotes/origin/*"),
			o.in("update-ref", "FETCH_HEAD", o.Revision),
		}
	}
	return command
}

func (o Options) target() string {
	if o.Refspec != "" && o.Revision != "" {
		return o.Revision
	}
	return "FETCH_HEAD"
}

func (o Options) depth() []string {
	if o.Depth == 0 {
		return nil
	}
	return []string{"--depth=" + strconv.Itoa(o.Depth)}
}

// in runs git in the directory with the settings of this clone. The directory may belong
// to another user, as those of volumes do; it is named as safe, and no other one.
func (o Options) in(args ...string) []string {
	settings := []string{
		"-C", o.Directory(), "-c", "safe.directory=" + o.Directory(),
		"-c", "protocol.ext.allow=never", "-c", "advice.detachedHead=false",
		"-c", "http.sslVerify=" + strconv.FormatBool(o.SSLVerify),
	}
	if o.CAFile != "" {
		settings = append(settings, "-c", "http.sslCAInfo="+o.CAFile)
	}
	return append(settings, args...)
}
