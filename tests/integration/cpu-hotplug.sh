#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A CPU goes and comes back under I/O that hops (file), that does not (ramdisk), and of connections
# that live on it (iSCSI): no command is lost, no count goes wrong: what is removed afterwards ends.
# vm: --smp 2 --timeout 120
# kernels: 6.1-long 6.12-long debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc
. /tcm/tests/integration/iscsi.inc

CPU=/sys/devices/system/cpu/cpu1/online
[ -e $CPU ] || skip "no CPU can be taken away"

done_by() { awk '{ print $1 + $5 }' "/sys/block/$1/stat"; }
# moved DISK COUNT: it has done a hundred more than that
moved() { [ "$(done_by "$1")" -gt $(($2 + 100)) ]; }

storage_begin
truncate -s 16M /tmp/medium
backstore fileio f fd_dev_name=/tmp/medium,fd_dev_size=16777216
backstore rd_mcp r rd_pages=4096
disks=("$(export_lun fileio f 0)" "$(export_lun rd_mcp r 1)")
backstore rd_mcp i rd_pages=4096
iscsi_initiator
modprobe iscsi_target_mod
iscsi_target_raw $IQN core/rd_mcp_0/i
# the connection's owner is on the CPU that goes
cfs_write iscsi/cpus_allowed_list 1
iscsi_login
disks+=("$(iscsi_disk)")
settle
fio=()
for d in "${disks[@]}"; do
	fio --name="$d" --filename="/dev/$d" --rw=randrw --bs=4k --iodepth=8 --numjobs=2 --thread \
		--ioengine=libaio --direct=1 --rate_iops=$((400 / VM_SLOW)) --time_based --runtime=36000 >"/tmp/fio.$d" 2>&1 &
	fio+=($!)
done
cycles=5
[ -z "${TCM_LONG:-}" ] || cycles=100
for ((n = 0; n < cycles; n++)); do
	for on in 0 1; do
		echo $on >$CPU
		for d in "${disks[@]}"; do
			before=$(done_by "$d")
			wait_for 30 moved "$d" "$before"
		done
	done
done
# fio ends well when it is asked to
kill -INT "${fio[@]}"
for n in "${fio[@]}"; do wait "$n" || [ $? = 128 ] || fail "fio: $(cat /tmp/fio.*)"; done
grep -q 'error' /tmp/fio.* && fail "fio saw errors: $(cat /tmp/fio.*)"
iscsi_logout
iscsi_target_del $IQN
unexport_lun 0
unexport_lun 1
drop_backstore fileio f
drop_backstore rd_mcp r
drop_backstore rd_mcp i
rmdir "$CFS"/core/{fileio,rd_mcp}_0
storage_end
