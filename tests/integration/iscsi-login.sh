#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 300
# kernels: 6.1 6.12-long debug-long
#
# iSCSI from mkdir to logout: targetcli makes target, portal, LUN and ACL; open-iscsi discovers, logs
# in, reads and writes what was written; demo mode, an ACL, and neither; removal with a session.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

use_our_target
iscsi_initiator
run_targetcli "/backstores/ramdisk create r0 64M" "/iscsi create $IQN" \
	"/iscsi/$IQN/tpg1/luns create /backstores/ramdisk/r0" \
	"/iscsi/$IQN/tpg1 set attribute authentication=0 generate_node_acls=1 demo_mode_write_protect=0"

note "discovery"
assert_eq "127.0.0.1:3260,1 $IQN" "$(iscsi_discover)" "what SendTargets finds"

note "a login in demo mode"
iscsi_login
disk=$(iscsi_disk)
[ "$(cat "$CFS/iscsi/$IQN/tpgt_1/dynamic_sessions")" = "$INITIATOR" ] || fail "the session is not listed"
sg_turs "/dev/$disk"
sg_inq "/dev/$disk" | grep -q 'Product identification' || fail "no INQUIRY data"
fio --name=v --filename="/dev/$disk" --direct=1 --rw=randwrite --bsrange=4k-256k --size=32M \
	--verify=crc32c --verify_state_save=0 --iodepth=16 --ioengine=io_uring --output=/tmp/fio.out || fail "$(cat /tmp/fio.out)"
iscsi_logout

note "no ACL, no demo mode: refused"
cfs_write "iscsi/$IQN/tpgt_1/attrib/generate_node_acls" 0
assert_fails iscsiadm -m node -T $IQN -p 127.0.0.1:3260 --login
assert_eq 1 "$(cfs_read "iscsi/$IQN/fabric_statistics/iscsi_login_stats/authorize_fails")" "authorize_fails"

note "an ACL"
run_targetcli "/iscsi/$IQN/tpg1/acls create $INITIATOR" "sessions detail"
iscsi_login
disk=$(iscsi_disk)
assert_match 'TARG_SESS_STATE_LOGGED_IN' "$(cfs_read "iscsi/$IQN/tpgt_1/acls/$INITIATOR/info")" "info"
run_targetcli "sessions detail" | grep -q 'LOGGED_IN' || fail "targetcli does not see the session"
assert_eq 262144 "$(cfs_read "iscsi/$IQN/tpgt_1/acls/$INITIATOR/param/MaxBurstLength")" "negotiated"
dd if="/dev/$disk" of=/dev/null bs=1M count=8 iflag=direct status=none

note "the target is removed below the session"
run_targetcli "clearconfig confirm=True"
iscsi_forget
unload_target
