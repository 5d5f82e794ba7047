#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 200
# kernels: 6.1 6.12-long debug-long
#
# Error recovery and sessions of several connections: an initiator of our own that loses, spoils and
# repeats PDUs, sends them on another connection, and loses connections; data in random order.
# Arguments name tests.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

ip link set lo up
modprobe null_blk memory_backed=1 gb=1
modprobe dm_mod
dmsetup create slow --table "0 131072 linear /dev/nullb0 0"
wait_block /dev/mapper/slow
use_our_target
modprobe iscsi_target_mod
mkdir "$CFS/iscsi" "$CFS/core/iblock_0" "$CFS/core/iblock_0/slow"
rd_device r0
cfs_write core/iblock_0/slow/control udev_path=/dev/mapper/slow
cfs_write core/iblock_0/slow/enable 1
iscsi_target_raw $IQN core/rd_mcp_0/r0 core/iblock_0/slow
rc=0
for part in recovery connections random; do
	python3 /tcm/tests/conformance/iscsi_$part.py "$@" || rc=1
done
iscsi_target_del $IQN
rd_device_del r0
rmdir "$CFS/core/iblock_0/slow" "$CFS/core/iblock_0"
unload_target
exit $rc
