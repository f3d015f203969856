package rootfs

import (
	"archive/tar"
	"fmt"
	"io"
	"io/fs"
	"path"
	"strconv"
	"strings"
)

// maxText is how much is read of the files that name users.
const maxText = 256 << 10

// who is the image's user, in numbers.
type who struct{ uid, gid int }

// keepText keeps the content of a file that names users. Of several of one name in a
// layer only the last one counts.
func (r *reading) keepText(at source, header *tar.Header, content io.Reader) error {
	name := path.Clean("/" + header.Name)
	if !regular(header) || name != "/etc/passwd" && name != "/etc/group" {
		return nil
	}
	text, err := io.ReadAll(io.LimitReader(content, maxText))
	if err != nil {
		return err
	}
	if before, ok := r.last[name]; ok && before.layer == at.layer {
		delete(r.texts, before)
	}
	r.texts[at], r.last[name] = string(text), at
	return nil
}

// whoIs finds the user of a config in the tree's own /etc/passwd and /etc/group.
func (r *reading) whoIs(user string) (who, error) {
	name, group, grouped := strings.Cut(user, ":")
	if name == "" {
		name = "0"
	}
	uid, primary, err := r.lookUp(name, "etc/passwd", 3)
	if err != nil {
		return who{}, fmt.Errorf("find user %q of the image: %w", short(name), err)
	}
	if !grouped || group == "" {
		return who{uid, primary}, nil
	}
	gid, _, err := r.lookUp(group, "etc/group", 0)
	if err != nil {
		return who{}, fmt.Errorf("find group %q of the image: %w", short(group), err)
	}
	return who{uid, gid}, nil
}

// lookUp finds the number of a name, and the number in one more field of its line. A
// number that no line has stands for itself.
func (r *reading) lookUp(name, file string, more int) (id, extra int, err error) {
	parts := strings.Split(file, "/")
	if n, _ := r.tree.find(parts); n != nil && n.kind == 0 {
		for line := range strings.Lines(r.texts[n.from]) {
			fields := strings.Split(strings.TrimSpace(line), ":")
			if len(fields) <= max(2, more) || fields[0] != name && fields[2] != name {
				continue
			}
			id, err = number(fields[2])
			if err != nil {
				return 0, 0, err
			}
			extra, err = number(fields[max(2, more)])
			return id, extra, err
		}
	}
	id, err = number(name)
	if err != nil {
		return 0, 0, fmt.Errorf("it has no such name in /%s", file)
	}
	return id, 0, nil
}

func number(text string) (int, error) {
	n, err := strconv.ParseUint(text, 10, 31)
	return int(n), err
}

// permissions are those of a node on the machine, where all belongs to root: others may
// do what the image's user could, but for writing.
func (w who) permissions(n *node) fs.FileMode {
	others := n.mode & 0o7
	switch {
	case w.uid == 0:
		others |= n.mode>>6&0o7 | n.mode>>3&0o7
		if n.kind == fs.ModeDir {
			others |= 0o5 // root looks into every directory
		} else {
			others |= 0o4
		}
	case n.uid == w.uid:
		others = n.mode >> 6 & 0o7
	case n.gid == w.gid:
		others = n.mode >> 3 & 0o7
	}
	others &^= 0o2
	mode := n.mode&0o700 | 0o600 | others<<3 | others
	if n.kind == fs.ModeDir {
		mode |= 0o700
	}
	return mode
}

// text is what a file that names users holds in the end.
func (r *reading) text(file string) string {
	if n, _ := r.tree.find(strings.Split(file, "/")); n != nil && n.kind == 0 {
		return r.texts[n.from]
	}
	return ""
}

// Someone stands in the texts of Accounts for the number of a user that is not known yet.
const Someone = "@UID@"

// Accounts are an /etc/passwd and an /etc/group of the tree in which the image's user has
// the number of Someone, and keeps its name: programs ask who they are. A user that they
// do not name, and root, which a service never is, is named spock.
func (t *Tree) Accounts() (passwd, group string) {
	own := fmt.Sprint(t.who.uid)
	if t.who.uid == 0 {
		own = "none"
	}
	passwd, found := replaced(t.passwd, 7, own, func(fields []string) { fields[2], fields[3] = Someone, Someone })
	if !found {
		passwd += "spock:x:" + Someone + ":" + Someone + "::/:/bin/false\n"
	}
	own = fmt.Sprint(t.who.gid)
	if t.who.gid == 0 {
		own = "none"
	}
	group, found = replaced(t.group, 4, own, func(fields []string) { fields[2] = Someone })
	if !found {
		group += "spock:x:" + Someone + ":\n"
	}
	return passwd, group
}

// replaced changes the first line with a number, and leaves out the others that have it.
func replaced(text string, length int, number string, change func(fields []string)) (string, bool) {
	var out strings.Builder
	found := false
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimRight(line, "\r\n"), ":")
		if len(fields) != length || fields[2] == number && found {
			continue
		}
		if fields[2] == number {
			found = true
			change(fields)
		}
		out.WriteString(strings.Join(fields, ":") + "\n")
	}
	return out.String(), found
}
