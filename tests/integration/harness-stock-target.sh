#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# kernels: 6.1-long 6.12
# vm: --timeout 180
#
# The guest is fit for the tests: the kernel's own target, set up by targetcli,
# becomes a disk, holds data, goes away again. It needs no module of ours.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

WWN=naa.5001405000000001

use_stock_target
run_targetcli \
	"/backstores/ramdisk create r0 64M" \
	"/loopback create $WWN" \
	"/loopback/$WWN/luns create /backstores/ramdisk/r0"
disk=$(loop_lun_device $WWN 0)
wait_block "/dev/$disk"
note "the LUN is $disk"

assert_eq 67108864 "$(blockdev --getsize64 "/dev/$disk")" "size"
dd if=/dev/urandom of=/tmp/data bs=64k count=64 status=none
dd if=/tmp/data of="/dev/$disk" bs=64k oflag=direct status=none
dd if="/dev/$disk" of=/tmp/back bs=64k count=64 iflag=direct status=none
cmp /tmp/data /tmp/back || fail "read back other data"
sg_inq "/dev/$disk" | grep -q LIO-ORG || fail "not the stock target's INQUIRY"

run_targetcli "clearconfig confirm=True"
wait_gone "/sys/block/$disk"
unload_target
note "unloaded"
