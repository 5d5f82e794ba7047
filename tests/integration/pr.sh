#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 400
# kernels: 6.1-long 6.12 debug-long
#
# Persistent reservations and SPC-2's RESERVE over three loopback ports; every command against reservations
# over the test fabric and iSCSI, whose nexuses differ by their ISIDs.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

use_our_target
modprobe -a tcm_loop target_core_rd sd_mod sg
/tcm/tests/conformance/pr_test.py
modprobe tcm_test
/tcm/tests/conformance/pr_fabrics.py test
ip link set lo up
modprobe iscsi_target_mod
mkdir "$CFS/iscsi"
rd_device pr rd_pages=256
cfs_write core/rd_mcp_0/pr/wwn/vpd_unit_serial 6a1b6a1b-0000-4000-8000-00000000c0de
cfs_write core/rd_mcp_0/pr/attrib/emulate_tpu 1
iscsi_target_raw $IQN core/rd_mcp_0/pr
/tcm/tests/conformance/pr_fabrics.py iscsi
iscsi_target_del $IQN
rd_device_del pr
unload_target
