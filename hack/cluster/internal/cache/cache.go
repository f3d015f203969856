// Package cache keeps what is expensive to make, by content: an entry's folder
// is named after a hash of everything that went into it, is made beside its
// place and moved there when it is whole. So an entry that exists is right, and
// an interrupted run leaves nothing half made behind.
package cache

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// Cache is a folder of entries.
type Cache struct{ root string }

// keepFor is how long an entry stays that a newer one of the same name replaced.
const keepFor = 72 * time.Hour

// Open returns the user's cache.
func Open() (Cache, error) {
	user, err := os.UserCacheDir()
	if err != nil {
		return Cache{}, fmt.Errorf("finding the user's cache folder: %w", err)
	}
	return At(filepath.Join(user, "spock", "cluster"))
}

// At returns the cache in a folder.
func At(root string) (Cache, error) {
	if err := os.MkdirAll(root, 0o755); err != nil {
		return Cache{}, fmt.Errorf("creating the cache: %w", err)
	}
	return Cache{root: root}, nil
}

// Key is a hash of parts, in order.
func Key(parts ...string) string {
	h := sha256.New()
	for _, p := range parts {
		fmt.Fprintf(h, "%d:%s", len(p), p)
	}
	return hex.EncodeToString(h.Sum(nil))[:20]
}

// FileKey is a hash of the contents of files.
func FileKey(paths ...string) (string, error) {
	var parts []string
	for _, p := range paths {
		raw, err := os.ReadFile(p)
		if err != nil {
			return "", fmt.Errorf("hashing a source: %w", err)
		}
		parts = append(parts, filepath.Base(p), string(raw))
	}
	return Key(parts...), nil
}

// Has says whether an entry exists, and where.
func (c Cache) Has(name, key string) (string, bool) {
	dir := filepath.Join(c.root, name, key)
	_, err := os.Stat(dir)
	return dir, err == nil
}

// Ensure returns the folder of an entry; if there is none yet, make fills it.
// Two processes that want the same entry make it once.
func (c Cache) Ensure(name, key string, make func(dir string) error) (string, error) {
	dir, ok := c.Has(name, key)
	if ok {
		now := time.Now()
		_ = os.Chtimes(dir, now, now) // a hint for prune; the entry is good without it
		return dir, nil
	}
	unlock, err := c.Lock(name)
	if err != nil {
		return "", err
	}
	defer unlock()
	if _, ok := c.Has(name, key); ok {
		return dir, nil
	}
	if err := c.fill(dir, make); err != nil {
		return "", fmt.Errorf("%s: %w", name, err)
	}
	c.prune(name, key)
	return dir, nil
}

func (c Cache) fill(dir string, make func(dir string) error) error {
	part := dir + ".part"
	if err := os.RemoveAll(part); err != nil {
		return fmt.Errorf("removing what an interrupted run left: %w", err)
	}
	if err := os.MkdirAll(part, 0o755); err != nil {
		return fmt.Errorf("creating a cache entry: %w", err)
	}
	if err := make(part); err != nil {
		return err
	}
	return os.Rename(part, dir)
}

// prune removes older entries of the same name that nobody used for a while.
func (c Cache) prune(name, keep string) {
	entries, _ := os.ReadDir(filepath.Join(c.root, name))
	for _, e := range entries {
		info, err := e.Info()
		if err != nil || e.Name() == keep || time.Since(info.ModTime()) < keepFor {
			continue
		}
		_ = os.RemoveAll(filepath.Join(c.root, name, e.Name()))
	}
}

// Lock waits for an exclusive lock of a name among all users of the cache.
func (c Cache) Lock(name string) (unlock func(), err error) {
	return Lock(filepath.Join(c.root, "locks", name))
}

// Lock waits for an exclusive lock on a file; the kernel frees it when the process ends.
func Lock(path string) (unlock func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return nil, fmt.Errorf("creating a lock: %w", err)
	}
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("creating a lock: %w", err)
	}
	for {
		err = syscall.Flock(int(f.Fd()), syscall.LOCK_EX)
		if err != syscall.EINTR {
			break
		}
	}
	if err != nil {
		f.Close()
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return func() { f.Close() }, nil
}
