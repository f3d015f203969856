# install.sh EPOCH COMMAND...: installs a package. One after the other, since package
# managers want that; nobody else is held up.
fence "$1"; shift
exec 9>&- 7>"$conf/packages"
flock 7
export DEBIAN_FRONTEND=noninteractive NEEDRESTART_MODE=a HOME=/root
umask 022    # files of packages are for all
said=$("$@" 2>&1 < /dev/null 7>&-) || fail 68 "$1: $said"
