#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 240
# kernels: 6.1-long 6.12 debug-long
#
# The commands of SPC-4 over loopback.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe -a tcm_loop target_core_rd sd_mod sg
/tcm/tests/conformance/spc_test.py
unload_target
