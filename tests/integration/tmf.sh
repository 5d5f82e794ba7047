#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Task management on the test fabric, over a backend that holds its commands.
# vm: --timeout 180
# kernels: 6.1 6.12-long debug
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe tcm_test
/tcm/tests/conformance/tfab_tmf.py
unload_target
