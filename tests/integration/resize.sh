#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1G --timeout 200
# kernels: 6.1-long 6.12 debug-long
#
# A medium that changes its size while it is exported: CAPACITY DATA HAS CHANGED once, READ
# CAPACITY and `info` follow, and what lies behind a new end is refused.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

# Whichever command comes first is told, be it one of udev's: the kernel says so in any case.
was_told() {
	scsi "$disk" tur
	kmsg_since | grep -q 'Capacity data has changed'
}

# resized MIB: the initiator is told, once, and sees it
resized() {
	local sectors=$(($1 * 2048))
	wait_for 10 was_told
	mapfile -t got < <(scsi "$disk" tur cap "read:$((sectors - 1)):1" "read:$sectors:1")
	assert_eq good "${got[0]}" "a second TEST UNIT READY"
	assert_eq "good $sectors 512" "${got[1]}" "READ CAPACITY"
	assert_match '^good' "${got[2]}" "the last block"
	assert_match '^5/21/00' "${got[3]}" "the block after it"
	assert_eq 1 "$(kmsg_since | grep -c 'Capacity data has changed')" "how often it was told"
	echo 1 >"/sys/block/$disk/device/rescan"
	settle
	assert_eq "$sectors" "$(blockdev --getsz "/dev/$disk")" "the disk after a rescan"
	kmsg_mark
}

# at_once MIB: who asks is told the new size, however short a time ago it changed
at_once() {
	mapfile -t got < <(scsi "$disk" cap cap)
	[ "${got[0]}" = "good $(($1 * 2048)) 512" ] || assert_eq 6/2a/09 "${got[0]}" "the first READ CAPACITY"
}

storage_begin
kmsg_mark
null=$(null_disk nullsize 128)

note "dm-linear: another table"
table() { echo "0 $(($1 * 2048)) linear $null 0"; }
dmsetup create lin --table "$(table 64)"
backstore iblock it udev_path=/dev/mapper/lin
disk=$(export_lun iblock it 0)
scsi_ready "$disk"
for mib in 96 48; do
	dmsetup suspend lin
	dmsetup load lin --table "$(table $mib)"
	dmsetup resume lin
	resized $mib
done
dmsetup suspend lin
dmsetup load lin --table "$(table 64)"
dmsetup resume lin
at_once 64
unexport_lun 0
wait_gone "/sys/block/$disk"
drop_backstore iblock it
wait_for 20 dmsetup remove lin

note "loop: losetup -c"
loop=$(loop_disk /tmp/loopfile 32)
backstore iblock it "udev_path=$loop"
disk=$(export_lun iblock it 0)
scsi_ready "$disk"
kmsg_mark
truncate -s 40M /tmp/loopfile
losetup -c "$loop"
resized 40

note "a block device through the file backend"
backstore fileio blk "fd_dev_name=$loop"
assert_match 'Size: 41943040 ' "$(info_of fileio blk)" info
truncate -s 48M /tmp/loopfile
losetup -c "$loop"
wait_for 5 grep -q 'Size: 50331648 ' "$CFS/core/fileio_0/blk/info"
drop_backstore fileio blk
resized 48
unexport_lun 0
wait_gone "/sys/block/$disk"
drop_backstore iblock it
losetup -d "$loop"

note "a file: truncate -s"
mkdir -p /mnt/t
mount -t tmpfs tmpfs /mnt/t
size_is() { assert_match "Size: $1 " "$(info_of fileio it)" info; }
truncate -s 32M /mnt/t/image
backstore fileio it fd_dev_name=/mnt/t/image,fd_dev_size=33554432
disk=$(export_lun fileio it 0)
scsi_ready "$disk"
kmsg_mark
truncate -s 48M /mnt/t/image
resized 48
size_is 50331648
truncate -s 16M /mnt/t/image
resized 16
size_is 16777216
echo fd_dev_size=25165824 >"$CFS/core/fileio_0/it/control"
resized 24
size_is 25165824
unexport_lun 0
wait_gone "/sys/block/$disk"
drop_backstore fileio it
rm /mnt/t/image

note "a file that our own writes let grow: no resize"
backstore fileio it fd_dev_name=/mnt/t/image,fd_dev_size=33554432
assert_eq 600 "$(stat -c %a /mnt/t/image)" "mode of a new file"
assert_eq 0 "$(stat -c %s /mnt/t/image)" "size of a new file"
disk=$(export_lun fileio it 0)
scsi_ready "$disk"
mapfile -t got < <(scsi "$disk" read:0:8 write:1000:8:0x5a read:1000:8 read:1004:8 write:65528:8:1 cap tur)
want=("good 00" good "good 5a" "good mixed" good "good 65536 512" good)
for i in "${!want[@]}"; do assert_eq "${want[$i]}" "${got[$i]}" "command $i"; done
size_is 33554432
# now it is as large as it was made: from here on its size is the medium's
kmsg_mark
truncate -s 40M /mnt/t/image
resized 40
# a file larger than what was asked for: nothing changes until it does
unexport_lun 0
wait_gone "/sys/block/$disk"
drop_backstore fileio it
backstore fileio it fd_dev_name=/mnt/t/image,fd_dev_size=33554432
size_is 33554432
drop_backstore fileio it
wait_for 20 umount /mnt/t
rmdir "$CFS/core/fileio_0" "$CFS/core/iblock_0"
storage_end
