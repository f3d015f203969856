package machine

import (
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"
)

func TestEveryClaimHasANumberOfItsOwn(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "machines")
	var mu sync.Mutex
	seen := map[int]bool{}
	var g sync.WaitGroup
	for range 20 {
		g.Go(func() {
			n, state, err := Claim(folder)
			mu.Lock()
			defer mu.Unlock()
			if err != nil || seen[n] || n < 1 || n > 20 || filepath.Dir(state) != folder {
				t.Errorf("Claim() = %d, %s, %v", n, state, err)
			}
			seen[n] = true
		})
	}
	g.Wait()
	// What is given back, or was left long ago, is claimed again.
	old := time.Now().Add(-2 * abandoned)
	for _, n := range []string{"3", "7"} {
		if err := os.Chtimes(filepath.Join(folder, n), old, old); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Remove(filepath.Join(folder, "5")); err != nil {
		t.Fatal(err)
	}
	for _, want := range []int{3, 5, 7, 21} {
		if n, _, err := Claim(folder); err != nil || n != want {
			t.Errorf("Claim() = %d, %v, want %d", n, err, want)
		}
	}
}
