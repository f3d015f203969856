# sweep.sh EPOCH: removes releases that no service has, pieces that no release has, and
# uploads that were given up. With the last service everything of Spock's goes, but for
# the epoch.
fence "$1"
cd "$data" 2>/dev/null || exit 0
for release in releases/*; do
  [ -d "$release" ] || continue
  cat "$conf"/services/*/revisions/*/release 2>/dev/null | grep -q -x -F "${release##*/}" || rm -rf "$release"
done
for piece in pieces/*; do
  [ -d "$piece" ] || continue
  cat releases/*/pieces 2>/dev/null | grep -q -x -F "${piece##*/}" || rm -rf "$piece"
done
rm -rf incoming
rmdir releases pieces 2>/dev/null || true
rmdir "$data" 2>/dev/null || true
