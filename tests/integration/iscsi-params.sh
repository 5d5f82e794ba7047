#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1500M --timeout 400
# kernels: 6.1 6.12-long
#
# open-iscsi over combinations of what is negotiated: how data goes out, burst and segment lengths
# from 512 bytes to 256 KiB, digests. What was agreed on is what both asked for, and the data written
# is the data read back. All combinations with TCM_LONG=1, else every pair of values once.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

use_our_target
iscsi_initiator
modprobe sd_mod
rd_device r0 rd_pages=4096
iscsi_target_raw $IQN core/rd_mcp_0/r0
# whatever the initiator asks for is fine
cfs_write "iscsi/$IQN/tpgt_1/param/InitialR2T" No
cfs_write "iscsi/$IQN/tpgt_1/param/FirstBurstLength" 262144
iscsiadm -m node -T $IQN -p $PORTAL -o new >/dev/null
# nobody but the test reads the disk
systemctl stop systemd-udevd 2>/dev/null || udevadm control --stop-exec-queue || :
python3 /tcm/tests/integration/iscsi_params.py "$IQN" "$PORTAL"
iscsiadm -m node -T $IQN -p $PORTAL -o delete
iscsi_target_del $IQN
rd_device_del r0
unload_target
