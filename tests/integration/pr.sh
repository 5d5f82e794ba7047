#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 400
# kernels: 6.1 6.12 debug-long
#
# Persistent reservations and SPC-2's RESERVE over three loopback ports.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe -a tcm_loop target_core_rd sd_mod sg
/tcm/tests/conformance/pr_test.py
unload_target
