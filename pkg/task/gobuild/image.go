package gobuild

import (
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
)

// nonroot is the user of an image whose base names none.
const nonroot = "65532"

// Origin says what an image stands on; it becomes annotations. It does not name the
// commit: a service that a commit did not change keeps its digest.
type Origin struct {
	// Base is the base image, BaseDigest the digest it had.
	Base, BaseDigest string
}

// Assemble puts the command and its kodata on top of the base.
func Assemble(base v1.Image, p Package, binary string, origin Origin) (v1.Image, error) {
	app, err := binaryLayer(p, binary)
	if err != nil {
		return nil, err
	}
	data, err := dataLayer(p)
	if err != nil {
		return nil, err
	}
	var additions []mutate.Addendum
	if data != nil {
		additions = append(additions, addendum(data, "kodata contents, at $KO_DATA_PATH"))
	}
	additions = append(additions, addendum(app, "go build output, at "+path.Join(appDirectory, p.Service())))
	image, err := mutate.Append(base, additions...)
	if err != nil {
		return nil, fmt.Errorf("assemble the image of %s: %w", p.ImportPath, err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, fmt.Errorf("assemble the image of %s: %w", p.ImportPath, err)
	}
	image, err = mutate.ConfigFile(image, configure(config.DeepCopy(), p))
	if err != nil {
		return nil, fmt.Errorf("assemble the image of %s: %w", p.ImportPath, err)
	}
	return mutate.Annotations(image, origin.annotations()).(v1.Image), nil
}

func addendum(l v1.Layer, comment string) mutate.Addendum {
	return mutate.Addendum{Layer: l, History: v1.History{Author: "spock", CreatedBy: "spock build", Comment: comment, Created: v1.Time{Time: time.Unix(0, 0)}}}
}

func configure(c *v1.ConfigFile, p Package) *v1.ConfigFile {
	c.Created = v1.Time{Time: time.Unix(0, 0)}
	c.Author = "spock"
	c.Config.Entrypoint = []string{path.Join(appDirectory, p.Service())}
	c.Config.Cmd = nil
	if c.Config.User == "" {
		c.Config.User = nonroot
	}
	c.Config.Env = environment(c.Config.Env)
	return c
}

// environment puts the command's directory on the PATH and says where the data is.
func environment(env []string) []string {
	out := slices.DeleteFunc(slices.Clone(env), func(v string) bool { return strings.HasPrefix(v, "KO_DATA_PATH=") })
	i := slices.IndexFunc(out, func(v string) bool { return strings.HasPrefix(v, "PATH=") })
	if i < 0 {
		out = append(out, "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
		i = len(out) - 1
	}
	out[i] += ":" + appDirectory
	return append(out, "KO_DATA_PATH="+dataDirectory)
}

func (o Origin) annotations() map[string]string {
	return map[string]string{
		"org.opencontainers.image.base.name":   o.Base,
		"org.opencontainers.image.base.digest": o.BaseDigest,
	}
}
