#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A disk (scsi_debug) through the pass-through backend.
# vm: --mem 1G --timeout 240
# kernels: 6.1-long 6.12 debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/pscsi.inc
. /tcm/tests/integration/storage.inc

DBG=/sys/bus/pseudo/drivers/scsi_debug
SAME=/tcm/tests/conformance/passthru.py

# refused ERRNO-TEXT FILE VALUE: the write fails, for that reason
refused() {
	local out
	if out=$({ printf '%s' "$3" >"$2"; } 2>&1); then fail "\"$3\" to $2 was accepted"; fi
	assert_match "$1" "$out" "writing \"$3\" to $2"
}

check_parameters() {
	local d=$CFS/core/pscsi_9/d
	mkdir -p "$d"
	refused 'Invalid argument' "$d/enable" 1
	refused 'Invalid argument' "$d/control" scsi_host_id=x
	refused 'Numerical result' "$d/control" scsi_lun_id=99999999999
	echo "ignored=1,,scsi_channel_id=0,scsi_target_id=0" >"$d/control"
	refused 'Invalid argument' "$d/enable" 1
	echo "scsi_lun_id=0,scsi_host_id=77" >"$d/control"
	refused 'Invalid argument' "$d/enable" 1
	echo "$disk" >"$d/udev_path"
	# no such host
	refused 'Invalid argument' "$d/enable" 1
	# no such LUN of the host
	echo "scsi_host_id=$host,scsi_lun_id=7" >"$d/control"
	refused 'No such device' "$d/enable" 1
	# the path is another disk's
	echo "scsi_lun_id=0" >"$d/control"
	echo /dev/vda >"$d/udev_path"
	refused 'Invalid argument|Device or resource busy' "$d/enable" 1
	echo /dev/nonesuch >"$d/udev_path"
	refused 'No such file' "$d/enable" 1
	# somebody else holds the disk
	echo "$disk" >"$d/udev_path"
	mkfs.ext4 -qF "$disk"
	mount "$disk" /mnt
	refused 'Device or resource busy' "$d/enable" 1
	umount /mnt
	echo 1 >"$d/enable"
	refused 'File exists' "$d/enable" 1
	assert_fails mount "$disk" /mnt
	assert_match "SCSI Device Bus Location: Channel ID: 0 Target ID: 0 LUN: 0 Host ID: $host"$'\n'"        Vendor: Linux    Model: scsi_debug       Rev: [0-9]{4}$" \
		"$(cat "$d/info")"
	assert_match 'SectorSize: 512  HwMaxSectors: 4294967288' "$(cat "$d/info")"
	rmdir "$d" "${d%/*}"
	# what held the disk is gone in the background
	wait_for 10 mount "$disk" /mnt
	umount /mnt
}

# The file system's blocks are read back after a remount.
check_fs() {
	mkfs.ext4 -qF "$1"
	mount "$1" /mnt
	cp /usr/bin/python3.11 /mnt/a
	umount /mnt
	mount "$1" /mnt
	cmp /usr/bin/python3.11 /mnt/a
	umount /mnt
	fsck.ext4 -fn "$1" >/tmp/fsck.log 2>&1 || { cat /tmp/fsck.log; fail "fsck"; }
}

modprobe scsi_debug dev_size_mb=64 max_luns=1
modprobe -a sd_mod sg
use_our_target
modprobe target_core_pscsi
wait_for 30 compgen -G '/sys/bus/pseudo/devices/adapter0/host*/target*/*:0/block/*'
disk=/dev/$(basename "$(compgen -G '/sys/bus/pseudo/devices/adapter0/host*/target*/*:0/block/*')")
settle
host=$(sdev_of "$disk")
host=${host%%:*}

note "parameters"
check_parameters

ps_create 0 "$disk"
ps_port
upper=$(ps_link 0 0)
lower=$(sg_of "$(sdev_of "$disk")")
dev=/dev/$(loop_lun_device $PS_WWN 0)
settle

note "the same answers"
"$SAME" same "$lower" "$upper"
"$SAME" same "$disk" "$dev"
assert_eq "$(sg_opcodes "$lower")" "$(sg_opcodes "$upper")" "sg_opcodes"

note "lengths that do not fit"
"$SAME" edges "$lower" "$upper"
"$SAME" sizes "$upper" 1048576
"$SAME" sizes "$dev" 524288

note "sense data"
echo 0x1234 >/sys/module/scsi_debug/parameters/medium_error_start 2>/dev/null || :
echo 2 >$DBG/opts
"$SAME" errors "$lower" "$upper" 0x1234
echo 1 >/sys/module/scsi_debug/parameters/dsense
"$SAME" errors "$lower" "$upper" 0x1234
echo 0 >/sys/module/scsi_debug/parameters/dsense
echo 0 >$DBG/opts

note "unit attentions"
settle
wait_for 10 ready "$upper"
echo 1 >$DBG/virtual_gb
assert_eq "02 6/2a/09" "$(tur "$upper")" "the device's own unit attention"
assert_eq "00 " "$(tur "$upper")" "told once"
echo 0 >$DBG/virtual_gb
wait_for 10 ready "$upper"
settle

note "data"
quiet_queue "${dev##*/}"
fio_verify "${dev##*/}" $FIO_MIB
check_fs "$dev"

note "two tags for 32 commands"
echo 2 >"/sys/class/scsi_device/$(sdev_of "$disk")/device/queue_depth"
fio_verify "${dev##*/}" 4
echo 64 >"/sys/class/scsi_device/$(sdev_of "$disk")/device/queue_depth"

note "end"
ps_unlink 0
ps_port_remove
ps_remove 0
ps_unload

note "one tag: what waits for it and is aborted"
wait_for 10 modprobe -r scsi_debug
modprobe scsi_debug dev_size_mb=8 max_luns=1 max_queue=1
wait_for 30 compgen -G '/sys/bus/pseudo/devices/adapter0/host*/target*/*:0/block/*'
disk=/dev/$(basename "$(compgen -G '/sys/bus/pseudo/devices/adapter0/host*/target*/*:0/block/*')")
settle
use_our_target
modprobe -a target_core_pscsi tcm_test
ps_create 0 "$disk"
# tags of a scheduler are more than the device has
echo none >"/sys/block/${disk##*/}/queue/scheduler"
/tcm/tests/conformance/tfab_pass.py pscsi_0/d
ps_remove 0
ps_unload
