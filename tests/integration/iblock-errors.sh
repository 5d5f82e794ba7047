#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1G --timeout 240
# kernels: 6.1 6.12-long debug-long
#
# What a block device that fails, or goes away, looks like to the initiator: the sense says what
# happened and where, `info` stays readable, the LUN can be removed, the modules unload.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

opts=/sys/bus/pseudo/drivers/scsi_debug/opts

take_down() {
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	drop_backstore iblock it
}

storage_begin

note "blocks that cannot be read"
debug=$(debug_disk dev_size_mb=64)
backstore iblock it "udev_path=$debug"
disk=$(export_lun iblock it 0)
scsi_ready "$disk"
# sector 0x1234 and the nine after it, while bit 1 is set
echo 2 >$opts
mapfile -t got < <(scsi "$disk" read:0x1234:1 read:0x1233:1 read:0x1200:100 read:0x1000:1024 \
	read:0x1239:100 read:0x123e:100 write:0x1234:1:7)
echo 0 >$opts
want=("3/11/00 info 0x1234" "good 00" "3/11/00 info 0x1234" "3/11/00 info 0x1234"
	"3/11/00 info 0x1239" "good 00" "good")
for i in "${!want[@]}"; do assert_eq "${want[$i]}" "${got[$i]}" "command $i"; done
scsi_is "$disk" "good mixed" read:0x1000:1024

note "the disk is removed with I/O in flight"
fio --name=load --filename="/dev/$disk" --rw=randrw --bs=4k --direct=1 --ioengine=libaio \
	--iodepth=16 --time_based --runtime=60s --output=/tmp/load.out >/dev/null 2>&1 &
load=$!
wait_for 20 awk '{ exit !($1 > 20) }' "/sys/block/$disk/stat"
echo 1 >"/sys/block/$(basename "$debug")/device/delete"
# fio ends with the first error it is given
wait_for 30 is_gone "/proc/$load/exe"
wait $load && fail "fio did not notice"
for op in read:0:1 write:0:1:1 tur; do scsi_is "$disk" 4/3e/01 $op; done
assert_match 'Status: ACTIVATED .*iBlock device: sd.* readonly: 0 Major: 8' "$(info_of iblock it)" info
take_down
rmmod scsi_debug

note "a disk below the disk is replaced by errors"
null=$(null_disk nullerr 64)
dmsetup create lin --table "0 131072 linear $null 0"
backstore iblock it udev_path=/dev/mapper/lin
disk=$(export_lun iblock it 0)
scsi_ready "$disk"
scsi_is "$disk" good write:8:8:0x5a
dmsetup wipe_table lin
scsi_is "$disk" "3/11/00 info 0x8" read:8:1
scsi_is "$disk" "3/0c/00 info 0x8" write:8:1:1
# it comes back: errors are not for ever
dmsetup suspend lin
dmsetup load lin --table "0 131072 linear $null 0"
dmsetup resume lin
scsi_is "$disk" "good 5a" read:8:8
take_down
wait_for 20 dmsetup remove lin

note "refused: claimed, read-only, no disk, opened twice"
modprobe loop
mkdir -p "$CFS/core/iblock_0/it"
refused() { # ERRNO-TEXT CONTROL
	printf '%s' "$2" >"$CFS/core/iblock_0/it/control"
	out=$( (echo 1 >"$CFS/core/iblock_0/it/enable") 2>&1) && fail "enable was accepted with $2"
	assert_match "$1" "$out" "enable with $2"
}
out=$( (echo 1 >"$CFS/core/iblock_0/it/enable") 2>&1) && fail "enabled without a path"
assert_match "Invalid argument" "$out" "enable without a path"
refused "No such file" udev_path=/dev/nothing
refused "Block device required" udev_path=/dev/null
dmsetup create lin --table "0 131072 linear $null 0"
refused "Device or resource busy" "udev_path=$null"
dmsetup remove --retry lin
blockdev --setro "$null"
refused "Read-only file system" "udev_path=$null"
echo readonly=1 >"$CFS/core/iblock_0/it/control"
echo 1 >"$CFS/core/iblock_0/it/enable"
cfs_refuses core/iblock_0/it/control "udev_path=$null"
cfs_write core/iblock_0/it/control "no_such_key=1"
disk=$(export_lun iblock it 0)
scsi_ready "$disk"
scsi_is "$disk" "7/27/00" write:0:1:1
assert_match ' readonly: 1 ' "$(info_of iblock it)" info
take_down

note "made anew at once, ten times"
blockdev --setrw "$null"
for _ in 1 2 3 4 5 6 7 8 9 10; do
	backstore iblock it "udev_path=$null"
	mkdir "$STORAGE_TPG/lun/lun_0"
	ln -s "$CFS/core/iblock_0/it" "$STORAGE_TPG/lun/lun_0/link"
	unexport_lun 0
	drop_backstore iblock it
done
rmdir "$CFS/core/iblock_0"
storage_end
