#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Bad input in every file, name and link: an errno and one line, never more.
# vm: --timeout 240
# kernels: 6.1 6.12
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

# have MODULE: ours, not the kernel's
have() { [ -e "/lib/modules/$KREL/updates/$1.ko" ]; }

kinds=(rd)
use_our_target
modprobe tcm_mock
if have target_core_file; then kinds+=(fileio); fi
if have target_core_iblock; then
	modprobe null_blk
	kinds+=(iblock)
fi
if have target_core_pscsi; then
	modprobe -a sd_mod scsi_debug
	kinds+=(pscsi)
fi
# thousands of refusals: they are in the log, the console need not show each
dmesg -n 1
python3 /tcm/tests/integration/badconf.py "/tcm/tests/golden/tree-$(cut -d. -f1,2 <<<"$KREL").txt" "${kinds[@]}"
[ ! -d /sys/module/target_core_user ] || fail "target_core_user was asked for"
dmesg -n 5
unload_target
