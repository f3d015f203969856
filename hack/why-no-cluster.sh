#!/usr/bin/env bash
# why-no-cluster.sh prints in one sentence what is missing for a real cluster; nothing when
# all is there.
set -uo pipefail
missing() { echo "$*"; exit 0; }

[ "${CLUSTER:-local}" = current ] && exit
[ "$(uname -s)" = Linux ] || missing "a node needs Linux"
[ "$(uname -m)" = x86_64 ] || missing "the local node's images are made for amd64"
[ "$(id -u)" = 0 ] || missing "a node needs root (or CLUSTER=current and a kubeconfig)"
grep -q ' /sys/fs/cgroup/pids cgroup ' /proc/mounts || missing "a node needs cgroup v1 hierarchies under /sys/fs/cgroup"
unshare --mount --pid --net --uts --ipc --fork true 2>/dev/null || missing "a node needs namespaces, and this machine lets nobody make them"
command -v apt-get >/dev/null || missing "the node's programs are installed by apt"
