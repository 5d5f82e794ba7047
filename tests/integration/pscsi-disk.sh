#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1G
# kernels: 6.1 6.12
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

modprobe scsi_debug dev_size_mb=64
modprobe -a sd_mod sg
use_our_target
modprobe target_core_pscsi
modprobe tcm_loop
wait_for 30 test -b /dev/sda
lsscsi -g
mkdir $CFS/core/pscsi_0
d=$CFS/core/pscsi_0/ps
mkdir $d
hctl=$(basename "$(ls -d /sys/block/sda/device/scsi_device/*)")
IFS=: read -r h c t l <<<"$hctl"
echo "scsi_host_id=$h,scsi_channel_id=$c,scsi_target_id=$t,scsi_lun_id=$l" >$d/control
echo /dev/sda >$d/udev_path
cat $d/info
echo 1 >$d/enable
cat $d/info
W=naa.5001405000000001
mkdir -p $CFS/loopback/$W/tpgt_1
echo naa.5001405000000002 >$CFS/loopback/$W/tpgt_1/nexus
mkdir $CFS/loopback/$W/tpgt_1/lun/lun_0
ln -s $d $CFS/loopback/$W/tpgt_1/lun/lun_0/x
dev=$(loop_lun_device $W 0)
lsscsi -g
sg_inq /dev/$dev
dd if=/dev/$dev of=/dev/null bs=1M count=4 iflag=direct
fio --name=v --filename=/dev/$dev --size=8M --rw=randwrite --bsrange=512-1m --bs_unaligned=0 --verify=crc32c --ioengine=libaio --iodepth=16 --direct=1 --do_verify=1 --io_size=16M || true
