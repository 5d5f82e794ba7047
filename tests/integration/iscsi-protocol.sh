#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 200
# kernels: 6.1 6.12-long debug-long
#
# An initiator of our own that breaks the rules, and one that asks for what is seldom asked for; silent
# connections beside a good login. Arguments name tests.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

iscsi_own_initiator
rd_device r0
cfs_write core/rd_mcp_0/r0/attrib/emulate_aca 1
mkdir -p "$CFS/core/fileio_0/f1"
cfs_write core/fileio_0/f1/control fd_dev_name=/tmp/f1,fd_dev_size=1048576
cfs_write core/fileio_0/f1/enable 1
iscsi_target_raw $IQN core/rd_mcp_0/r0 core/fileio_0/f1
rc=0
python3 /tcm/tests/conformance/iscsi_protocol.py ${TCM_LONG:+--silent 1000} "$@" || rc=1
python3 /tcm/tests/conformance/iscsi_features.py "$@" || rc=1
iscsi_target_del $IQN
rd_device_del r0
rmdir "$CFS/core/fileio_0/f1" "$CFS/core/fileio_0"
unload_target
exit $rc
