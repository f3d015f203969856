package host

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"strconv"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"spock.dev/spock/pkg/rootfs"
)

// Release is an image, ready to be brought to machines.
type Release struct {
	// Key names it on a machine: the same key is the same files.
	Key string
	// Config is the image's: its program, variables and user.
	Config v1.Config

	parts []rootfs.Part
	// passwd and group name the user that a service of it has.
	passwd, group string
}

// NewRelease reads an image. What is not safe to unpack is refused here.
func NewRelease(image v1.Image) (*Release, error) {
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("read the image's config: %w", err)
	}
	found, err := image.Layers()
	if err != nil {
		return nil, fmt.Errorf("read the image's layers: %w", err)
	}
	layers := make([]rootfs.Layer, 0, len(found))
	for _, l := range found {
		id, err := l.DiffID()
		if err != nil {
			return nil, fmt.Errorf("read the image's layers: %w", err)
		}
		layers = append(layers, rootfs.Layer{DiffID: id.String(), Open: l.Uncompressed})
	}
	r, err := newRelease(layers, config.Config.User)
	if err == nil {
		r.Config = config.Config
	}
	return r, err
}

func newRelease(layers []rootfs.Layer, user string) (*Release, error) {
	tree, err := rootfs.Read(layers, user, rootfs.Usual())
	if err != nil {
		return nil, err
	}
	r := &Release{Key: tree.Key(), parts: tree.Parts()}
	r.passwd, r.group = tree.Accounts()
	return r, nil
}

// Root is where a release's files are on a machine.
func (r *Release) Root() string { return "/var/lib/spock/releases/" + r.Key + "/root" }

// bytes of the whole release.
func (r *Release) bytes() int64 {
	var sum int64
	for _, p := range r.parts {
		sum += p.Bytes
	}
	return sum
}

// Bring makes the release on the machine, and sends what is not there yet. sent is
// called with the bytes that are there, as they grow.
func (c *Conn) Bring(ctx context.Context, epoch int64, r *Release, sent func(bytes int64)) error {
	keys := make([]string, 0, len(r.parts))
	for _, p := range r.parts {
		keys = append(keys, p.Key)
	}
	out, err := c.Run(ctx, script("have"), nil, append([]string{r.Key}, keys...)...)
	if err != nil {
		return err
	}
	there := parseHave(out)
	if there.release {
		return nil
	}
	var done int64
	for i := range r.parts {
		p := &r.parts[i]
		if !there.pieces[p.Key] {
			if err := c.send(ctx, epoch, p, func(bytes int64) { sent(done + bytes) }); err != nil {
				return err
			}
		}
		done += p.Bytes
		sent(done)
	}
	_, err = c.Run(ctx, script("assemble"), nil, append([]string{number(epoch), r.Key}, keys...)...)
	return err
}

func number(n int64) string { return strconv.FormatInt(n, 10) }

// send sends what is missing of a part, and has it unpacked. A part that another release
// shares may be on its way already: then it is there when that has come.
func (c *Conn) send(ctx context.Context, epoch int64, p *rootfs.Part, sent func(int64)) error {
	defer c.hold(p.Key)()
	out, err := c.Run(ctx, script("have"), nil, p.Key, p.Key)
	if err != nil {
		return err
	}
	there := parseHave(out)
	if there.pieces[p.Key] {
		return nil
	}
	offset := there.partial[p.Key]
	reader, writer := io.Pipe()
	sum := &counted{hash: sha256.New(), from: offset, to: writer, sent: sent}
	written := make(chan error, 1)
	go func() {
		err := p.Write(sum)
		_ = writer.CloseWithError(err)
		written <- err
	}()
	_, err = c.Run(ctx, script("receive"), reader, number(epoch), p.Key, number(offset))
	reader.Close()
	if failed := <-written; failed != nil && err == nil {
		err = fmt.Errorf("read the image: %w", failed)
	}
	if err != nil {
		return err
	}
	_, err = c.Run(ctx, script("unpack"), nil, number(epoch), p.Key, hex.EncodeToString(sum.hash.Sum(nil)))
	return err
}

// counted hashes all that is written, and passes on what lies behind an offset.
type counted struct {
	hash hash.Hash
	at   int64
	from int64
	to   io.Writer
	sent func(int64)
}

func (c *counted) Write(p []byte) (int, error) {
	c.hash.Write(p)
	skip := min(int64(len(p)), max(0, c.from-c.at))
	c.at += int64(len(p))
	if rest := p[skip:]; len(rest) > 0 {
		if _, err := c.to.Write(rest); err != nil {
			return 0, err
		}
	}
	c.sent(c.at)
	return len(p), nil
}

// there is what a machine has of a release.
type there struct {
	release bool
	pieces  map[string]bool
	partial map[string]int64
}

// parseHave reads what have.sh prints.
func parseHave(out string) there {
	t := there{pieces: map[string]bool{}, partial: map[string]int64{}}
	for line := range strings.Lines(out) {
		words := strings.Fields(line)
		switch {
		case len(words) == 2 && words[0] == "release":
			t.release = true
		case len(words) == 2 && words[0] == "piece":
			t.pieces[words[1]] = true
		case len(words) == 3 && words[0] == "partial":
			if n, err := strconv.ParseInt(words[2], 10, 64); err == nil && n >= 0 {
				t.partial[words[1]] = n
			}
		}
	}
	return t
}
