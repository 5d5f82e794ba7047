#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 200
# kernels: 6.1 6.12-long debug-long
#
# Many portals of one portal group, many targets, many sessions, many logins.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

iscsi_own_initiator
rd_device r0
iscsi_target_raw $IQN core/rd_mcp_0/r0
# a minute's old connections would be what grows
echo 16 >/proc/sys/net/ipv4/tcp_max_tw_buckets
counts="60 100 100 300"
[ -z "${TCM_LONG:-}" ] || counts="300 5000 2000 10000"
# shellcheck disable=SC2086
python3 /tcm/tests/conformance/iscsi_scale.py $counts
iscsi_target_del $IQN
rd_device_del r0
unload_target
