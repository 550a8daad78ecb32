#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# How does a guest come up that is of another architecture, or slow, or has its files in its memory?
#
# Init of the initramfs; it becomes init of the guest. From the kernel's command line: sct_agent, the agent's path, and
# sct_host, where this machine's files lie, read-only. In this initramfs there is only busybox: the guest's root is an
# overlay as in enter.sh, on the userland, or on this machine's files if its programs run in the guest; the agent puts
# those that the command is to see into their places. Without sct_host this is all that the guest has, and its root.
set -eu
[ -z "$sct_host" ] || /bin/busybox --install -s /bin
export PATH=/usr/sbin:/usr/bin:/sbin:/bin

share() {
    mount -t 9p -o ro,version=9p2000.L,trans=virtio,access=any,msize=524288,cache=loose "$1" "$2"
}

mount -t proc proc /proc
mount -t sysfs sys /sys
mount -t devtmpfs dev /dev
for driver in $(find /modules -type f | sort); do
    insmod "$driver"
done

if [ "$sct_host" ]; then
    mkdir /sct
    mount -t tmpfs -o mode=0755 sct /sct
    cd /sct
    mkdir lower upper work root
    share sct.root lower
    mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work sct root
    cd root
    for kept in proc sys dev; do
        mount -o move /$kept $kept
    done
fi

mount -t tmpfs -o mode=0755 run run
mkdir -p run/sct run/lock dev/pts dev/shm
if [ "$sct_host" ]; then
    mkdir ".$sct_host"
    share sct.host ".$sct_host"
fi
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts dev/pts
mount -t tmpfs -o mode=1777,nosuid,nodev shm dev/shm
mount -t cgroup2 cgroup2 sys/fs/cgroup
for kind in debugfs:debug tracefs:tracing securityfs:security configfs:config; do
    mount -t "${kind%:*}" "${kind%:*}" "sys/kernel/${kind#*:}" 2>/dev/null || true # a module, perhaps
done
ln -s /proc/self/fd dev/fd
ln -s fd/0 dev/stdin
ln -s fd/1 dev/stdout
ln -s fd/2 dev/stderr
[ -e etc/ld.so.cache ] || chroot . /sbin/ldconfig # which an installation does; pyudev asks it for its library
ip link set dev lo up
echo sct-vm >proc/sys/kernel/hostname

# Not exec: somebody has to bury the processes whose parents are gone.
exec ${sct_host:+switch_root .} /bin/sh -c '"$@"; exit $?' sh /usr/bin/python3 -I -S -B "$sct_agent"
