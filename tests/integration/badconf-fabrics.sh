#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Bad input in every file of the fabrics there are; badconf.sh has one of directories only.
# vm: --timeout 240
# kernels: 6.1 6.12-long debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe -a iscsi_target_mod tcm_loop
# thousands of refusals: they are in the log, the console need not show each
dmesg -n 1
python3 /tcm/tests/integration/badconf.py junk "/tcm/tests/golden/tree-$(cut -d. -f1,2 <<<"$KREL").txt" rd fileio
for fabric in iscsi_target_mod tcm_loop; do
	[ -d "/sys/module/$fabric" ] || fail "$fabric was not what was fed"
done
dmesg -n 5
unload_target
