#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 200 --disk 1G
# kernels: 6.1-long 6.12 debug-long
#
# A ramdisk of twice the memory, with the page cache full: writes wait for memory rather than
# fail, end with SPACE ALLOCATION FAILED before the host is in need, and UNMAP gives it back.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

WWN=naa.5001405000000001

use_our_target
modprobe -a tcm_loop sd_mod
mkdir -p "$CFS/core/rd_mcp_0/big"
cfs_write core/rd_mcp_0/big/control rd_pages=524288
cfs_write core/rd_mcp_0/big/enable 1
cfs_write core/rd_mcp_0/big/attrib/emulate_tpu 1
mkdir -p "$CFS/loopback/$WWN/tpgt_1"
cfs_write "loopback/$WWN/tpgt_1/nexus" naa.6001405000000001
mkdir "$CFS/loopback/$WWN/tpgt_1/lun/lun_0"
ln -s "$CFS/core/rd_mcp_0/big" "$CFS/loopback/$WWN/tpgt_1/lun/lun_0/big"
disk=$(loop_lun_device $WWN 0)
wait_block "/dev/$disk"
read -ra disks <<<"$VM_DISKS"

# who waits for memory leaves its name here
trace=/sys/kernel/tracing
[ -d $trace/events ] || mount -t tracefs none $trace
work=$trace/events/workqueue/workqueue_execute_start
echo "function == 0x$(awk '$3 == "tcm_rd_retry_work" { print $1 }' /proc/kallsyms)" >$work/filter
echo 1 >$work/enable

python3 /tcm/tests/conformance/rd_memory_test.py "/dev/$disk" "${disks[0]}"
waited=$(grep -c tcm_rd_retry_work $trace/trace || true)
note "$waited writes waited for memory"
[ "$waited" -gt 0 ] || fail "no write waited for memory: the test has not tested that"
echo 0 >$work/enable

rm "$CFS/loopback/$WWN/tpgt_1/lun/lun_0/big"
rmdir "$CFS/loopback/$WWN/tpgt_1/lun/lun_0" "$CFS/loopback/$WWN/tpgt_1" "$CFS/loopback/$WWN" "$CFS/loopback"
rmdir "$CFS/core/rd_mcp_0/big" "$CFS/core/rd_mcp_0"
unload_target
