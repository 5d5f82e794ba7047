#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 200
# kernels: 6.1 6.12 debug-long
#
# A disk that stops answering under I/O: task management, logout, login under the same name, disable and
# removal end at once, others on the portal notice nothing; the kernel's initiator gets over it, too.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

stuck=/tcm/tests/conformance/iscsi_stuck.py
modprobe null_blk memory_backed=1 gb=1
modprobe dm_mod
dmsetup create slow --table "0 131072 linear /dev/nullb0 0"
wait_block /dev/mapper/slow

use_our_target
iscsi_initiator
modprobe iscsi_target_mod
mkdir "$CFS/iscsi" "$CFS/core/iblock_0"
rd_device well
mkdir "$CFS/core/iblock_0/slow"
cfs_write core/iblock_0/slow/control udev_path=/dev/mapper/slow
cfs_write core/iblock_0/slow/enable 1
iscsi_target_raw $IQN core/iblock_0/slow core/rd_mcp_0/well
tpg=iscsi/$IQN/tpgt_1

python3 $stuck before
mkdir "$CFS/$tpg/acls/iqn.2026-11.org.lab:py"
acl=$tpg/acls/iqn.2026-11.org.lab:py
for n in 0 1; do
	mkdir "$CFS/$acl/lun_$n"
	ln -s "$CFS/$tpg/lun/lun_$n" "$CFS/$acl/lun_$n/link"
done
cfs_write $acl/attrib/dataout_timeout 2
cfs_write $acl/attrib/dataout_timeout_retries 2
cfs_write $tpg/attrib/login_timeout 5
python3 $stuck silent
python3 $stuck late
rm "$CFS/$acl"/lun_?/link
rmdir "$CFS/$acl"/lun_? "$CFS/$acl"
dmsetup suspend --nolockfs --noflush slow
python3 $stuck tmf
python3 $stuck session

note "sessions with commands that are out: disable, enable, LUN, target"
dmsetup resume slow
cfs_write $tpg/attrib/login_timeout 5
iscsi_login node.session.timeo.replacement_timeout=5
disk=$(iscsi_disk)
wait_block "/dev/$disk"
settle
fio --name=load --filename="/dev/$disk" --direct=1 --rw=randrw --bs=4k --iodepth=32 --ioengine=io_uring \
	--time_based --runtime=300 --output=/tmp/fio.out &
load=$!
wait_for 30 awk '$1 > 100 { found = 1 } END { exit !found }' "/sys/block/$disk/stat"
dmsetup suspend --nolockfs --noflush slow
nap 0.5
assert_within 2 bash -c "echo 0 >$CFS/$tpg/enable"
assert_within 2 bash -c "echo 1 >$CFS/$tpg/enable"
assert_within 2 bash -c "rm $CFS/$tpg/lun/lun_0/link && rmdir $CFS/$tpg/lun/lun_0"
assert_within 2 bash -c "echo 0 >$CFS/$tpg/enable && rm $CFS/$tpg/lun/lun_1/link && rmdir $CFS/$tpg/lun/lun_1 $CFS/$tpg/np/* $CFS/$tpg $CFS/iscsi/$IQN"
dmsetup resume slow
wait "$load" || :
iscsi_forget >/dev/null 2>&1
rd_device_del well
rmdir "$CFS/core/iblock_0/slow" "$CFS/core/iblock_0"
unload_target
