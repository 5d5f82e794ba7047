#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Auto contingent allegiance, and task sets that are full.
# vm: --timeout 180
# kernels: 6.1 6.12-long debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe tcm_test
/tcm/tests/conformance/tfab_aca.py
unload_target
