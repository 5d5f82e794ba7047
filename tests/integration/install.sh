#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --rootfs dkms --no-modules --mem 2G --timeout 360
# kernels: 6.1
#
# scripts/install and scripts/uninstall with DKMS, on a host with a second kernel. Compiling
# takes an hour of emulation, so DKMS is told, by its own configuration, to copy what was built
# already; tests/packaging/dkms-build has it compile.
set -euo pipefail
# shellcheck source=tests/vm/guest-lib.sh
. /tcm/tests/vm/guest-lib.sh
# shellcheck source=tests/integration/packaging.inc
. /tcm/tests/integration/packaging.inc

tree=/var/tmp/tcm
motd=/run/motd.d/tcm

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

test_install() {
	note "install"
	mv "/usr/src/linux-headers-$other" /usr/src/aside
	expect_out "kernel $other is left out: no headers.*installed in updates/dkms of: $KREL.*targetcli uses TCM" \
		$tree/scripts/install
	mv /usr/src/aside "/usr/src/linux-headers-$other"
	while read -r m; do
		assert_eq "$MODS/updates/dkms/$m.ko" "$(taken "$m")" "what modprobe takes"
		assert_match . "$(modinfo -F signer "$m")" "signature of $m"
	done < <("$tree/scripts/list-modules")
	modprobe target_core_mod
	core_is ours
	modprobe tcm_loop
	modprobe -r tcm_loop
	modprobe -r target_core_mod
	without_iscsi
}

test_again() {
	note "install again"
	expect_out "version 5.0.0 is installed already" $tree/scripts/install
}

test_new_kernel() {
	note "a new kernel: DKMS's hooks, with headers and without"
	/etc/kernel/postinst.d/dkms "$other" >/tmp/log 2>&1 || fail "$(cat /tmp/log)"
	assert_eq "/lib/modules/$other/updates/dkms/target_core_mod.ko" "$(modinfo -k "$other" -n target_core_mod)" "$other"
	expect_out '^$' /usr/lib/tcm/boot-check "$other"
	mkdir -p /lib/modules/6.1.0-99-amd64
	cp -r "/lib/modules/$other/kernel" /lib/modules/6.1.0-99-amd64/
	depmod 6.1.0-99-amd64
	/etc/kernel/postinst.d/dkms 6.1.0-99-amd64 || fail "the hook without headers"
	expect_refusal 'kernel 6.1.0-99-amd64 has no TCM module for: target_core_mod' /usr/lib/tcm/boot-check 6.1.0-99-amd64
	rm -r /lib/modules/6.1.0-99-amd64
}

test_boot_check() {
	note "the check at boot"
	expect_out '^$' /usr/lib/tcm/boot-check
	mv "$MODS/updates" "$MODS/aside"
	depmod -a
	kmsg_mark
	expect_refusal "NOT the chosen one.*kernel $KREL has no TCM module for: target_core_mod" /usr/lib/tcm/boot-check
	assert_kmsg 'tcm: .*kernel .* has no TCM module'
	assert_match 'NOT the chosen one' "$(cat $motd)" "message of the day"
	mv "$MODS/aside" "$MODS/updates"
	modprobe target_core_mod
	depmod -a
	expect_refusal "the stock target is loaded, TCM is the chosen one" /usr/lib/tcm/boot-check
	modprobe -r target_core_mod
	expect_out '^$' /usr/lib/tcm/boot-check
	[ ! -e $motd ] || fail "$motd is still there"
	TCM_SB_STATE=enabled expect_out '^$' /usr/lib/tcm/boot-check
	if command -v systemd-analyze >/dev/null; then
		expect_out '^$' systemd-analyze verify /etc/systemd/system/tcm-boot-check.service
	fi
}

test_upgrade() {
	note "an upgrade that cannot be built, one that DKMS would skip, one that works"
	sed -i 's/.*/5.0.1/' $tree/VERSION
	cp /etc/dkms/tcm.conf /tmp/tcm.conf
	echo 'MAKE[0]="false"' >>/etc/dkms/tcm.conf
	expect_refusal "putting back.*the build for the running kernel failed" $tree/scripts/install
	cp /tmp/tcm.conf /etc/dkms/tcm.conf
	still_installed 5.0.0

	local intree=$MODS/kernel/drivers/target/loopback/tcm_loop.ko
	cp $intree /tmp/stock.ko
	sed 's/version=5\.0\.0/version=9.0.0/' "/tcm/build/$KREL/tcm_loop.ko" >$intree
	expect_refusal "tcm_loop of kernel $KREL has version 9.0.0, ours 5.0.0" $tree/scripts/install
	cp /tmp/stock.ko $intree
	still_installed 5.0.0

	touch "$MODS/updates/dkms/target_core_mod.ko"
	expect_out "removing version 5.0.0.*installed in updates/dkms of: $KREL $other" $tree/scripts/install
	still_installed 5.0.1
	[ ! -e /usr/src/tcm-5.0.0 ] || fail "the old source is still there"
}

# still_installed VERSION: and no other
still_installed() {
	assert_eq "tcm/$1, $KREL, $(uname -m): installed" "$(dkms status tcm 2>/dev/null | grep "$KREL")" "DKMS"
	assert_eq "$MODS/updates/dkms/target_core_mod.ko" "$(taken target_core_mod)" "what modprobe takes"
	cmp -s "$MODS/updates/dkms/target_core_mod.ko" "/var/lib/dkms/tcm/$1/$KREL/$(uname -m)/module/target_core_mod.ko" ||
		fail "the installed core is not the one that version $1 built"
}

test_secure_boot() {
	note "Secure Boot"
	shim mokutil <<-'END'
		[ "$1" = --test-key ] || exit 1
		echo "$2 is $(cat /tmp/enrolled)"
	END
	export TCM_SB_STATE=enabled
	echo "not enrolled" >/tmp/enrolled
	expect_refusal 'Nothing was changed.*mokutil --import /var/lib/dkms/mok.pub' $tree/scripts/install
	echo "already enrolled" >/tmp/enrolled
	expect_out 'signed with the enrolled key /var/lib/dkms/mok.pub' $tree/scripts/install
	# modules that DKMS did not sign are noticed
	echo 5.0.2 >$tree/VERSION
	echo 'sign_file=/bin/true' >>/etc/dkms/framework.conf
	expect_refusal 'is not signed although Secure Boot is on' $tree/scripts/install
	sed -i '$d' /etc/dkms/framework.conf
	echo 5.0.1 >$tree/VERSION
	still_installed 5.0.1
	unset TCM_SB_STATE
	unshim
}

test_uninstall() {
	note "uninstall while TCM is loaded"
	modprobe target_core_mod
	core_is ours
	expect_out "switching to the stock target.*done: modprobe takes $MODS/kernel/drivers/target/target_core_mod.ko" \
		$tree/scripts/uninstall
	core_is stock
	assert_eq "" "$(compgen -G "/lib/modules/*/updates/dkms/t*.ko" || :)" "modules left"
	assert_eq "" "$(compgen -G "/usr/src/tcm-*" || compgen -G "/usr/lib/tcm" || compgen -G "$CHOICE" ||
		compgen -G /usr/sbin/tcm-switch || compgen -G /etc/systemd/system/tcm-* || :)" "files left"
	assert_eq "" "$(dkms status tcm 2>/dev/null)" "DKMS"
}

test_install_beside_stock() {
	note "install while the stock target is loaded"
	core_is stock
	expect_out "The stock target is loaded and stays.*tcm-switch ours" $tree/scripts/install
	assert_match /kernel/drivers/target/ "$(taken tcm_loop)" "the running target's modules"
	expect_out 'TCM is loaded' tcm-switch ours
	core_is ours
	assert_match /updates/dkms/ "$(taken tcm_loop)" "what modprobe takes"
}

make_host
test_install
test_again
test_new_kernel
test_boot_check
test_upgrade
test_secure_boot
test_uninstall
test_install_beside_stock
