#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Hundreds of LUNs mapped to one ACL and taken away, no step slower than the one before; two
# hundred saved and restored by rtslib.
# vm: --timeout 400
# kernels: 6.1 6.12-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

use_our_target
modprobe iscsi_target_mod
mkdir -p /etc/rtslib-fb-target
bulk=300
[ "${TCM_LONG:-}" != 1 ] || bulk=1000
python3 /tcm/tests/integration/manyluns.py bulk $bulk
note "rtslib"
# In emulation rtslib's own quadratic work takes minutes: in full on one kernel, or when asked
count=200
if [ "${TCM_LONG:-}" != 1 ] && [[ $KREL == 6.1.* ]]; then count=40; fi
python3 /tcm/tests/integration/manyluns.py session $count
unload_target
