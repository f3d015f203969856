package machine

import (
	"fmt"
	"os"
	"strconv"
	"strings"
)

// watchers is the kernel's file with how many instances of inotify a user may have. All
// machines are root's, and a systemd with its journal and bus holds about six of them:
// the usual limit of 128 is reached before twenty machines.
const watchers = "/proc/sys/fs/inotify/max_user_instances"

// enough of them for as many machines as there are numbers.
const enough = 2048

// allowMany raises the limit where it is lower. It stays so until this machine boots again.
func allowMany(file string) error {
	raw, err := os.ReadFile(file)
	if err != nil {
		return fmt.Errorf("read a limit of the kernel: %w", err)
	}
	limit, err := strconv.Atoi(strings.TrimSpace(string(raw)))
	if err != nil {
		return fmt.Errorf("read the limit %s: %w", file, err)
	}
	if limit >= enough {
		return nil
	}
	if err := os.WriteFile(file, []byte(strconv.Itoa(enough)), 0o644); err != nil {
		return fmt.Errorf("raise a limit of the kernel: %w", err)
	}
	return nil
}
