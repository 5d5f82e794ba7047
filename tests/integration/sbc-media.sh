#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 2G --timeout 300
# kernels: 6.1-long 6.12 debug-long
#
# The block commands on files and block devices, with blocks of 512 and 4096 bytes, and of 512 that
# are parts of 4096. Arguments go to sbc_test.py in place of the choice of tests. Then FORMAT UNIT
# and SANITIZE that fail in the middle, or whose modules go in the middle: what the unit says until
# they are done, the modules loaded anew.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

tests=caw,orwrite,atomic,tear,lba_status,format,sanitize
# what is the same whatever the medium: of one only, but with full counts
alike=long,defects,prefetch
rc=0

# conform PLUGIN NAME ARGUMENT...
conform() {
	local disk
	disk=$(export_lun "$1" "$2" 0)
	wait_block "/dev/$disk"
	settle
	python3 /tcm/tests/conformance/sbc_test.py "/dev/$disk" --name "$1 $2" \
		--attrib "$CFS/core/${1}_0/$2/attrib" "${@:3}" || rc=1
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	drop_backstore "$1" "$2"
}

# The disk that is wiped: wipe_up, wipe_down; restart: with modules that know of nothing
wipe_up() {
	backstore iblock w udev_path=/dev/mapper/wipe
	cfs_write core/iblock_0/w/wwn/vpd_unit_serial 5d3c5e7a-9b0f-4c2d-8e6a-000000000000
	disk=$(export_lun iblock w 0)
	wait_for 30 has_no_ua
	# kernel and udev have looked what is on it: nothing of theirs is under way
	wait_for 30 test -e "/run/udev/data/b$(cat "/sys/block/$disk/dev")"
	settle
}
has_no_ua() { [[ $(scsi "$disk" tur) != 6/* ]]; }
wipe_down() {
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	settle
	drop_backstore iblock w
}
restart() {
	storage_end
	storage_begin
	wipe_up
}

# wipe_medium TABLE: what the disk does from here on
wipe_medium() {
	dmsetup suspend wipe
	dmsetup load wipe --table "$1"
	dmsetup resume wipe
}

# wipe_fails: bad sectors in its middle
wipe_fails() {
	wipe_medium "0 65536 linear $null 0
65536 8 error
65544 65528 linear $null 65544"
}

erase=raw:48020000000000000000
erase_ause=raw:48220000000000000000
erase_immed=raw:48820000000000000000
exit_failure=raw:481f0000000000000000
format=raw:040000000000
not_left="5/24/00 CDB byte 1 bit 4"

wipes() {
	local good
	null=$(null_disk nwipe 64)
	good="0 131072 linear $null 0"
	modprobe dm-mod
	dmsetup create wipe --table "$good"
	wipe_up

	note "SANITIZE fails: until it succeeds"
	expect "good;write:0:8:0x5a"
	wipe_fails
	expect "3/31/03;$erase" "3/31/03;tur" "3/31/03;read:0:8" "3/31/03;$format" "$not_left;$exit_failure"
	wipe_down
	restart
	expect "3/31/03;tur" "3/31/03;read:0:8" "3/31/03;write:0:8:1" "$not_left;$exit_failure" \
		"5/24/00 CDB byte 1 bit 5;$erase_ause" "3/31/03;tur" "$not_left;$exit_failure"
	wipe_medium "$good"
	expect "good;$erase" "good;tur" "good 00;read:0:8"

	note "SANITIZE with AUSE fails: it may be left"
	wipe_fails
	expect "3/31/03;$erase_ause" "3/31/03;tur"
	wipe_down
	restart
	expect "3/31/03;tur" "good;$exit_failure" "good;tur" "good 00;read:0:8"

	note "FORMAT UNIT fails: until it succeeds"
	expect "3/31/01;$format" "3/31/00;tur" "$not_left;$exit_failure"
	wipe_down
	restart
	expect "3/31/00;tur" "3/31/00;read:0:8" "$not_left;$exit_failure"
	wipe_medium "$good"
	expect "good;$format" "good;tur"

	note "the modules go in the middle of a SANITIZE"
	settle
	dmsetup suspend wipe
	# nor is it stopped meanwhile
	expect "good;$erase_immed" "2/04/1b;tur" "2/04/1b;raw:1b0000000000"
	wipe_down
	dmsetup resume wipe
	restart
	expect "3/31/03;tur" "3/31/03;read:0:8" "$not_left;$exit_failure" "good;$erase" "good;tur" \
		"good 00;read:131064:8"
	wipe_down
	restart
	expect "good;tur"
	wipe_down
	wait_for 20 dmsetup remove wipe
}

# 512e: eight logical blocks make a physical one, of which the first begins at LBA 7
emulated() {
	local disk
	backstore iblock e512 "udev_path=$(debug_disk dev_size_mb=64 lbpu=1 lbpws=1 physblk_exp=3 lowest_aligned=7)"
	disk=$(export_lun iblock e512 0)
	settle
	sg_readcap --16 "/dev/$disk" >/tmp/capacity
	assert_eq "$(sed -n 's/.*exponent=\([0-9]*\).*/\1/p' /tmp/capacity | tail -n 1)" 3 "exponent: $(cat /tmp/capacity)"
	assert_eq "$(sed -n 's/.*[Ll]owest aligned LBA=\([0-9]*\).*/\1/p' /tmp/capacity)" 7 "$(cat /tmp/capacity)"
	assert_eq "$(cat "/sys/block/$disk/queue/"{logical,physical}_block_size "/sys/block/$disk/alignment_offset" | xargs)" \
		"512 4096 3584" "what the disk driver makes of it"
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	conform iblock e512 "$@"
	wait_for 20 rmmod scsi_debug
}

# 512e where the medium has no physical blocks: an attribute
emulated_by_attribute() { # PLUGIN TOKENS ARG...
	local attrib=core/$1_0/e512/attrib/physical_block_size value disk
	backstore "$1" e512 "$2"
	for value in 256 4095 131072 -1; do cfs_refuses "$attrib" "$value"; done
	cfs_write "$attrib" 4096
	disk=$(export_lun "$1" e512 0)
	cfs_refuses "$attrib" 8192
	settle
	assert_eq "$(cat "/sys/block/$disk/queue/"{logical,physical}_block_size "/sys/block/$disk/queue/minimum_io_size" \
		"/sys/block/$disk/alignment_offset" | xargs)" "512 4096 4096 0" "$1: what the disk driver makes of it"
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	conform "$1" e512 "${@:3}"
}

# what is saved has its place there; the core looks for it once
mkdir -p /etc/target
storage_begin
args=(--only "$tests${TCM_LONG:+,$alike}")
first=(--only "$tests,$alike")
[ $# = 0 ] || args=("$@") first=("$@")
make_fs ext4 256 /mnt/ext4
for bs in 512 4096; do
	rm -f /mnt/ext4/image
	truncate -s 64M /mnt/ext4/image
	backstore fileio f$bs fd_dev_name=/mnt/ext4/image,fd_dev_size=67108864
	cfs_write core/fileio_0/f$bs/attrib/block_size $bs
	conform fileio f$bs --thin --map "${first[@]}"
	first=("${args[@]}")
	backstore iblock b$bs "udev_path=$(null_disk nb$bs 64 blocksize=$bs discard=1)"
	conform iblock b$bs "${args[@]}"
done
emulated_by_attribute fileio fd_dev_name=/mnt/ext4/image,fd_dev_size=67108864 --thin --map "${args[@]}"
emulated_by_attribute rd_mcp rd_pages=16384 --thin --map "${args[@]}"
drop_fs /mnt/ext4
emulated "${args[@]}"
[ $# != 0 ] || wipes
storage_end
exit $rc
