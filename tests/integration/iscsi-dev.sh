#!/bin/bash
# vm: --timeout 600
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
bash /tcm/tests/integration/golden.sh || echo "GOLDEN FAILED"
[ ! -e /sys/module/target_core_mod ] || { python3 /tcm/tests/golden/compare.py clear; unload_target; }
. /tcm/tests/integration/iscsi.inc
ip link set lo up
use_our_target
modprobe iscsi_target_mod
mkdir $CFS/iscsi
rd_device r0
iscsi_target_raw $IQN core/rd_mcp_0/r0
for f in iSCSI; do
timeout 300 iscsi-test-cu --dataloss --verbose -t $f iscsi://127.0.0.1/$IQN/0 >/out/cu-$f.txt 2>&1 || echo "cu $f gave $?"
grep -E "FAILED|Suite:|tests|asserts" /out/cu-$f.txt | head -60 || :
done
iscsi_target_del $IQN
rd_device_del r0
unload_target
