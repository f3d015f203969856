# begin.sh: what all scripts begin with. Exit codes are read by failure.go.
set -eu
umask 077
export LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
data=/var/lib/spock    # what is large: uploads, pieces of images, releases
conf=/etc/spock        # what is small: a directory per service
units=/etc/systemd/system

fail() { code=$1; shift; echo "$*" >&2; exit "$code"; }

# fence EPOCH: refuses who is not the newest controller any more. Who is newer than all
# before leaves its epoch. The lock is held until the script ends.
fence() {
  mkdir -p "$conf/services"
  exec 9>"$conf/lock"
  flock 9
  newest=$(cat "$conf/epoch" 2>/dev/null || echo 0)
  [ "$1" -ge "$newest" ] || fail 65 "epoch $1 is older than $newest"
  [ "$1" -eq "$newest" ] || { echo "$1" > "$conf/epoch.new"; mv -T "$conf/epoch.new" "$conf/epoch"; }
}

# stale notes that systemd must read its units anew, when they are written. reread has it do
# so, once for all who have noted it until then; it waits for nobody else's lock.
stale() { : > "$conf/stale"; }
reread() {
  exec 6>"$conf/reread"
  flock 6
  if [ -e "$conf/stale" ]; then
    rm -f "$conf/stale"    # before it reads: what is noted from now on may be too late for it
    systemctl daemon-reload || { stale; fail 1 "systemd cannot read its units"; }
  fi
  exec 6>&-
}

# named NAME...: refuses what is no plain name, so that no path can be made of it.
named() {
  for n in "$@"; do
    case $n in ''|.*|*[!a-zA-Z0-9._-]*) fail 64 "no name: $n" ;; esac
  done
}

# units_of ID: its unit, and that of its sockets where there is one: systemd keeps what it is
# asked about, also when that is not there.
units_of() {
  echo "spock-$1.service"
  [ ! -f "$units/spock-$1.socket" ] || echo "spock-$1.socket"
}

# ours ID OWNER: refuses a service that belongs to somebody else.
ours() {
  owner=$(cat "$conf/services/$1/owner" 2>/dev/null || echo "$2")
  [ "$owner" = "$2" ] || fail 66 "it belongs to $owner"
}
