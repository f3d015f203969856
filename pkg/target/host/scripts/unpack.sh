# unpack.sh EPOCH PIECE SHA256: unpacks a piece that has come whole.
named "$2" "$3"
fence "$1"
[ ! -d "$data/pieces/$2" ] || exit 0
sum=$(sha256sum < "$data/incoming/$2")
if [ "${sum%% *}" != "$3" ]; then
  rm -f "$data/incoming/$2"
  fail 1 "what arrived is not what was sent; it is removed, to be sent again"
fi
rm -rf "$data/pieces/$2.new"
mkdir -p "$data/pieces/$2.new"
tar -x -p -f "$data/incoming/$2" -C "$data/pieces/$2.new" || { rm -rf "$data/pieces/$2.new"; exit 1; }
mv -T "$data/pieces/$2.new" "$data/pieces/$2"
rm -f "$data/incoming/$2"
