#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Copies that are ended while a backend has a part of them, and what their initiator may not copy, on
# the test fabric.
# vm: --timeout 120
# kernels: 6.1 6.12-long debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe tcm_test
/tcm/tests/conformance/tfab_copy.py
/tcm/tests/conformance/tfab_access.py
unload_target
