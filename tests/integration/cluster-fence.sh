#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 300 --rootfs cluster
# kernels: 6.1 6.12-long
#
# Pacemaker's agents fence nodes of a cluster by persistent reservations, while the others write.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc
. /tcm/tests/integration/cluster.inc

SHARED=core/rd_mcp_0/shared
WWN=naa.5001405c1a000003

use_our_target
modprobe -a tcm_loop target_core_rd sd_mod sg
iscsi_initiator
rd_device shared
iscsi_target_raw $IQN $SHARED
declare -A DISK
for n in n1 n2; do
	iscsi_node $n
	DISK[$n]=$(iscsi_node_disk $n)
done
DISK[n3]=$(loop_node $WWN naa.5001405c1aff0003 $SHARED)
for n in n1 n2 n3; do
	node_new $n
	node_disk $n "${DISK[$n]}" shared
done

note "three nodes come"
fence n1 a1 on
fence n2 a2 on
fence n3 a3 on
status n1 a1 ON
status n1 a3 ON
assert_eq 3 "$(sg_persist -n -i -k "/dev/${DISK[n1]}" | grep -c '^ *0xa[123]$')" "keys"
assert_match 'Key=0xa1.*Write Exclusive, registrants only' "$(sg_persist -n -i -r "/dev/${DISK[n1]}" | tr '\n' ' ')"
for n in n1 n2 n3; do writer $n ${n#n}; done

note "one is fenced"
fence n1 a2 off
stopped n2 /mnt/shared
goes_on n1
goes_on n3
status n3 a2 OFF
node n1 /usr/share/cluster/fence_scsi_check
rc=0
node n2 /usr/share/cluster/fence_scsi_check || rc=$?
assert_eq 2 $rc "what the watchdog of the fenced node is told"

note "who held the reservation is fenced, over another fabric"
fence n3 a1 off
stopped n1 /mnt/shared
goes_on n3
assert_match 'Key=0xa3.*Write Exclusive, registrants only' "$(sg_persist -n -i -r "/dev/${DISK[n3]}" | tr '\n' ' ')"
assert_fails fence n3 a3 off

note "they come back"
fence n2 a2 on
fence n1 a1 on
writer n1 1
writer n2 2
goes_on n3
for n in n1 n2 n3; do writer_end $n; done
sg_persist -n -o -C -K a3 "/dev/${DISK[n3]}"

nodes_end
iscsi_node_end n1
iscsi_node_end n2
iscsi_target_del $IQN
loop_node_del $WWN
rd_device_del shared
pkill iscsid
wait_for 20 eval '! pidof iscsid'
unload_target
