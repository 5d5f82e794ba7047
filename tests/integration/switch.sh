#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 420
#
# tcm-switch: stock to ours and back with a configuration, what it refuses, and the way
# back from a step that fails.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/packaging/lib.sh

switch=/tcm/scripts/tcm-switch
wwn=naa.5001405000000001

setup() {
	have_our_target || fail "our modules are not in this guest"
	slim_modules
	mkdir -p /usr/lib/tcm /etc/rtslib-fb-target
	for m in "$MODS"/updates/*.ko; do basename "$m" .ko; done >/usr/lib/tcm/modules
	without_iscsi
	truncate -s 64M /var/tmp/disk.img
	modprobe -a sd_mod sg
}

test_nothing_loaded() {
	note "nothing loaded: the choice alone"
	expect_out 'chosen: TCM .*updates.*loaded: no target' $switch status
	expect_out 'no target was loaded' $switch stock
	assert_match /kernel/drivers/target/target_core_mod "$(taken target_core_mod)" "stock is chosen"
	assert_match /kernel/drivers/target/loopback/tcm_loop "$(taken tcm_loop)" "stock is chosen"
	depmod -a
	assert_match /kernel/drivers/target/target_core_mod "$(taken target_core_mod)" "the choice outlives depmod"
	[ ! -d /sys/module/target_core_mod ] || fail "a target was loaded"
	expect_out . $switch ours
	[ ! -e $CHOICE ] || fail "$CHOICE is still there"
	assert_match /updates/target_core_mod "$(taken target_core_mod)" "ours is chosen"
}

configure() {
	note "stock target with a configuration"
	$switch stock
	modprobe target_core_mod
	core_is stock
	run_targetcli "/backstores/ramdisk create name=r0 size=32M nullio=true" \
		"/backstores/ramdisk create name=r1 size=32M" \
		"/backstores/fileio create name=f0 file_or_dev=/var/tmp/disk.img" \
		"/loopback create $wwn" \
		"/loopback/$wwn/luns create /backstores/ramdisk/r0" \
		"/loopback/$wwn/luns create /backstores/fileio/f0 lun=7" \
		"saveconfig"
	live_json /tmp/first.json
}

setup
test_nothing_loaded
configure
cat /tmp/first.json | head -50
expect_out . $switch status
expect_refusal . $switch ours
expect_refusal . $switch ours --force
expect_out . $switch status
live_json /tmp/second.json
diff /tmp/first.json /tmp/second.json
dmesg | tail -20
