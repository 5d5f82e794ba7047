#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --icount --timeout 500
# kernels: 6.1 6.12
#
# iSCSI over lo, null backend: instructions per I/O, initiator included, against the stock target in
# the same run.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

rows=("randread 4k 32")
[ -z "${TCM_LONG:-}" ] || rows+=("randwrite 4k 32" "read 128k 8" "write 128k 8" "randread 4k 1")

# measure VARIABLE: an instruction count for each row
measure() {
	local -n counts=$1
	local row disk
	modprobe iscsi_target_mod
	mkdir -p "$CFS/iscsi"
	rd_device null rd_pages=262144,rd_nullio=1
	iscsi_target_raw $IQN core/rd_mcp_0/null
	iscsi_login
	disk=$(iscsi_disk)
	for row in "${rows[@]}"; do
		# shellcheck disable=SC2086
		icount_fio "$disk" $row
		counts+=("$ICOUNT_INSTR")
	done
	iscsi_logout
	iscsi_target_del $IQN
	rd_device_del null
}

iscsi_initiator
stock=() ours=()
use_stock_target
measure stock
unload_target
use_our_target
measure ours
unload_target
for i in "${!rows[@]}"; do
	note "${rows[$i]}: stock ${stock[$i]}, ours ${ours[$i]}"
done
for i in "${!rows[@]}"; do
	[ "${ours[$i]}" -lt "${stock[$i]}" ] || fail "${rows[$i]}: not less than the stock target"
done
