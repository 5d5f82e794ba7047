#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --disk 64M --timeout 480
# kernels: 6.1-long 6.12-long
#
# tcm-switch: what it refuses, touching nothing, and what would be lost; then the way back
# from each step that can fail.
set -euo pipefail
# shellcheck source=tests/vm/guest-lib.sh
. /tcm/tests/vm/guest-lib.sh
# shellcheck source=tests/integration/packaging.inc
. /tcm/tests/integration/packaging.inc

untouched() {
	core_is stock
	[ -e "$CHOICE" ] || fail "the choice was changed"
	live_json /tmp/now.json
	diff /tmp/first.json /tmp/now.json || fail "the configuration was changed"
}

# Objects TCM has no module for: in the running configuration, and in the boot's file
test_objects() {
	note "objects that TCM does not ship"
	mkdir -p $CFS/core/user_99/u0
	cfs_write core/user_99/u0/control dev_size=1048576,dev_config=foo/bar
	cfs_write core/user_99/u0/enable 1
	expect_refusal 'user backstore "u0" \(running\): TCM has no target_core_user.*nothing was changed' $switch ours --force
	rmdir $CFS/core/user_99/u0 $CFS/core/user_99
	jq '.targets += [{fabric: "xen-pvscsi", wwn: "naa.5001405000000009"}, {fabric: "efct", wwn: "naa.5001405000000008"}] |
		.targets += [{fabric: "iscsi", wwn: "iqn.2026-11.org.example:x", tpgs:
			[{tag: 1, portals: [{ip_address: "10.0.0.1", port: 3260, iser: false, offload: true}]}]}]' \
		/tmp/boot.json >$SAVECONFIG
	expect_refusal 'lost.*xen-pvscsi target naa.5001405000000009 \(/etc.*TCM has no xen_scsiback' $switch ours
	assert_match 'efct target naa.5001405000000008' "$OUT" "efct"
	assert_match 'offloaded portal 10.0.0.1:3260 of iqn.2026-11.org.example:x' "$OUT" "cxgbit"
	cp /tmp/boot.json $SAVECONFIG
	untouched
}

test_unsaved_values() {
	note "values that targetctl does not save"
	mkdir $CFS/core/alua/lu_gps/mine $CFS/core/rd_mcp_98 $CFS/core/rd_mcp_98/v
	cfs_write core/rd_mcp_98/v/control rd_pages=16,rd_nullio=1
	cfs_write core/rd_mcp_98/v/enable 1
	cfs_write core/rd_mcp_98/v/wwn/vendor_id ACME
	expect_refusal 'logical unit group mine.*vendor_id "ACME" of backstore rd_mcp_98/v' $switch ours
	rmdir $CFS/core/alua/lu_gps/mine $CFS/core/rd_mcp_98/v $CFS/core/rd_mcp_98
}

test_disks_in_use() {
	local disk number
	note "disks in use"
	disk=$(loop_lun_device $wwn 7)
	mkfs.ext4 -q "/dev/$disk"
	mkdir -p /mnt/x
	mount "/dev/$disk" /mnt/x
	expect_refusal "/dev/$disk is mounted on /mnt/x" $switch ours
	umount /mnt/x
	number=$(cat "/sys/block/$disk/size")
	dmsetup create held --table "0 $number linear /dev/$disk 0"
	expect_refusal "/dev/$disk is held by dm-0 \(held\)" $switch ours
	dmsetup remove held
	# shellcheck disable=SC2217 # it is to hold the disk open, not to read it
	sleep 100 <"/dev/$disk" &
	expect_refusal "/dev/$disk is open in sleep \(process $!\)" $switch ours
	kill $!
	wait $! || :
}

test_reservations() {
	local disk
	note "reservations"
	disk=$(loop_lun_device $wwn 7)
	sg_persist -n --out --register --param-sark=0xabc "/dev/$disk"
	expect_refusal "reservation on iblock_[0-9]+/b0: .* Key: 0x0*abc" $switch ours
	sg_persist -n --out --register --param-rk=0xabc --param-sark=0 "/dev/$disk"
}

test_preconditions() {
	note "preconditions"
	expect_refusal 'targetcli session' flock /var/run/targetcli.lock $switch ours
	expect_refusal 'Secure Boot: not signed: .*target_core_mod' env TCM_SB_STATE=enabled $switch ours
	mv "$MODS/updates" "$MODS/aside"
	expect_refusal 'TCM is not there for kernel' $switch ours
	mv "$MODS/aside" "$MODS/updates"
	untouched
	assert_eq "" "$(compgen -G '/etc/rtslib-fb-target/backup/tcm-switch-*' || :)" "copies of refused switches"
}

# back_from WHAT REGEX: the switch fails at a step and everything is as before
back_from() {
	note "the way back from: $1"
	expect_refusal "FAILED: $2.*the configuration of before is back.*not switched" $switch ours --force
	unshim
	untouched
}

test_way_back() {
	shim rmmod <<-'END'
		[ "$1" != target_core_mod ] || { echo "rmmod: ERROR: Module $1 is in use" >&2; exit 1; }
		exec $REAL "$@"
	END
	TCM_UNLOAD_SECONDS=1 back_from "a module that is held" 'target_core_mod does not unload: 0 users, holders: none'

	cp "$MODS/updates/target_core_mod.ko" /tmp/whole.ko
	head -c 5000 /tmp/whole.ko >"$MODS/updates/target_core_mod.ko"
	back_from "a broken module" 'modprobe target_core_mod'

	note "the way back when nobody listens any more"
	# the reader goes while the configuration is being cleared
	$switch ours --force 2>/dev/null | head -n 2 >/tmp/heard || :
	assert_match 'clearing the configuration$' "$(cat /tmp/heard)" "what was heard"
	untouched
	cp /tmp/whole.ko "$MODS/updates/target_core_mod.ko"

	shim targetctl <<-'END'
		[ "$1" != restore ] || [ ! -e /sys/module/target_core_mod/version ] || {
			$REAL "$@"
			kill -TERM $PPID
			kill -HUP $PPID
			kill -INT $PPID
		}
		exec $REAL "$@"
	END
	back_from "signals while restoring" 'interrupted by SIG(HUP|INT|TERM)'

	# a restore that leaves something out ends with success
	shim targetctl <<-'END'
		if [ "$1" = restore ] && [ -e /sys/module/target_core_mod/version ]; then
			jq '.targets = []' "$2" >/tmp/less.json
			exec $REAL restore /tmp/less.json
		fi
		exec $REAL "$@"
	END
	back_from "a restore that leaves something out" 'the restored configuration is not the saved one'
}

prepare_switch
stock_with_configuration
test_objects
test_unsaved_values
test_disks_in_use
test_reservations
test_preconditions
test_way_back
