#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A targetcli session on ramdisks and loopback: create, save, clear, restore, save.
# vm: --timeout 300
# kernels: 6.1 6.12
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
note "create"
run_targetcli \
	"/backstores/ramdisk create name=rd0 size=16M" \
	"/backstores/ramdisk create name=rd1 size=8M nullio=true" \
	"/loopback create wwn=naa.5001405000000001" \
	"/loopback/naa.5001405000000001/luns create /backstores/ramdisk/rd0" \
	"/loopback/naa.5001405000000001/luns create /backstores/ramdisk/rd1" \
	"ls" \
	"saveconfig /tmp/a.json"
wait_for 20 sh -c 'lsscsi | grep -q rd1'
lsscsi
note "clear and restore"
out=$(run_targetcli "clearconfig confirm=True" "restoreconfig /tmp/a.json" "saveconfig /tmp/b.json")
echo "$out"
case $out in
*skipped*) fail "something was skipped" ;;
esac
diff /tmp/a.json /tmp/b.json || fail "the configuration changed"
[ -s /tmp/a.json ] || fail "nothing was saved"
note "clear"
run_targetcli "clearconfig confirm=True"
assert_eq "" "$(ls $CFS/loopback | grep naa || true)"
assert_eq "alua" "$(ls $CFS/core)"
note "unload"
rmdir $CFS/loopback $CFS/iscsi 2>/dev/null || rmdir $CFS/loopback || true
wait_for 10 modprobe -r tcm_loop
wait_for 10 modprobe -r target_core_rd
modprobe -r target_core_mod
