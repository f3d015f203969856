# have.sh RELEASE PIECE...: what is there of a release, and how much of what is not.
named "$@"
[ ! -d "$data/releases/$1" ] || echo "release $1"
shift
for piece in "$@"; do
  if [ -d "$data/pieces/$piece" ]; then echo "piece $piece"
  elif [ -f "$data/incoming/$piece" ]; then echo "partial $piece $(stat -c %s "$data/incoming/$piece")"
  fi
done
