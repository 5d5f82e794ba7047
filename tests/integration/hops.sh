#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1500M --timeout 200
# kernels: 6.1 6.12-long
#
# How an access travels. Where submitting may wait it takes one hop, shared by what was submitted
# together; a disk that takes it at once gets it at once, and a file's page cache is read at once. Over
# memory there is no hop at all. Nothing of ours is allocated on the way. Counted by the tracer over 2000 reads and 2000 writes.
# What had to wait after all, for a tag or for a queue that was frozen, comes back whole.
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

# at_once LABEL RW...: no hop but for what udev does meanwhile
at_once() {
	local rw hop
	settle
	for rw in "${@:2}"; do
		traced run_fio "$rw"
		hop=$(hits /tmp/works 'tcm_(hop_work|iblock_|file_)')
		note "$1 $rw: $hop hops for $IOS accesses"
		[ "$hop" -le 50 ] || fail "$1 $rw: $(cat /tmp/works)"
	done
}

# inline LABEL: over memory not one hop and not one allocation; udev, which looks at a disk that was
# written to, has to wait meanwhile
inline() {
	local rw hop allocs
	settle
	pkill -STOP -x systemd-udevd
	for rw in randread randwrite; do
		traced run_fio $rw
		hop=$(hits /tmp/works 'tcm_(hop_work|rd_|loop_)')
		allocs=$(hits /tmp/allocs '[[](target_core|tcm)')
		note "$1 $rw: $hop hops, $allocs allocations for $IOS accesses"
		[ "$(hits /tmp/allocs 'call_site')" -gt 0 ] || fail "no allocation at all: the tracer saw nothing"
		[ $((hop + allocs)) = 0 ] ||
			fail "$(grep tcm_ /tmp/works) $(grep -E '[[](target_core|tcm)' /tmp/allocs)"
	done
	pkill -CONT -x systemd-udevd
}

# scheduler_switched DISK: again and again, which freezes its queue
scheduler_switched() {
	while :; do
		echo mq-deadline >"/sys/block/$1/queue/scheduler"
		echo none >"/sys/block/$1/queue/scheduler"
		sleep 0.05
	done
}

# come_back: two tags for 32 accesses, and a queue that is frozen meanwhile
come_back() {
	local below hop pid
	below=$(debug_disk dev_size_mb=64 max_queue=2 ndelay=200000)
	backstore iblock it "udev_path=$below"
	disk=$(export_lun iblock it 0)
	settle
	scheduler_switched "${below#/dev/}" &
	pid=$!
	traced fio_verify "$disk" 16
	kill $pid
	wait $pid 2>/dev/null || :
	hop=$(hits /tmp/works 'tcm_hop_work')
	note "$hop hops while tags were short"
	[ "$hop" -gt 0 ] || fail "nothing had to wait"
	gone iblock
	rmmod_wait scsi_debug
}

# gone PLUGIN: the LUN and its backstore
gone() {
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	drop_backstore "$1" it
}

rmmod_wait() { wait_for 20 rmmod "$1"; }

storage_begin
modprobe target_core_rd
backstore rd_mcp it rd_pages=8192
disk=$(export_lun rd_mcp it 0)
cfs_write core/rd_mcp_0/it/attrib/submit_type 2
travels 'memory, submit_type 2'
cfs_write core/rd_mcp_0/it/attrib/submit_type 0
# what was never written has no memory yet
dd if=/dev/urandom of="/dev/$disk" bs=1M count=32 oflag=direct status=none
inline 'a RAM disk'
gone rd_mcp
backstore rd_mcp it rd_pages=8192,rd_nullio=1
disk=$(export_lun rd_mcp it 0)
inline nullio
gone rd_mcp

backstore iblock it "udev_path=$(debug_disk dev_size_mb=64 max_queue=64 ndelay=20000)"
disk=$(export_lun iblock it 0)
at_once 'a disk' randread randwrite
gone iblock
rmmod_wait scsi_debug
come_back

make_fs ext4 128 /mnt/cached
dd if=/dev/zero of=/mnt/cached/image bs=1M count=32 status=none
backstore fileio it fd_dev_name=/mnt/cached/image,fd_dev_size=33554432,fd_buffered_io=1
disk=$(export_lun fileio it 0)
at_once 'a cached file' randread
gone fileio
drop_fs /mnt/cached

backstore iblock it "udev_path=$(null_disk nullhop 64)"
disk=$(export_lun iblock it 0)
travels iblock
gone iblock

for fs in ext4 ${TCM_LONG:+xfs}; do
	size=128
	[ $fs != xfs ] || size=320
	make_fs $fs $size /mnt/$fs
	# Written before and not cached: blocks of a fresh or sparse file are allocated, and pages are
	# thrown out, where it may wait.
	dd if=/dev/zero of=/mnt/$fs/image bs=1M count=32 oflag=direct status=none
	backstore fileio it fd_dev_name=/mnt/$fs/image,fd_dev_size=33554432
	disk=$(export_lun fileio it 0)
	travels "file on $fs"
	gone fileio
	drop_fs /mnt/$fs
done
storage_end
