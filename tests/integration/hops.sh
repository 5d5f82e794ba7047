#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1500M --timeout 200
# kernels: 6.1 6.12-long
#
# How an access travels: over a block device or a file it takes one hop, shared by what was
# submitted together, and allocates nothing of ours on the way. Counted by the tracer over 2000
# reads and 2000 writes.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

T=/sys/kernel/tracing
IOS=2000

# traced COMMAND...: our allocations and queued work during it, into /tmp/allocs and /tmp/works
traced() {
	local e
	for e in kmem/kmalloc kmem/kmem_cache_alloc; do
		echo 'hist:keys=call_site.sym' >$T/events/$e/trigger
	done
	echo 'hist:keys=function.sym' >$T/events/workqueue/workqueue_queue_work/trigger
	"$@"
	cat $T/events/kmem/kmalloc/hist $T/events/kmem/kmem_cache_alloc/hist >/tmp/allocs
	cat $T/events/workqueue/workqueue_queue_work/hist >/tmp/works
	for e in kmem/kmalloc kmem/kmem_cache_alloc; do
		echo '!hist:keys=call_site.sym' >$T/events/$e/trigger
	done
	echo '!hist:keys=function.sym' >$T/events/workqueue/workqueue_queue_work/trigger
}

# hits FILE REGEX: of the lines that match
hits() { awk -v re="$2" '$0 ~ re {n += $NF} END {print n + 0}' "$1"; }

run_fio() {
	(cd /tmp && fio --name=hops --filename="/dev/$disk" --direct=1 --ioengine=libaio --rw="$1" \
		--bs=4k --iodepth=32 --iodepth_batch=16 --iodepth_batch_complete_min=16 --number_ios=$IOS --size=32M --output=/tmp/fio.out) ||
		fail "fio: $(cat /tmp/fio.out)"
}

# travels LABEL PLUGIN: for LUN 0, a few commands of udev's aside
travels() {
	local rw hop other allocs
	settle
	for rw in randread randwrite; do
		traced run_fio $rw
		hop=$(hits /tmp/works 'tcm_hop_work')
		other=$(hits /tmp/works 'tcm_(iblock|file)_')
		allocs=$(hits /tmp/allocs '[[](target_core|tcm)')
		note "$1 $rw: $hop hops, $other others, $allocs allocations for $IOS accesses"
		[ "$hop" -gt 0 ] || fail "no hop at all: the tracer saw nothing"
		[ "$hop" -le $((IOS / 4)) ] || fail "no batches: $hop hops"
		# XFS does not stamp the time of a write without waiting: those that come at a new tick of
		# the clock, in a slow guest nearly all, wait for it elsewhere.
		[ "$other" -le 50 ] || [[ $1$rw == *xfsrandwrite && $other -le $IOS ]] ||
			fail "a second hop: $(grep tcm_ /tmp/works)"
		[ "$allocs" -le 100 ] || fail "allocations: $(grep -E '[[](target_core|tcm)' /tmp/allocs)"
	done
}

storage_begin
backstore iblock it "udev_path=$(null_disk nullhop 64)"
disk=$(export_lun iblock it 0)
travels iblock
unexport_lun 0
wait_gone "/sys/block/$disk"
drop_backstore iblock it

for fs in ext4 xfs; do
	size=128
	[ $fs != xfs ] || size=320
	make_fs $fs $size /mnt/$fs
	# Written before and not cached: blocks of a fresh or sparse file are allocated, and pages are
	# thrown out, where it may wait.
	dd if=/dev/zero of=/mnt/$fs/image bs=1M count=32 oflag=direct status=none
	backstore fileio it fd_dev_name=/mnt/$fs/image,fd_dev_size=33554432
	disk=$(export_lun fileio it 0)
	travels "file on $fs"
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	drop_backstore fileio it
	drop_fs /mnt/$fs
done
storage_end
