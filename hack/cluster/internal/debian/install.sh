# install BASE UPPER WORK MERGED BEFORE PACKAGES AFTER: runs in a mount namespace of its own
base=$1 upper=$2 work=$3 root=$4 before=$5 packages=$6 after=$7
mount -t overlay overlay -o "lowerdir=$base,upperdir=$upper,workdir=$work" "$root"
mount -t proc proc "$root/proc"
mount --rbind /dev "$root/dev"
for d in tmp run var/cache/apt var/lib/apt/lists var/log; do mount -t tmpfs tmpfs "$root/$d"; done
mkdir -p "$root/var/log/apt" "$root/var/cache/apt/archives/partial"
mount --bind /etc/resolv.conf "$root/etc/resolv.conf"
# no service may start while its package is installed
printf '#!/bin/sh\nexit 101\n' > "$root/usr/sbin/policy-rc.d"
chmod 755 "$root/usr/sbin/policy-rc.d"
export DEBIAN_FRONTEND=noninteractive LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
chroot "$root" sh -euc "$before"
chroot "$root" apt-get update -qq >&2
chroot "$root" apt-get install -y -qq --no-install-recommends $packages >&2
chroot "$root" sh -euc "$after"
rm "$root/usr/sbin/policy-rc.d"
