#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 200
# kernels: 6.1 6.12-long debug-long
#
# Access states over two loopback ports: what each lets through, who is told, how they change.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe -a tcm_loop target_core_rd sd_mod sg
/tcm/tests/conformance/alua_test.py
unload_target
