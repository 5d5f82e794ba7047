#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 300 --disk 64M
# kernels: 6.1 6.12-long debug-long
#
# Registrations that outlive a power cycle, with dbroot on ext4: written, restored, and what
# happens when the folder cannot be written or hangs, to them and to everybody else.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

disk=${VM_DISKS%% *}
mkfs.ext4 -q "$disk"
mkdir -p /run/dbroot
mount -t ext4 "$disk" /run/dbroot
use_our_target
modprobe -a tcm_loop target_core_rd sd_mod sg
/tcm/tests/conformance/aptpl.py test /run/dbroot
modprobe tcm_test
/tcm/tests/conformance/tfab_aptpl.py /run/dbroot
/tcm/tests/conformance/tfab_frozen.py /run/dbroot
unload_target
umount /run/dbroot
