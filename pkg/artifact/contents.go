package artifact

import (
	"container/list"

	"spock.dev/spock/pkg/source"
)

// identity is of what was fetched and of who may have it: the same artifact, fetched with
// other credentials, is another content.
type identity struct {
	image    string // repository and digest
	insecure bool
	keys     [32]byte // of the credentials; zero without any
}

// contents are artifacts, up to a size; those that were not asked for the longest time go first.
type contents struct {
	max, size int64
	order     *list.List // newest first
	by        map[identity]*list.Element
}

// content is an artifact that is kept.
type content struct {
	identity
	layers []source.Layer
	size   int64
}

func newContents(max int64) *contents {
	return &contents{max: max, order: list.New(), by: map[identity]*list.Element{}}
}

func (c *contents) get(id identity) ([]source.Layer, bool) {
	e, ok := c.by[id]
	if !ok {
		return nil, false
	}
	c.order.MoveToFront(e)
	return e.Value.(*content).layers, true
}

func (c *contents) put(id identity, layers []source.Layer) {
	if _, there := c.get(id); there {
		return
	}
	made := &content{id, layers, sizeOf(layers)}
	c.by[id] = c.order.PushFront(made)
	c.size += made.size
	for c.size > c.max && c.order.Len() > 1 {
		oldest := c.order.Remove(c.order.Back()).(*content)
		delete(c.by, oldest.identity)
		c.size -= oldest.size
	}
}

// overhead is what is reckoned for a layer besides its content.
const overhead = 1 << 10

func sizeOf(layers []source.Layer) int64 {
	var size int64
	for _, layer := range layers {
		size += int64(len(layer.Data)) + overhead
	}
	return size
}
