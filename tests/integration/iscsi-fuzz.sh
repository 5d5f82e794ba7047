#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 300 --smp 2
# kernels: 6.1 6.12-long debug-long
#
# A live portal under connections that go wrong, before login and after it: no line of the kernel's,
# no memory that stays, and who behaves is served meanwhile. 100 000 of them with full counts.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

iscsi_own_initiator
rd_device r0 rd_pages=2048,rd_nullio=1
iscsi_target_raw $IQN core/rd_mcp_0/r0
# what is new is looked for by full counts: a short run does the same each time
if [ -n "${TCM_LONG:-}" ]; then set -- --connections 100000 "$@"; else set -- --seed 1 "$@"; fi
python3 /tcm/tests/conformance/iscsi_fuzz.py "$@"
iscsi_target_del $IQN
rd_device_del r0
unload_target
