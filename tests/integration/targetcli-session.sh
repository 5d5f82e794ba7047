#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The real targetcli: every object that there is, saved, cleared, restored, saved again: the
# two files are equal, nothing was skipped, and clearing leaves nothing behind.
# vm: --timeout 300 --disk 64M
# kernels: 6.1 6.12
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

loop=naa.5001405000000001
iqn=iqn.2003-01.org.linux-iscsi.mock:t1
init=iqn.1994-05.com.redhat:init

use_our_target
# iSCSI as far as targetcli sees it; the fabric itself is another suite's
modprobe tcm_mock

# have MODULE: ours, not the kernel's
have() { [ -e "/lib/modules/$KREL/updates/$1.ko" ]; }

lines=(
	"/backstores/ramdisk create name=rd0 size=16M"
	"/backstores/ramdisk create name=rd1 size=8M nullio=true"
)
exported=(ramdisk/rd0 ramdisk/rd1)
if have target_core_iblock; then
	read -r backing _ <<<"$VM_DISKS"
	lines+=("/backstores/block create name=bl dev=$backing")
	exported+=(block/bl)
fi
if have target_core_file; then
	lines+=("/backstores/fileio create name=fi file_or_dev=/tmp/fi.img size=16M")
	lines+=("/backstores/fileio create name=fi2 file_or_dev=/tmp/fi2.img size=16M write_back=false")
	exported+=(fileio/fi fileio/fi2)
fi
lines+=("/loopback create wwn=$loop" "/iscsi create wwn=$iqn")
for b in "${exported[@]}"; do
	lines+=("/loopback/$loop/luns create /backstores/$b" "/iscsi/$iqn/tpg1/luns create /backstores/$b")
done
lines+=(
	"/iscsi/$iqn/tpg1/acls create $init"
	"/iscsi/$iqn/tpg1/acls/$init set auth userid=me password=secret12"
	"/iscsi/$iqn/tpg1/acls/$init set attribute dataout_timeout=7"
	"/iscsi/$iqn/tpg1/acls/$init/mapped_lun0 info"
	"/iscsi/$iqn/tpg1 set attribute authentication=1"
	"/iscsi/$iqn/tpg1 set parameter TargetAlias=\"two words\""
	"/iscsi set discovery_auth enable=1 userid=disc password=discdisc"
	"/backstores/ramdisk/rd0/alua create grp1 5"
	"/backstores/ramdisk/rd0/alua/grp1 set alua alua_access_state=1"
	"/backstores/ramdisk/rd0/alua/grp1 set alua preferred=1 nonop_delay_msecs=20"
	"/loopback/$loop/luns/lun0 info"
	"ls"
)

note "create"
run_targetcli "${lines[@]}"
# the last of these is what targetcli cannot do
echo grp1 >"$CFS/loopback/$loop/tpgt_1/lun/lun_0/alua_tg_pt_gp"
run_targetcli "saveconfig /tmp/a.json" "ls"
[ -s /tmp/a.json ] || fail "nothing was saved"

# configfs lists what was made last first, whatever the target: a restore turns lists round
canonical() { jq -S 'walk(if type == "array" then sort else . end)' "$1"; }

note "clear, restore, save"
run_targetcli "clearconfig confirm=True" "restoreconfig /tmp/a.json" "saveconfig /tmp/b.json" >/tmp/out
cat /tmp/out
if grep -qi -e skipped -e error -e fail -e 'could not' /tmp/out; then fail "the restore complained"; fi
diff <(canonical /tmp/a.json) <(canonical /tmp/b.json) || fail "the configuration changed"

note "clear"
run_targetcli "clearconfig confirm=True"
assert_eq "alua" "$(ls "$CFS/core")" "left in core"
assert_eq "discovery_auth version" "$(cd "$CFS/loopback" && echo *)" "left in loopback"
unload_target
