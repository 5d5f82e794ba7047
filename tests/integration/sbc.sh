#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 300
# kernels: 6.1 6.12
#
# The block commands over loopback: a ramdisk, one of 4 TiB with 4096 byte blocks, nullio.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

WWN=naa.5001405000000001
tests=/tcm/tests/conformance

# ramdisk NAME CONTROL...: a device below core/rd_mcp_0
ramdisk() {
	mkdir -p "$CFS/core/rd_mcp_0/$1"
	local c
	for c in "${@:2}"; do
		cfs_write "core/rd_mcp_0/$1/control" "$c"
	done
	cfs_write "core/rd_mcp_0/$1/enable" 1
}

# lun NUMBER DEVICE: export, print the disk
lun() {
	mkdir "$CFS/loopback/$WWN/tpgt_1/lun/lun_$1"
	ln -s "$CFS/core/rd_mcp_0/$2" "$CFS/loopback/$WWN/tpgt_1/lun/lun_$1/$2"
	loop_lun_device $WWN "$1"
}

use_our_target
modprobe -a tcm_loop sd_mod sg
mkdir -p "$CFS/core/rd_mcp_0"
mkdir -p "$CFS/loopback/$WWN/tpgt_1"
cfs_write "loopback/$WWN/tpgt_1/nexus" naa.6001405000000001

ramdisk r0 rd_pages=8192
small=$(lun 0 r0)
rc=0
python3 $tests/sbc_test.py "/dev/$small" --name rd --thin --attrib "$CFS/core/rd_mcp_0/r0/attrib" "$@" || rc=1
exit $rc
