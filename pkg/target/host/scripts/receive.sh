# receive.sh EPOCH PIECE OFFSET: takes the rest of a piece from its input. It holds no
# lock while it waits for input: when the network is cut it may wait for long, and what
# another one writes meanwhile is checked as a whole in the end.
named "$2"
fence "$1"
exec 9>&-
mkdir -p "$data/incoming"
exec 8>>"$data/incoming/$2"
[ "$(stat -c %s "$data/incoming/$2")" = "$3" ] || fail 1 "the piece has grown meanwhile"
cat >&8
