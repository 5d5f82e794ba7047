# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What the guest tests of the installation share; sourced after guest-lib.sh.

MODS=/lib/modules/$KREL
SAVECONFIG=/etc/rtslib-fb-target/saveconfig.json
CHOICE=/etc/depmod.d/tcm.conf

# slim_modules: a module tree of the target and what it needs. depmod over all of
# Debian's modules takes most of a minute of emulation, and runs at each change of the
# chosen target.
slim_modules() {
	local stock=/run/vm/stock-modules slim=/run/slim/$KREL
	mkdir -p "$slim"
	(cd $stock && awk -F': *' '
		$1 ~ /drivers\/(target|vhost|xen|scsi\/qla2xxx)\// || $1 ~ /ulp\/(srpt|isert)\// ||
		$1 ~ /\/(sd_mod|sg|dm-mod|scsi_debug|loop|ext4|configfs|null_blk)\.ko/ { print $1; print $2 }
		' modules.dep | xargs -n1 | sort -u | xargs cp --parents -t "$slim")
	cp $stock/modules.{order,builtin,builtin.modinfo} "$slim/"
	[ ! -d "$MODS/updates" ] || cp -r "$MODS/updates" "$slim/"
	mount --bind "$slim" "$MODS"
	depmod -a
}

# taken MODULE: the file modprobe would load
taken() { modinfo -n "$1"; }

# core_is ours|stock: what is loaded, by what the kernel says of it
core_is() {
	local taint srcversion
	taint=$(cat /sys/module/target_core_mod/taint)
	srcversion=$(cat /sys/module/target_core_mod/srcversion 2>/dev/null || :)
	if [ "$1" = ours ]; then
		assert_match O "$taint" "the stock core is loaded"
		assert_eq "$(modinfo -F srcversion "$MODS"/updates/target_core_mod.ko* 2>/dev/null ||
			modinfo -F srcversion "$MODS"/updates/dkms/target_core_mod.ko*)" "$srcversion" "srcversion of the loaded core"
	else
		assert_eq "" "$srcversion" "the stock core has no srcversion"
		assert_eq "" "${taint//[!O]/}" "taint of the loaded core"
	fi
}

# without_iscsi: rtslib touches the iSCSI fabric in every save, clear and restore; while
# TCM has no module for it, targetctl works for nobody. Take that fabric out of rtslib.
without_iscsi() {
	if ! grep -qx iscsi_target_mod /usr/lib/tcm/modules; then
		note "TCM has no iscsi_target_mod yet: rtslib is told of no iSCSI"
		sed -i '/"iscsi": ISCSIFabricModule,/d' /usr/lib/python3/dist-packages/rtslib_fb/fabric.py
	fi
}

# live_json FILE: the running configuration in one order
live_json() {
	targetctl save /tmp/live.json
	jq -S '.storage_objects |= sort_by(.plugin, .name) | .targets |= sort_by(.fabric, .wwn) |
		(.targets[].tpgs[]?.luns) |= sort_by(.index)' /tmp/live.json >"$1"
}

# expect_out REGEX COMMAND...: succeeds and says so; expect_refusal REGEX COMMAND...:
# fails and says so. The output is shown and left in OUT.
expect_out() {
	local regex=$1 rc=0
	shift
	OUT=$("$@" 2>&1) || rc=$?
	printf '%s\n' "$OUT"
	assert_eq 0 "$rc" "status of $*"
	assert_match "$regex" "$OUT" "output of $*"
}
expect_refusal() {
	local regex=$1 rc=0
	shift
	OUT=$("$@" 2>&1) || rc=$?
	printf '%s\n' "$OUT"
	[ $rc != 0 ] || fail "did not fail: $*"
	assert_match "$regex" "$OUT" "output of $*"
}

# shim PROGRAM <<SCRIPT: stands in front of the program on PATH; unshim takes it away
shim() {
	mkdir -p /run/shim
	{ echo '#!/bin/bash'; echo "REAL=$(PATH=$REAL_PATH command -v "$1")"; cat; } >"/run/shim/$1"
	chmod 755 "/run/shim/$1"
	PATH=/run/shim:$REAL_PATH
	hash -r
}
unshim() {
	rm -rf /run/shim
	PATH=$REAL_PATH
	hash -r
}
REAL_PATH=$PATH
