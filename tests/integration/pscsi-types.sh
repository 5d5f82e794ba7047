#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Devices that are no scsi_debug disk: a disk and a CD-ROM of QEMU, and whatever device
# types scsi_debug can pretend to be.
# vm: --mem 1G --timeout 240 --scsi-disk 64M --scsi-cd COPYING
# kernels: 6.1 6.12-long debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/pscsi.inc
. /tcm/tests/integration/storage.inc

SAME=/tcm/tests/conformance/passthru.py
DBG=/sys/bus/pseudo/drivers/scsi_debug

# reads_iso BLOCKDEV: the drive's content is the file QEMU was given
reads_iso() {
	local blocks=$(($(stat -c %s /tcm/COPYING) / 2048))
	dd if="$1" bs=2048 count=$blocks iflag=direct status=none | cmp - <(head -c $((blocks * 2048)) /tcm/COPYING)
}

sr_of() { basename "$(compgen -G "/sys/class/scsi_device/$1/device/block/sr*")"; }

check_disk() {
	local disk upper dev
	wait_for 30 compgen -G '/sys/class/scsi_device/*/device/block/sd*'
	disk=/dev/$(basename "$(compgen -G '/sys/class/scsi_device/*/device/block/sd*' | head -n 1)")
	note "QEMU's disk: $disk"
	ps_create 0 "$disk"
	upper=$(ps_link 0 0)
	dev=/dev/$(loop_lun_device $PS_WWN 0)
	"$SAME" same "$(sg_of "$(sdev_of "$disk")")" "$upper"
	# more segments than the host takes: 1 MiB of scattered pages
	"$SAME" sizes "$upper" 1048576
	"$SAME" sizes "$dev" 524288
	settle
	mkfs.ext4 -qF "$dev"
	mount "$dev" /mnt
	cp /usr/bin/python3.11 /mnt/a
	umount /mnt
	mount "$dev" /mnt
	cmp /usr/bin/python3.11 /mnt/a
	umount /mnt
	fio_verify "${dev##*/}" $FIO_MIB
	ps_unlink 0
	ps_remove 0
}

check_cd() {
	local cd=/dev/sr0 lower upper sr
	note "QEMU's CD-ROM"
	lower=$(sg_of "$(sdev_of $cd)")
	ps_create 1 $cd
	upper=$(ps_link 1 1)
	sr=/dev/$(sr_of "$(sdev_of "$upper")")
	reads_iso "$sr"
	"$SAME" same "$lower" "$upper"
	reads_iso "$sr"

	note "ejected through the LUN"
	# udev has cdrom_id lock the door
	settle
	sg_prevent --allow "$upper"
	sg_start --eject "$upper"
	assert_match '^02 2/3a/0' "$(tur "$upper")" "an open tray"
	assert_match '^02 2/3a/0' "$(tur "$lower")" "an open tray"
	"$SAME" same "$lower" "$upper"
	ps_unlink 1
	ps_remove 1

	note "enabled without a medium"
	ps_create 1 $cd
	upper=$(ps_link 1 1)
	sr=/dev/$(sr_of "$(sdev_of "$upper")")
	assert_match '^02 2/3a/0' "$(tur "$upper")" "an open tray"
	sg_start --load "$upper"
	wait_for 20 ready "$upper"
	reads_iso "$sr"
	ps_unlink 1
	ps_remove 1
}

# check_pretended PTYPE NAME: a scsi_debug of that type answers the same below and above
check_pretended() {
	local hctl lower upper
	echo "$1" >$DBG/ptype
	echo 1 >$DBG/add_host
	wait_for 30 compgen -G '/sys/bus/pseudo/devices/adapter*/host*/target*/*:0'
	hctl=$(basename "$(compgen -G '/sys/bus/pseudo/devices/adapter*/host*/target*/*:0')")
	lower=$(sg_of "$hctl")
	note "scsi_debug as $2: $hctl"
	ps_create 2 "$lower"
	assert_match 'Vendor: Linux    Model: scsi_debug' "$(cat $CFS/core/pscsi_2/d/info)"
	upper=$(ps_link 2 2)
	assert_eq "$1" "$(cat "/sys/class/scsi_device/$(sdev_of "$upper")/device/type")" "the device type"
	"$SAME" same "$lower" "$upper"
	ps_unlink 2
	ps_remove 2
	# closed in the background; only then the host can go
	wait_for 20 sh -c "echo -1 >$DBG/add_host; [ ! -e /sys/class/scsi_device/$hctl ]"
}

modprobe -a sd_mod sg sr_mod st ch
use_our_target
modprobe target_core_pscsi
settle
ps_port
check_disk
check_cd
modprobe scsi_debug add_host=0 dev_size_mb=8
check_pretended 1 "a tape drive"
check_pretended 3 "a processor"
check_pretended 5 "a CD-ROM drive"
check_pretended 7 "an optical disk"
check_pretended 8 "a changer"
check_pretended 13 "an enclosure"
ps_port_remove
ps_unload
