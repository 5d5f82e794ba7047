#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --disk 64M --timeout 300
# kernels: 6.1-long 6.12 debug-long
#
# What a logical unit tells and keeps: mode parameters, logs, self-tests, buffers, identifying
# information, time; what of that is saved; whether its medium is in it.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

export VM_DISKS
mkdir -p /etc/target
use_our_target
modprobe -a tcm_loop target_core_rd target_core_file target_core_iblock dm-mod dm-delay sd_mod sg
rc=0
for t in mode log diag thin removable; do
	"/tcm/tests/conformance/${t}_test.py" || rc=1
done
unload_target
exit $rc
