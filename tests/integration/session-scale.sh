#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A thousand LUNs mapped to an ACL come and go without a grace period each.
# vm: --icount --timeout 180
# kernels: 6.1-long 6.12
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe tcm_test
/tcm/tests/conformance/tfab_scale.py
unload_target
