#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Turns the installed root $1 into an EROFS image; mmdebstrap runs this as (namespaced) root.
# $1/.glassbell/settings sets REMOVE (patterns), TOOLS, RUN (commands or nothing), WARM (code for the
# worker or nothing) and EROFS (options); the results are $1/.glassbell/image and
# $1/.glassbell/packages.
# shellcheck disable=SC2016 # what is in single quotes is for other readers
set -eu

root=$1
own=$root/.glassbell
# shellcheck source=/dev/null
. "$own/settings"

in_root() {
    env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C.UTF-8 PYTHONHASHSEED=0 chroot "$root" "$@"
}

# $1: only what matches this pattern; patterns of REMOVE are expanded inside the root.
remove() {
    set -f # not as they fit the host
    for pattern in $REMOVE; do
        # shellcheck disable=SC2254 # both are patterns
        case $pattern in
            $1) in_root sh -c "rm -rf -- $pattern" ;;
        esac
    done
    set +f
}

in_root dpkg-query --show --showformat '${Package} ${Version}\n' > "$own/packages"

# By hand, because useradd is in no essential package and would write the day into shadow.
echo 'user:x:1000:1000::/home/user:/bin/bash' >> "$root/etc/passwd"
echo 'user:x:1000:' >> "$root/etc/group"
if [ -f "$root/etc/shadow" ]; then
    sed -i -E 's/^([^:]*:[^:]*):[0-9]*/\1:19000/' "$root/etc/shadow"
    echo 'user:*:19000:0:99999:7:::' >> "$root/etc/shadow"
fi
printf '127.0.0.1 localhost\n::1 localhost\n' > "$root/etc/hosts"
echo glassbell > "$root/etc/hostname"
: > "$root/etc/resolv.conf"
: > "$root/etc/machine-id"

if [ -n "$WARM" ]; then
    mkdir -p "$root/usr/share/glassbell"
    printf '%s' "$WARM" > "$root/usr/share/glassbell/warm"
fi
[ -z "$RUN" ] || in_root sh -euc "$RUN"

if [ -x "$root/usr/bin/python3" ]; then
    # Debian leaves the command of this name to a package of its own; everybody writes it.
    [ -e "$root/usr/bin/python" ] || ln -s python3 "$root/usr/bin/python"
    # Never checked against the source: no stat of it when a guest imports, and the same bytes
    # whenever it is built.
    remove '*/python*'
    find "$root/usr" -xdev -depth -name __pycache__ -exec rm -rf {} +
    in_root python3 -m compileall -q --invalidation-mode unchecked-hash \
        "$(in_root python3 -c 'import os; print(os.path.dirname(os.__file__))')" \
        /usr/lib/python3/dist-packages
fi
remove '*'
# What was removed must not be missed: a worker goes on when its warm-up fails, and is merely slow.
if [ -n "$WARM" ]; then
    in_root env HOME=/tmp MPLBACKEND=Agg MPLCONFIGDIR=/tmp/matplotlib \
        python3 -B /usr/share/glassbell/warm
fi

find "$root" -xdev -type f -perm /6000 -exec chmod ug-s {} +
find "$root" -xdev -type d -perm /6000 -exec chmod ug-s {} +
find "$root/usr/share/doc" -depth -type d -empty -delete
for place in tmp run home; do
    find "$root/$place" -xdev -mindepth 1 -delete
done
mkdir -p "$root/home/user"

for tool in $TOOLS; do
    in_root sh -c 'command -v "$1" > /dev/null' sh "$tool" || {
        echo "the program $tool is missing" >&2
        exit 1
    }
done

# A plain bind of the root shows /dev, /proc and /sys as they are below what is mounted there.
mkdir "$own/view"
# shellcheck disable=SC2086 # EROFS is a list
unshare --mount sh -euc '
    own=$1
    shift
    mount --bind "$own/.." "$own/view"
    mkfs.erofs "$@" "$own/image" "$own/view"
' sh "$own" --quiet $EROFS
