#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1500M --timeout 240
# kernels: 6.1-long 6.12 debug-long
#
# Data written through a LUN is the data read back: random sizes from 512 bytes to 1 MiB,
# 32 at a time, over block devices of several kinds and over memory.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

# verify LABEL PLUGIN TOKEN...: one backstore, exported, verified, taken down
verify() {
	local disk
	note "$1"
	backstore "$2" it "${@:3}"
	disk=$(export_lun "$2" it 0)
	fio_verify "$disk" $FIO_MIB
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	drop_backstore "$2" it
}

storage_begin
verify "null_blk" iblock "udev_path=$(null_disk nullmq 64)"
verify "null_blk, 4096 byte blocks" iblock "udev_path=$(null_disk null4k 64 blocksize=4096)"
verify "null_blk, bio based" iblock "udev_path=$(null_disk nullbio 64 queue_mode=0)"
verify "scsi_debug" iblock "udev_path=$(debug_disk dev_size_mb=64 max_queue=64 sector_size=512)"
back=$(loop_disk /tmp/backing 64)
dmsetup create lin --table "0 131072 linear $back 0"
wait_block /dev/mapper/lin
verify "dm-linear on loop" iblock udev_path=/dev/mapper/lin
verify "ramdisk" rd_mcp rd_pages=16384
dmsetup remove --retry lin
losetup -d "$back"
storage_end
rmmod scsi_debug
