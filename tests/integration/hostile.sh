#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 300 --hung-task 120 --expect-warn Buffer.I/O.error
# kernels: debug-long
#
# Random CDBs, random configuration from two threads, and I/O, all at once.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

count=500
[ -z "${TCM_LONG:-}" ] || count=50000
storage_begin
backstore rd_mcp disk rd_pages=4096
disk=$(export_lun rd_mcp disk 0)
scsi_ready "$disk"
sg=$(ls "/sys/block/$disk/device/scsi_generic")
python3 /tcm/tests/integration/hostile.py "/dev/$sg" "/dev/$disk" "$CFS/core/rd_mcp_0" "$STORAGE_TPG" $count
unexport_lun 0
wait_gone "/sys/block/$disk"
drop_backstore rd_mcp disk
rmdir "$CFS/core/rd_mcp_0"
storage_end
