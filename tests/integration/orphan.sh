#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What was aborted while a backend has it: who has to wait for it, and who sees it.
# vm: --timeout 180
# kernels: 6.1 6.12-long debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe tcm_test
/tcm/tests/conformance/tfab_orphan.py
unload_target
