# offer: runs in a tree with its packages in $packages, and makes it a machine whose apt knows
# one repository, on its own disk: those packages and what the tree lacks of all they depend on
apt-get install -y -qq --download-only $packages >&2
mkdir -p /srv/packages
mv /var/cache/apt/archives/*.deb /srv/packages
cd /srv/packages
for deb in *.deb; do
  dpkg-deb --field "$deb"
  printf 'Filename: ./%s\nSize: %s\nSHA256: %s\n\n' "$deb" "$(stat -c %s "$deb")" "$(sha256sum "$deb" | cut -d' ' -f1)"
done > Packages
echo 'deb [trusted=yes] file:/srv/packages ./' > /etc/apt/sources.list
