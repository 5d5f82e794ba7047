#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# LUNs, ACLs, portal groups, targets and backstores removed under I/O, on the test fabric; then
# the module is to be unloaded while a backend still holds a command.
# vm: --timeout 240
# kernels: 6.1 6.12-long debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe tcm_test
cycles=10
[ -z "${TCM_LONG:-}" ] || cycles=100
/tcm/tests/conformance/tfab_remove.py $cycles

note "unload with a command out"
/tcm/tests/conformance/tfab_straggler.py
# in the module's exit function rmmod would wait and could not be killed
out=$(timeout 20 rmmod tcm_test 2>&1) && fail "the module went while a command was out"
assert_match 'Module tcm_test is in use' "$out" "rmmod"
echo 0 >/sys/module/tcm_test/parameters/held
wait_for 10 rmmod tcm_test
unload_target
