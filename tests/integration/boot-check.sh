#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 90
# kernels: 6.1 6.12-long
#
# scripts/boot-check, as it runs at boot.
set -euo pipefail
# shellcheck source=tests/vm/guest-lib.sh
. /tcm/tests/vm/guest-lib.sh
# shellcheck source=tests/integration/packaging.inc
. /tcm/tests/integration/packaging.inc

check=/tcm/scripts/boot-check
motd=/run/motd.d/tcm

# quiet, warns REGEX: what the check is to say, in all the places where it says it
quiet() {
	expect_out '^$' $check
	[ ! -e $motd ] || fail "$motd is still there"
}
warns() {
	local line
	kmsg_mark
	expect_refusal "NOT the chosen one.*$1" "${@:2}" $check
	line=$(sed -n 's/^  - //p' <<<"$OUT" | head -n 1)
	[ -n "$line" ] || fail "no reason given"
	kmsg_since | grep -qF "tcm: - $line" || fail "the kernel log lacks: $line"
	grep -qF -- "- $line" $motd || fail "the message of the day lacks: $line"
}

prepare_switch
note "not installed"
mv /usr/lib/tcm/modules /tmp/names
mv "$MODS/updates" /run/aside
depmod -a
quiet
mv /tmp/names /usr/lib/tcm/modules

note "no modules for this kernel"
warns "kernel ${KREL//+/[+]} has no TCM module for .*target_core_mod"
note "the stock target has come up"
modprobe target_core_mod
warns "the stock target is loaded, TCM is the chosen one"
note "the same, the stock target being chosen"
$switch choose stock
quiet

note "modules of TCM again, the stock target still loaded"
mv /run/aside "$MODS/updates"
quiet
$switch choose ours
warns "the stock target is loaded, TCM is the chosen one"
modprobe -r target_core_mod
quiet

note "TCM loaded"
modprobe target_core_mod
core_is ours
quiet
$switch choose stock
warns "TCM is loaded, the stock target is the chosen one"
$switch choose ours

note "another build is installed than the one that is loaded"
cp "$MODS/updates/target_core_mod.ko" /tmp/whole.ko
sed 's/srcversion=..../srcversion=0000/' /tmp/whole.ko >"$MODS/updates/target_core_mod.ko"
warns "the loaded TCM is not the installed build"
expect_refusal 'another build of TCM' $switch status
cp /tmp/whole.ko "$MODS/updates/target_core_mod.ko"
quiet

note "somebody else's module in front, one of ours missing, Secure Boot"
mkdir -p "$MODS/updates/aa"
printf 'override tcm_loop * updates/aa\n' >/etc/depmod.d/aa.conf
cp "$MODS/updates/tcm_loop.ko" "$MODS/updates/aa/"
depmod -a
warns "prefers modules of others to TCM's tcm_loop"
rm -r /etc/depmod.d/aa.conf "$MODS/updates/aa" "$MODS/updates/tcm_loop.ko"
depmod -a
warns "has no TCM module for tcm_loop"
cp "/tcm/build/$KREL/tcm_loop.ko" "$MODS/updates/"
depmod -a
quiet
warns "Secure Boot refuses unsigned modules, install TCM again: .*target_core_mod" env TCM_SB_STATE=enabled
quiet
