package build

import (
	"os"
	"path/filepath"
	"syscall"
)

// A link of kubebox reads more than a gigabyte of build cache. From memory that
// takes seconds, from a slow disk with a small page cache minutes; therefore the
// big build has a cache of its own in shared memory while it lasts.
const (
	shared     = "/dev/shm"
	sharedNeed = 10 << 30
	keepVar    = "SPOCK_KEEP_GOCACHE"
)

type scratch struct {
	dir  string
	used bool
}

func newScratch() *scratch { return &scratch{dir: filepath.Join(shared, "spock-gocache")} }

// env returns the build's cache settings, or nothing where memory is short.
func (s *scratch) env() []string {
	if !s.used && !s.fits() {
		return nil
	}
	tmp := filepath.Join(s.dir, "tmp")
	if err := os.MkdirAll(tmp, 0o755); err != nil {
		return nil
	}
	s.used = true
	return []string{"GOCACHE=" + s.dir, "GOTMPDIR=" + tmp}
}

// fits says whether the cache exists already or has room.
func (s *scratch) fits() bool {
	if _, err := os.Stat(s.dir); err == nil {
		return true
	}
	var fs syscall.Statfs_t
	return syscall.Statfs(shared, &fs) == nil && fs.Bavail*uint64(fs.Bsize) >= sharedNeed
}

// remove gives the memory back, unless someone develops the cluster itself.
func (s *scratch) remove() {
	if os.Getenv(keepVar) != "1" {
		_ = os.RemoveAll(s.dir) // made by env, in shared memory; gone with the next boot at the latest
	}
}
