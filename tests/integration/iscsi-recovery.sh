#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 200
# kernels: 6.1 6.12
#
# Error recovery: an initiator of our own that loses, spoils and repeats PDUs.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

ip link set lo up
use_our_target
modprobe iscsi_target_mod
mkdir "$CFS/iscsi"
rd_device r0
iscsi_target_raw $IQN core/rd_mcp_0/r0
python3 /tcm/tests/conformance/iscsi_recovery.py "$@"
iscsi_target_del $IQN
rd_device_del r0
unload_target
