// Package source keeps what was rendered from a directory of files, by its content, so
// that an event that changes nothing of it renders nothing.
package source

import (
	"crypto/sha256"
	"encoding/binary"
	"maps"
	"slices"
	"sync"
)

// Files are the files of a directory, by path.
type Files = map[string]string

// Error says what is wrong with a directory and what to do. Both are clauses without a
// full stop.
type Error struct{ Problem, Remedy string }

func (e *Error) Error() string { return e.Problem + "; " + e.Remedy }

// Key is the digest of all that a rendering depends on.
type Key [sha256.Size]byte

// KeyOf digests the files and the other inputs. Each part is written with its length, so
// that no two inputs read the same.
func KeyOf(files Files, inputs ...string) Key {
	hash := sha256.New()
	put := func(text string) {
		_ = binary.Write(hash, binary.BigEndian, uint64(len(text))) // a hash never fails
		hash.Write([]byte(text))
	}
	for _, input := range inputs {
		put(input)
	}
	for _, name := range slices.Sorted(maps.Keys(files)) {
		put(name)
		put(files[name])
	}
	return Key(hash.Sum(nil))
}

// Cache holds renderings up to a size; the oldest go first. A nil Cache holds nothing. It
// is safe for concurrent use.
type Cache struct {
	max, size int

	mu    sync.Mutex
	texts map[Key]string
	order []Key
}

// NewCache returns a cache of at most so many bytes.
func NewCache(max int) *Cache { return &Cache{max: max, texts: map[Key]string{}} }

// Render returns what is kept under the key, else what render makes. Failures are not
// kept.
func (c *Cache) Render(key Key, render func() (string, error)) (string, error) {
	if c == nil {
		return render()
	}
	if text, ok := c.get(key); ok {
		return text, nil
	}
	text, err := render()
	if err == nil {
		c.put(key, text)
	}
	return text, err
}

func (c *Cache) get(key Key) (string, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	text, ok := c.texts[key]
	return text, ok
}

func (c *Cache) put(key Key, text string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if _, ok := c.texts[key]; ok || len(text) > c.max {
		return
	}
	c.texts[key], c.order, c.size = text, append(c.order, key), c.size+len(text)
	for c.size > c.max {
		oldest := c.order[0]
		c.size -= len(c.texts[oldest])
		delete(c.texts, oldest)
		c.order = c.order[1:]
	}
}
