# assemble.sh EPOCH RELEASE SHAPE PIECE...: makes a release of its pieces. Files are hard
# links to those of the pieces; the shape, with directories and links, comes last, so that
# its modes are the ones that stay.
fence "$1"; release=$2 shape=$3; shift 3
named "$release" "$shape" "$@"
[ ! -d "$data/releases/$release" ] || exit 0
new=$data/releases/$release.new
rm -rf "$new"
mkdir -p "$new/root"
for piece in "$@" "$shape"; do
  cp -a -l "$data/pieces/$piece/." "$new/root/" || { rm -rf "$new"; exit 1; }
  echo "$piece" >> "$new/pieces"
done
chmod 755 "$new/root"
mv -T "$new" "$data/releases/$release"
