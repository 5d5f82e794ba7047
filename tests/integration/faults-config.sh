#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 300 --expect-warn Huh.VM_FAULT_OOM
# kernels: debug-long
#
# Every allocation of every step of a configuration fails once: the step says so and leaves
# nothing, what was made can be taken down, nothing leaks.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

[ -d /sys/kernel/debug/failslab ] || skip "a kernel without fault injection"
use_our_target
modprobe -a sd_mod tcm_loop target_core_rd tcm_mock
/tcm/tests/integration/faults.py
unload_target
