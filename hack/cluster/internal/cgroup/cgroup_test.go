package cgroup

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestHierarchies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		mounts string
		want   []string
	}{
		"version 1 hierarchies are taken, the unified one is not": {
			mounts: "tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n" +
				"cgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n",
			want: []string{"/sys/fs/cgroup/cpu,cpuacct", "/sys/fs/cgroup/systemd"},
		},
		"a hierarchy mounted elsewhere is somebody else's": {mounts: "cgroup /mnt/cgroup/cpu cgroup rw,cpu 0 0\n"},
		"a machine with only version 2 has none":           {mounts: "cgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n"},
	}
	for name, tc := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if diff := cmp.Diff(tc.want, hierarchies(tc.mounts)); diff != "" {
				t.Errorf("hierarchies (-want +got):\n%s", diff)
			}
		})
	}
}

func TestRemovingWhatIsNotThereSucceeds(t *testing.T) {
	t.Parallel()
	if err := removeOnce(t.TempDir() + "/none"); err != nil {
		t.Errorf("removeOnce of nothing = %v", err)
	}
}
