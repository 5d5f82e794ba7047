#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Loopback's SCSI host: its reset handlers over a backend that holds commands, transport_status, and
# the files of a port.
# vm: --timeout 240 --no-udev
# kernels: 6.1 6.12-long debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

modprobe -a sd_mod sg
use_our_target
modprobe tcm_test
/tcm/tests/conformance/loop_test.py
unload_target
