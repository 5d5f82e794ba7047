#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --rootfs dkms --no-modules --mem 2G --timeout 600
# kernels: 6.1-long
#
# DKMS, the switch and the check at boot on a host where the stock target runs and a second
# kernel is installed. Compiling takes an hour of emulation, so DKMS is told, by its own
# configuration, to copy what was built already; tests/packaging/dkms has it compile, and
# tests upgrades, failing builds and Secure Boot.
set -euo pipefail
# shellcheck source=tests/vm/guest-lib.sh
. /tcm/tests/vm/guest-lib.sh
# shellcheck source=tests/integration/packaging.inc
. /tcm/tests/integration/packaging.inc

tree=/var/tmp/tcm

# A host with two kernels: the running one whole, the other one as far as DKMS looks at it
make_host() {
	local k
	other=$(basename /tcm/build/6.12.*)
	[ -e "/tcm/build/$other/target_core_mod.ko" ] || fail "no modules for a 6.12 kernel in build/"
	slim_modules
	mkdir -p "/lib/modules/$other/kernel/drivers" /etc/rtslib-fb-target
	cp -r "$MODS/kernel/drivers/target" "/lib/modules/$other/kernel/drivers/"
	cp "$MODS"/modules.{order,builtin,builtin.modinfo} "/lib/modules/$other/"
	for k in "$KREL" "$other"; do
		ln -sfn "/usr/src/linux-headers-$k" "/lib/modules/$k/build"
		[ -d "/usr/src/linux-headers-$k" ] || fail "no headers of $k in this root file system"
	done
	mkdir -p $tree
	(cd /tcm && cp -r COPYING Kbuild VERSION Documentation packaging scripts core configfs backends \
		fabrics include $tree/)
	# shellcheck disable=SC2016 # DKMS expands it
	printf 'MAKE[0]="cp /tcm/build/$kernelver/*.ko ."\nCLEAN=true\n' >/etc/dkms/tcm.conf
}

test_install_beside_stock() {
	note "install while the stock target is loaded"
	modprobe target_core_mod
	run_targetcli "/backstores/ramdisk create name=r0 size=32M nullio=true" "/loopback create $wwn" \
		"/loopback/$wwn/luns create /backstores/ramdisk/r0" "saveconfig"
	live_json /tmp/first.json
	mv "/usr/src/linux-headers-$other" /usr/src/aside
	expect_out "kernel ${other//+/.} is left out: no headers.*installed in updates/dkms of: $KREL.*The stock target is loaded and stays.*tcm-switch ours" \
		$tree/scripts/install
	mv /usr/src/aside "/usr/src/linux-headers-$other"
	core_is stock
	assert_match /kernel/drivers/target/ "$(taken vhost_scsi)$(taken tcm_loop)" "the running target's modules"
	expect_out '^$' /usr/lib/tcm/boot-check
}

test_switch() {
	note "switch"
	expect_out 'TCM is loaded, the configuration is as before' tcm-switch ours
	core_is ours
	while read -r m; do
		assert_eq "$MODS/updates/dkms/$m.ko" "$(taken "$m")" "what modprobe takes"
		assert_match . "$(modinfo -F signer "$m")" "signature of $m"
	done </usr/lib/tcm/modules
	expect_out '^$' /usr/lib/tcm/boot-check
}

# installed: the source and the modules that there are, by content
installed() {
	sha256sum "$MODS"/updates/dkms/*.ko
	find /usr/src/tcm-* -type f -print0 | sort -z | xargs -0 sha256sum
}

test_interrupted() {
	note "a signal while another build takes the place of the installed one"
	installed >/tmp/before
	cp -r $tree /var/tmp/changed
	echo "/* changed */" >>/var/tmp/changed/core/log.h
	cp /etc/dkms/tcm.conf /tmp/tcm.conf
	# shellcheck disable=SC2016 # DKMS expands it
	printf 'MAKE[0]="kill -TERM $(cat /tmp/install.pid); cp /tcm/build/$kernelver/*.ko ."\nCLEAN=true\n' >/etc/dkms/tcm.conf
	# shellcheck disable=SC2016 # the inner shell's
	expect_refusal 'putting back what was there.*interrupted: not installed' \
		sh -c 'echo $$ >/tmp/install.pid; exec /var/tmp/changed/scripts/install'
	cp /tmp/tcm.conf /etc/dkms/tcm.conf
	installed >/tmp/after
	diff /tmp/before /tmp/after || fail "what was installed is not there any more"
	assert_eq "" "$(compgen -G '/tmp/tmp.*/aside' || :)" "copies left"
	expect_out '^$' /usr/lib/tcm/boot-check
}

test_new_kernel() {
	note "a new kernel: DKMS's hook"
	/etc/kernel/postinst.d/dkms "$other" >/tmp/log 2>&1 || fail "$(cat /tmp/log)"
	assert_match "^/lib/modules/${other//+/.}/updates/dkms/target_core_mod.ko" "$(modinfo -k "$other" -n target_core_mod)" "$other"
	expect_out '^$' /usr/lib/tcm/boot-check "$other"
	note "a new kernel whose headers are missing"
	mkdir -p /lib/modules/6.1.0-99-amd64
	cp -r "/lib/modules/$other/kernel" /lib/modules/6.1.0-99-amd64/
	depmod 6.1.0-99-amd64
	/etc/kernel/postinst.d/dkms 6.1.0-99-amd64 || fail "the hook without headers"
	expect_refusal 'kernel 6.1.0-99-amd64 has no TCM module for target_core_mod' /usr/lib/tcm/boot-check 6.1.0-99-amd64
	rm -r /lib/modules/6.1.0-99-amd64
}

test_uninstall() {
	note "uninstall while TCM is loaded"
	core_is ours
	expect_out "switching to the stock target.*done: modprobe takes $MODS/kernel/drivers/target/target_core_mod.ko" \
		$tree/scripts/uninstall
	core_is stock
	live_json /tmp/last.json
	diff /tmp/first.json /tmp/last.json || fail "the configuration changed"
	assert_eq "" "$(compgen -G "/lib/modules/*/updates/dkms/t*.ko*" || :)" "modules left"
	assert_eq "" "$(compgen -G "/usr/src/tcm-*" || compgen -G "/usr/lib/tcm" || compgen -G "$CHOICE" ||
		compgen -G /usr/sbin/tcm-switch || compgen -G "/etc/systemd/system/*tcm-*" || :)" "files left"
}

make_host
test_install_beside_stock
test_switch
test_interrupted
test_new_kernel
test_uninstall
