# facts.sh: what the machine is, as NAME=VALUE lines. Changes nothing.
missing=
for tool in systemctl journalctl flock tar sha256sum nsenter stat mv cp ln timeout; do
  command -v $tool >/dev/null || missing="$missing $tool"
done
[ -z "$missing" ] || fail 64 "missing:$missing"
[ "$(id -u)" = 0 ] || fail 64 "not root"
[ -d /run/systemd/system ] || fail 64 "systemd does not run it"
version=$(systemctl --version | sed -n '1s/^systemd \([0-9]*\).*/\1/p')
[ "${version:-0}" -ge 247 ] || fail 64 "systemd ${version:-of unknown version} is older than 247"
echo "os=$(. /etc/os-release 2>/dev/null; echo "${PRETTY_NAME:-unknown}")"
echo "arch=$(uname -m)"
echo "kernel=$(uname -r)"
echo "systemd=$version"
echo "cpus=$(nproc)"
echo "memoryKiB=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)"
disk=$data
[ -d "$disk" ] || disk=/var/lib
echo "diskKiB=$(df -kP "$disk" | sed -n '2p' | { read -r _ all _; echo "$all"; })"
echo "diskFreeKiB=$(df -kP "$disk" | sed -n '2p' | { read -r _ _ _ free _; echo "$free"; })"
