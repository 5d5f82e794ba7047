#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --smp 2 --timeout 200
# kernels: 6.1-long 6.12-long debug
#
# Disks of one host share its tags: when a request that was issued by itself is over, its tag is soon
# that of another disk. The block layer leaves the right queue's section all the same, and who removes
# the disks does not wait for ever. Lockdep sees it on the debug kernel, which preempts.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

storage_begin
disks=()
for n in 0 1 2; do
	backstore rd_mcp r$n rd_pages=1024
	disks+=("$(export_lun rd_mcp r$n $n)")
done
settle
ios=4000
[ -z "${TCM_LONG:-}" ] || ios=40000
fio=()
for d in "${disks[@]}"; do
	# one at a time, without a plug
	fio --name="$d" --filename="/dev/$d" --rw=randread --bs=4k --numjobs=3 --thread --ioengine=psync --direct=1 \
		--number_ios=$ios --size=4m --io_size=1g --output="/tmp/fio.$d" &
	fio+=($!)
done
for n in "${fio[@]}"; do wait "$n" || fail "fio: $(cat /tmp/fio.*)"; done
for n in 0 1 2; do
	unexport_lun $n
	drop_backstore rd_mcp r$n
done
rmdir "$CFS"/core/rd_mcp_0
storage_end
