#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Everything removed over a block device that has stopped answering.
# vm: --timeout 180 --disk 64M
# kernels: 6.1 6.12-long debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe tcm_test
read -r disk _ <<<"$VM_DISKS"
dmsetup create slow --table "0 $(blockdev --getsz "$disk") linear $disk 0"
settle
/tcm/tests/conformance/tfab_block.py /dev/mapper/slow
rmdir "$CFS/test"
# the last one closes in the background
removable() { dmsetup remove slow; }
wait_for 10 removable
unload_target
