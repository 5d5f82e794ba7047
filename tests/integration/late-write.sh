#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 500
# kernels: 6.1 6.12-long debug-long
#
# A suspended device mapper target has writes that are aborted meanwhile: what is sent after the abort
# is what stays, and who was preempted is fenced. Over iSCSI, whose memory is the target's.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

modprobe null_blk memory_backed=1 gb=1
modprobe dm_mod
dmsetup create slow --table "0 131072 linear /dev/nullb0 0"
wait_block /dev/mapper/slow
iscsi_own_initiator
mkdir -p "$CFS/core/iblock_0/slow"
cfs_write core/iblock_0/slow/control udev_path=/dev/mapper/slow
cfs_write core/iblock_0/slow/enable 1
iscsi_target_raw $IQN core/iblock_0/slow
rc=0
if [ -n "${TCM_LONG:-}" ]; then
	python3 /tcm/tests/conformance/iscsi_late.py --writes 1000 --preempts 30 --limit slow /dev/nullb0 || rc=$?
else
	python3 /tcm/tests/conformance/iscsi_late.py --writes 200 --preempts 6 slow /dev/nullb0 || rc=$?
fi
iscsi_target_del $IQN
rmdir "$CFS/core/iblock_0/slow" "$CFS/core/iblock_0"
unload_target
exit $rc
