#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --icount --timeout 400
# kernels: 6.1 6.12
#
# Loopback over the null backend: fewer instructions per I/O than the stock target in the same run,
# within the budget, no allocation and no work queue hop of ours on the way.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

WWN=naa.5001405000000001
case $KREL in
6.1.*) budget=12000 ;;
*) budget=12400 ;;
esac

export_disk() { # rd_mcp parameters
	mkdir -p "$CFS/core/rd_mcp_0/null" "$CFS/loopback/$WWN/tpgt_1/lun/lun_0"
	cfs_write core/rd_mcp_0/null/control "$1"
	cfs_write core/rd_mcp_0/null/enable 1
	cfs_write "loopback/$WWN/tpgt_1/nexus" naa.5001405000000002
	ln -s "$CFS/core/rd_mcp_0/null" "$CFS/loopback/$WWN/tpgt_1/lun/lun_0/link"
	disk=$(loop_lun_device $WWN 0)
	wait_for 20 test -b "/dev/$disk"
}

unexport_disk() {
	rm "$CFS/loopback/$WWN/tpgt_1/lun/lun_0/link"
	rmdir "$CFS/loopback/$WWN/tpgt_1/lun/lun_0" "$CFS/loopback/$WWN/tpgt_1" "$CFS/loopback/$WWN" \
		"$CFS/loopback" "$CFS/core/rd_mcp_0/null" "$CFS/core/rd_mcp_0"
}

# What our modules allocated or queued during a run of fio, by the tracer.
trace_run() {
	local t=/sys/kernel/tracing events="kmem/kmalloc kmem/kmem_cache_alloc workqueue/workqueue_queue_work"
	local e
	for e in $events; do
		[ -d $t/events/"$e" ] || fail "no event $e"
	done
	echo 'hist:keys=call_site.sym' >$t/events/kmem/kmalloc/trigger
	echo 'hist:keys=call_site.sym' >$t/events/kmem/kmem_cache_alloc/trigger
	echo 'hist:keys=function.sym' >$t/events/workqueue/workqueue_queue_work/trigger
	fio --name=trace --filename="/dev/$disk" --direct=1 --ioengine=io_uring --rw="$1" --bs=4k \
		--iodepth=32 --number_ios=2000 --output=/dev/null
	for e in $events; do
		cat $t/events/"$e"/hist
		echo '!hist:keys='"$(sed -n 's/.*hist:keys=\([^:]*\).*/\1/p' $t/events/"$e"/trigger | head -n 1)" \
			>$t/events/"$e"/trigger
	done
}

use_stock_target
export_disk rd_pages=262144,rd_nullio=1
icount_fio "$disk" randread 4k 32
stock=$ICOUNT_INSTR
unexport_disk
unload_target

use_our_target
export_disk rd_pages=262144,rd_nullio=1
icount_fio "$disk" randread 4k 32
ours=$ICOUNT_INSTR
icount_fio "$disk" randread 4k 1
icount_fio "$disk" randwrite 4k 32
for rw in randread randwrite; do
	trace_run $rw >/tmp/trace
	grep -q 'hitcount' /tmp/trace || fail "the tracer saw nothing at all: $(head -n 5 /tmp/trace)"
	# Of 2000 I/Os; udev looks at a disk that was closed after writing, which takes some commands.
	bad=$(awk '/\[(target_core_mod|target_core_rd|tcm_loop)\]/ && !/tcm_reap/ && $NF > 100' /tmp/trace)
	[ -z "$bad" ] || fail "$rw allocates or hops: $bad"
done
unexport_disk
unload_target

note "stock $stock, ours $ours, budget $budget instructions per I/O"
[ "$ours" -lt "$stock" ] || fail "not less than the stock target"
[ "$ours" -le $budget ] || fail "over the budget"
