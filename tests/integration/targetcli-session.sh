#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The real targetcli: every object that there is, held against each rule that rtslib takes for
# granted, saved, cleared, restored, saved again: the two files are equal, nothing was skipped,
# and clearing leaves nothing behind.
# vm: --timeout 300 --disk 64M
# kernels: 6.1-long 6.12
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

rules=/tcm/tests/integration/rtslib-rules.py
loop=naa.5001405000000001
iqn=iqn.2003-01.org.linux-iscsi.mock:t1
init=iqn.1994-05.com.redhat:init
read -r backing _ <<<"$VM_DISKS"

modprobe null_blk nr_devices=2
modprobe -a sd_mod scsi_debug
settle
scsi=/dev/$(basename /sys/bus/pseudo/drivers/scsi_debug/adapter0/host*/target*/*:0:0:0/block/*)

use_our_target
# iSCSI as far as targetcli sees it; the fabric itself is another suite's
modprobe iscsi_target_mod
# nobody loads these but a mkdir
for m in target_core_rd target_core_file target_core_iblock target_core_pscsi tcm_loop; do
	[ ! -d /sys/module/$m ] || fail "$m is loaded already"
done

# have MODULE: ours, not the kernel's
have() { [ -e "/lib/modules/$KREL/updates/$1.ko" ]; }

lines=(
	"/backstores/ramdisk create name=rd0 size=16M"
	"/backstores/ramdisk create name=rd1 size=8M nullio=true"
	"/backstores/ramdisk create name=idle size=4M"
)
exported=(ramdisk/rd0 ramdisk/rd1)
if have target_core_iblock; then
	lines+=("/backstores/block create name=bl dev=$backing")
	lines+=("/backstores/block create name=ro dev=/dev/nullb0 readonly=true")
	exported+=(block/bl block/ro)
fi
if have target_core_file; then
	lines+=("/backstores/fileio create name=fi file_or_dev=/tmp/fi.img size=16M sparse=true")
	lines+=("/backstores/fileio create name=fi2 file_or_dev=/tmp/fi2.img size=16M write_back=false sparse=false")
	lines+=("/backstores/fileio create name=fib file_or_dev=/dev/nullb1")
	exported+=(fileio/fi fileio/fi2 fileio/fib)
fi
if have target_core_pscsi; then
	lines+=("/backstores/pscsi create name=ps dev=$scsi")
	exported+=(pscsi/ps)
fi
lines+=("/loopback create wwn=$loop" "/iscsi create wwn=$iqn")
for b in "${exported[@]}"; do
	lines+=("/loopback/$loop/luns create /backstores/$b" "/iscsi/$iqn/tpg1/luns create /backstores/$b")
done
acl=/iscsi/$iqn/tpg1/acls/$init
lines+=(
	"/iscsi/$iqn/tpg1/portals create 127.0.0.1 3261"
	"/iscsi/$iqn/tpg1/portals create ::1 3262"
	"/iscsi/$iqn create 2"
	"/iscsi/$iqn/tpg1/acls create $init"
	"$acl set auth userid=me password=secret12"
	"$acl set attribute dataout_timeout=7"
	"$acl/mapped_lun0 info"
	"$acl create mapped_lun=200 tpg_lun_or_backstore=/backstores/ramdisk/rd1 write_protect=1"
	"/iscsi/$iqn/tpg1/acls create $init-2 add_mapped_luns=false"
	"/iscsi/$iqn/tpg1 set attribute authentication=1"
	"/iscsi/$iqn/tpg2 disable"
	"/iscsi set discovery_auth enable=1 userid=disc password=discdisc"
	"/backstores/ramdisk/rd0/alua create grp1 5"
	"/backstores/ramdisk/rd0/alua/grp1 set alua alua_access_state=1"
	"/backstores/ramdisk/rd0/alua/grp1 set alua preferred=1 nonop_delay_msecs=20"
	"/backstores/ramdisk/rd0 set attribute emulate_tas=1 queue_depth=128"
	"/backstores/ramdisk/idle set attribute block_size=4096 emulate_ua_intlck_ctrl=1 emulate_tas=0"
	"/backstores/ramdisk/rd0 get attribute"
	"/loopback/$loop/luns/lun0 info"
)

note "create"
run_targetcli "${lines[@]}"
note "what targetcli has no command for, and the rules"
python3 $rules finish
python3 $rules check "$backing"

note "save, clear, restore, save, clear"
run_targetcli "saveconfig /tmp/a.json" "ls" "clearconfig confirm=True" "restoreconfig /tmp/a.json" \
	"saveconfig /tmp/b.json" "clearconfig confirm=True" >/tmp/out
grep -v 'o- ' /tmp/out
if grep -qi -e skipped -e error -e warning: -e fail -e 'could not' <(grep -v 'preferences file' /tmp/out); then
	fail "the restore complained"
fi
python3 $rules diff /tmp/a.json /tmp/b.json
# the comparison can fail
sed '0,/"emulate_tas": 1/s//"emulate_tas": 0/' /tmp/b.json >/tmp/c.json
assert_fails python3 $rules diff /tmp/a.json /tmp/c.json
for word in '"two words"' '"grp1"' '"group1"' '"nullio": true' '"readonly": true' '"block_size": 4096' \
	'"write_protect": true' '"index": 200' '"chap_mutual_password": "oursecret123"' '"plugin": "pscsi"' \
	'"ip_address": "[::1]"' '"enable": false' "\"alias\"" '"alua_tg_pt_gp_name": "grp1"'; do
	grep -qF -- "$word" /tmp/a.json || fail "not saved: $word"
done

note "targetctl restores access states and registrations that outlive a power cycle"
serial=$(python3 -c 'import json
for s in json.load(open("/tmp/a.json"))["storage_objects"]:
    if s["name"] == "rd1":
        print(s["wwn"])')
mkdir -p "$(cat "$CFS/dbroot")/pr"
cat >"$(cat "$CFS/dbroot")/pr/aptpl_$serial" <<-END
	PR_REG_START: 0
	initiator_fabric=iSCSI
	initiator_node=$init
	sa_res_key=2748
	res_holder=1
	res_type=05
	res_scope=00
	res_all_tg_pt=0
	mapped_lun=200
	target_fabric=iSCSI
	target_node=$iqn
	tpgt=1
	port_rtpi=1
	target_lun=1
	PR_REG_END: 0
END
targetctl restore /tmp/a.json >/tmp/out 2>&1 || fail "targetctl restore: $(cat /tmp/out)"
[ ! -s /tmp/out ] || fail "targetctl restore: $(cat /tmp/out)"
grep -qF "$init" "$CFS"/core/rd_mcp_*/rd1/pr/res_holder || fail "holder: $(cat "$CFS"/core/rd_mcp_*/rd1/pr/res_holder)"
grep -q 'Registrants Only' "$CFS"/core/rd_mcp_*/rd1/pr/res_pr_type || fail "type: $(cat "$CFS"/core/rd_mcp_*/rd1/pr/res_pr_type)"
assert_eq "4 Implicit" "$(cat "$CFS"/core/rd_mcp_*/idle/alua/saved/alua_access_{state,type} | xargs)" "a saved group"
run_targetcli "clearconfig confirm=True" >/dev/null

assert_eq "alua" "$(ls "$CFS/core")" "left in core"
assert_eq "discovery_auth version" "$(cd "$CFS/loopback" && echo *)" "left in loopback"
unload_target
