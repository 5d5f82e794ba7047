#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1G --timeout 120
# kernels: 6.1 6.12-long debug-long
#
# A disk whose write cache is turned on while it is exported: initiators are told, and until they
# have looked (some never do) each write is a forced one.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

trace=/sys/kernel/tracing
event=$trace/events/block/block_rq_issue

# how: what a plain write and nothing else becomes below
how() {
	echo >$trace/trace
	echo 1 >$event/enable
	assert_eq good "$(scsi "$disk" write:8:8:1)" "a write"
	echo 0 >$event/enable
	awk -v dev="$number" '/block_rq_issue/ {
		sub(/.*block_rq_issue: /, "")
		if ($1 == dev && $2 ~ /W/ && $3 > 0) print $2
	}' $trace/trace
}

# cache KIND: of the initiator's disk, looked at anew
cache() {
	echo 1 >"/sys/block/$disk/device/rescan"
	cat /sys/block/"$disk"/device/scsi_disk/*/cache_type
}

storage_begin
dev=$(debug_disk dev_size_mb=64 lbpu=1 lbpws=1)
number=$(tr : , <"/sys/block/${dev#/dev/}/dev")
below=$(echo /sys/block/"${dev#/dev/}"/device/scsi_disk/*/cache_type)
echo "temporary write through" >"$below"
backstore iblock it "udev_path=$dev"
echo 1 >"$CFS/core/iblock_0/it/attrib/emulate_tpu"
disk=$(export_lun iblock it 0)
scsi_ready "$disk"
assert_eq "write through" "$(cache)" "without a cache below"
assert_match '^W[^F]*$' "$(how)" "a write without a cache below"

note "a cache is turned on"
kmsg_mark
echo "temporary write back" >"$below"
told() {
	scsi "$disk" tur
	kmsg_since | grep -q 'Mode parameters changed'
}
wait_for 10 told
assert_match '^W[^F]*F' "$(how)" "a write by who was told and did not look"
flushes() { awk '{print $16}' "/sys/block/${dev#/dev/}/stat"; }
for what in -z ""; do
	before=$(flushes)
	# shellcheck disable=SC2086
	blkdiscard -f $what -o 1048576 -l 4096 "/dev/$disk"
	[ "$(flushes)" -gt "$before" ] || fail "blkdiscard $what by who was told and did not look"
done
assert_eq "write back" "$(cache)" "with a cache below"
assert_eq good "$(scsi "$disk" tur)" "it is told once"

note "and off"
kmsg_mark
echo "temporary write through" >"$below"
wait_for 10 told
assert_eq "write through" "$(cache)" "without a cache again"
assert_match '^W[^F]*$' "$(how)" "a write without a cache again"

unexport_lun 0
wait_gone "/sys/block/$disk"
drop_backstore iblock it
wait_for 20 rmmod scsi_debug
rmdir "$CFS/core/iblock_0"
storage_end
