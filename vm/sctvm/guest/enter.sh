#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
# Which files does the command see?
#
# The host's files, with everything that is written kept in the guest's memory: an overlay whose lower half is the
# host's root, shared read-only by QEMU itself, so that nothing in here can reach it. Caching is safe (and many times
# faster) because the share is a snapshot for one run. Runs once, as a child of init, then becomes the agent.
set -eu
python=$1 agent=$2

mount -t tmpfs -o mode=0755 sct /tmp
cd /tmp
mkdir lower upper work root
mount -t 9p -o ro,version=9p2000.L,trans=virtio,access=any,msize=524288,cache=loose sct.root lower
mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work sct root
for kept in proc sys dev run; do
    mount -n --move /$kept root/$kept
done

mkdir -p root/run/sct/old
cd root
pivot_root . run/sct/old
cd /
umount -l /run/sct/old
exec "$python" -I -S -B "$agent"
