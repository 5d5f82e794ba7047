#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --disk 64M --timeout 300
# kernels: 6.1 6.12-long
#
# A host must not notice that the target was exchanged: one saved configuration under the
# stock target and under ours, every byte that identifies a disk or a path compared.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
# shellcheck source=tests/integration/packaging.inc
. /tcm/tests/integration/packaging.inc

test=/tcm/tests/conformance/identity.py
mkdir -p /etc/rtslib-fb-target

# SG_IO is all it takes: without disks the LUNs come and go in half the time
echo 'install sd_mod /bin/false' >/etc/modprobe.d/no-sd.conf

use_stock_target
modprobe -a tcm_loop sg
note "stock target: create and save"
$test create /tmp/saved.json "${VM_DISKS%% *}"
note "stock target: restore and ask"
$test collect /tmp/saved.json /tmp/stock.json
unload_target

use_our_target
modprobe tcm_loop
note "our target: restore and ask"
$test collect /tmp/saved.json /tmp/ours.json
unload_target
cp /tmp/saved.json /tmp/stock.json /tmp/ours.json /out/

$test compare /tmp/stock.json /tmp/ours.json /tcm/tests/conformance/identity.list "${KREL%.*}"
