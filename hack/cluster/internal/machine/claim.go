package machine

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"spock.dev/spock/hack/cluster/internal/cgroup"
)

// most is the highest number of a machine.
const most = 200

// abandoned is how old the state of a machine is at least that does not run and that nobody
// boots any more.
const abandoned = 5 * time.Minute

// Claim returns the lowest number that nobody has, and its state below a folder, which is
// made: two who claim at once get two numbers.
func Claim(folder string) (number int, state string, err error) {
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return 0, "", fmt.Errorf("create the folder of machines: %w", err)
	}
	for n := 1; n <= most; n++ {
		state := filepath.Join(folder, fmt.Sprint(n))
		err := os.Mkdir(state, 0o700)
		switch {
		case err == nil:
			return n, state, nil
		case !errors.Is(err, fs.ErrExist):
			return 0, "", fmt.Errorf("claim a machine: %w", err)
		case isAbandoned(Machine{Number: n, State: state}):
			now := time.Now()
			return n, state, os.Chtimes(state, now, now)
		}
	}
	return 0, "", fmt.Errorf("all %d machines are taken", most)
}

func isAbandoned(m Machine) bool {
	info, err := os.Stat(m.State)
	return err == nil && time.Since(info.ModTime()) > abandoned && len(cgroup.Processes(m.Name())) == 0
}

// Folder is where machines have their state, unless told otherwise.
const Folder = "/run/spock-machine"

// DownOf ends all machines of a cluster, which are found by its name.
func DownOf(ctx context.Context, cluster string) error {
	orders, err := filepath.Glob(filepath.Join(Folder, "*", "order.json"))
	if err != nil {
		return err
	}
	var problems []error
	for _, path := range orders {
		o, err := load(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // it is being ended by somebody else
		}
		if err == nil && o.Machine.Cluster != nil && o.Machine.Cluster.Name == cluster {
			err = o.Machine.Down(ctx)
		}
		problems = append(problems, err)
	}
	return errors.Join(problems...)
}
