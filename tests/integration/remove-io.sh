#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# LUNs, ACLs, portal groups, targets and backstores removed under I/O, on the test fabric; then
# the module is unloaded while a backend still holds a command.
# vm: --timeout 240
# kernels: 6.1 6.12 debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe tcm_test
cycles=10
[ -z "${TCM_LONG:-}" ] || cycles=100
/tcm/tests/conformance/tfab_remove.py $cycles

note "unload with a command out"
kmsg_mark
/tcm/tests/conformance/tfab_straggler.py
rmmod tcm_test &
unloading=$!
says_why() { kmsg_since | grep -q 'unloading test waits for I/O of device stuck'; }
wait_for 30 says_why
kill -0 $unloading || fail "the module went while a command was out"
echo 0 >/sys/module/tcm_test/parameters/held
wait_gone /sys/module/tcm_test 10
wait $unloading
unload_target
