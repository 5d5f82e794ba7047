#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Bad input in every file, name and link: an errno and one line, never more.
# vm: --timeout 240
# kernels: 6.1-long 6.12 debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

# have MODULE: ours, not the kernel's
have() { [ -e "/lib/modules/$KREL/updates/$1.ko" ]; }

# Kilobytes of kernel memory that cannot be reclaimed
unreclaimable() {
	echo 3 >/proc/sys/vm/drop_caches
	awk '/^(SUnreclaim|Percpu|VmallocUsed):/ { n += $2 } END { print n }' /proc/meminfo
}

modprobe -a null_blk sd_mod scsi_debug
before=$(unreclaimable)
kinds=(rd)
use_our_target
modprobe tcm_mock
if have target_core_file; then kinds+=(fileio); fi
if have target_core_iblock; then kinds+=(iblock); fi
if have target_core_pscsi; then kinds+=(pscsi); fi
# thousands of refusals: they are in the log, the console need not show each
dmesg -n 1
python3 /tcm/tests/integration/badconf.py "/tcm/tests/golden/tree-$(cut -d. -f1,2 <<<"$KREL").txt" "${kinds[@]}"
[ ! -d /sys/module/target_core_user ] || fail "target_core_user was asked for"
dmesg -n 5
unload_target
after=$(unreclaimable)
note "kernel memory before $before KiB, after $after KiB"
# each of thousands of refusals would leave a page or more
[ "$after" -lt $((before + 8192)) ] || fail "kernel memory leaks"
