#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 200
# kernels: 6.1 6.12
#
# An initiator of our own that breaks the rules; silent connections beside a good login.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

ulimit -n 4096
ip link set lo up
use_our_target
modprobe iscsi_target_mod
mkdir "$CFS/iscsi"
rd_device r0
iscsi_target_raw $IQN core/rd_mcp_0/r0
python3 /tcm/tests/conformance/iscsi_protocol.py ${TCM_LONG:+--silent 1000} "$@"
iscsi_target_del $IQN
rd_device_del r0
unload_target
