#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What an administrator sees of commands: tracepoints and statistics, on the test fabric.
# vm: --timeout 180
# kernels: 6.1 6.12-long debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

rc=0
use_our_target
modprobe tcm_test
/tcm/tests/conformance/tfab_trace.py || rc=1
/tcm/tests/conformance/tfab_stat.py || rc=1
unload_target
exit $rc
