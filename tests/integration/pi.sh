#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1G --timeout 600
# kernels: 6.1 6.12-long debug-long
#
# Protection information: each type on memory and on a file, by SG_IO, where it stands between the
# blocks, and by the disk driver, which keeps it apart (DIX). Arguments go to pi_test.py.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

rc=0

# protect PLUGIN NAME TYPE: it has that type, and becomes a disk
protect() {
	echo "$3" >"$CFS/core/${1}_0/$2/attrib/pi_prot_type" || fail "$2 does not take type $3"
	disk=$(export_lun "$1" "$2" 0)
	settle
}

unprotect() {
	unexport_lun 0
	wait_gone "/sys/block/$disk"
}

# conform PLUGIN NAME TYPE ARGUMENT...
conform() {
	protect "$1" "$2" "$3"
	python3 /tcm/tests/conformance/pi_test.py "/dev/$disk" --type "$3" --name "$1 $2 type $3" "${@:4}" || rc=1
	if echo 0 2>/dev/null >"$CFS/core/${1}_0/$2/attrib/pi_prot_type"; then fail "the type changes under a LUN"; fi
	unprotect
}

# direct_read LBA: what dd says, and 0 when it has read the block
direct_read() { dd if="/dev/$disk" of=/tmp/block bs=512 count=1 skip="$1" iflag=direct status=none 2>/tmp/dd; }

# tags_of LBA: of its tuple, unchecked
tags_of() {
	sg_raw -r 520 -o /tmp/raw "/dev/$disk" 28 60 00 00 00 "$(printf %02x "$1")" 00 00 01 00 2>/tmp/sg || fail "$(cat /tmp/sg)"
	od -An -tx1 -j514 -N6 /tmp/raw | tr -d ' '
}

# spoil LBA: the guard in the side file, behind the target's back
spoil() { printf '\x0b\xad' | dd of=/mnt/fs/f.protection bs=1 seek=$(($1 * 8)) conv=notrunc status=none; }

# dix TYPE: the disk driver's tuples pass end to end
dix() {
	local i
	protect fileio f "$1"
	assert_eq "$(cat /sys/block/"$disk"/integrity/format)" "T10-DIF-TYPE$((2 * ($1 / 3) + 1))-CRC" "format of type $1"
	assert_eq "$(cat /sys/block/"$disk"/device/scsi_disk/*/protection_type)" "$1" "type of the disk"
	assert_eq "$(cat /sys/block/"$disk"/device/scsi_disk/*/protection_mode)" "dix$1" "mode of the disk"
	dd if=/dev/urandom of=/tmp/random bs=64k count=16 status=none
	dd if=/tmp/random of="/dev/$disk" bs=256k oflag=direct status=none || fail "dd of type $1"
	dd if="/dev/$disk" of=/tmp/back bs=128k count=8 iflag=direct status=none || fail "dd back of type $1"
	cmp /tmp/random /tmp/back || fail "type $1: other data came back"
	# tags that the block layer makes; the target makes others for type 3
	[ "$1" = 2 ] || assert_eq "$(tags_of 3)" 00000000000$((3 - 3 * ($1 / 3))) "tags of the driver, type $1"
	for i in 0 1; do
		# what is wrong on the medium is the target's finding, with or without the driver's
		echo $i >"/sys/block/$disk/integrity/read_verify"
		spoil 3
		kmsg_mark
		if direct_read 3; then fail "type $1: a wrong guard was read"; fi
		assert_kmsg "protection error|[Gg]uard check failed"
		direct_read 2 || fail "the block before: $(cat /tmp/dd)"
		dd if=/tmp/random of="/dev/$disk" bs=4k count=1 oflag=direct status=none
		direct_read 3 || fail "type $1: not cured by a write: $(cat /tmp/dd)"
	done
	# the driver makes none: so the target does
	echo 0 >"/sys/block/$disk/integrity/write_generate"
	dd if=/tmp/random of="/dev/$disk" bs=4k count=2 oflag=direct status=none || fail "write without tuples"
	echo 1 >"/sys/block/$disk/integrity/write_generate"
	dd if="/dev/$disk" of=/tmp/back bs=4k count=2 iflag=direct status=none || fail "type $1: what the target made"
	cmp -n 8192 /tmp/random /tmp/back || fail "type $1: other data"
	[ "$1" != 3 ] || assert_eq "$(tags_of 3)" 0000ffffffff "tags of the target, type 3"
	unprotect
}

# again: the file as a device that was made anew, by modules that know of nothing
again() {
	storage_end
	storage_begin
	backstore fileio f fd_dev_name=/mnt/fs/f,fd_dev_size=16777216
	cfs_write core/fileio_0/f/wwn/vpd_unit_serial 6d3c5e7a-9b0f-4c2d-8e6a-000000000000
	# as it is put back from a file of before
	echo "$1" >"$CFS/core/fileio_0/f/attrib/pi_prot_type"
	disk=$(export_lun fileio f 0)
	settle
	sg_readcap --16 "/dev/$disk" >/tmp/capacity
}

again_down() {
	unprotect
	drop_backstore fileio f
}

# What FORMAT UNIT made of a medium outlives the modules.
reformat() {
	truncate -s 0 /mnt/fs/f.protection
	again 0
	grep -q 'prot_en=0' /tmp/capacity || fail "type at first: $(cat /tmp/capacity)"
	sg_format --format --quick --wait --fmtpinfo=3 --pfu=1 "/dev/$disk" >/tmp/format 2>&1 || fail "$(cat /tmp/format)"
	sg_write_same --16 --lba=3 --num=1 --xferlen=512 --ff "/dev/$disk"
	again_down
	again 1
	grep -q 'prot_en=1, p_type=2' /tmp/capacity || fail "type after a restart: $(cat /tmp/capacity)"
	assert_eq 3 "$(cat "$CFS/core/fileio_0/f/attrib/pi_prot_type")" "attribute after a restart"
	assert_eq 0000ffffffff "$(tags_of 3)" "tags after a restart"
	# the administrator has the last word
	unprotect
	cfs_write core/fileio_0/f/attrib/pi_prot_type 0
	drop_backstore fileio f
	again 0
	grep -q 'prot_en=0' /tmp/capacity || fail "type that was taken back: $(cat /tmp/capacity)"
	again_down
}

# what is saved has its place there; the core looks for it once
mkdir -p /etc/target
storage_begin
backstore rd_mcp r rd_pages=4096
cfs_write core/rd_mcp_0/r/attrib/emulate_tpu 1
cfs_write core/rd_mcp_0/r/attrib/emulate_tpws 1
for type in 1 2 3; do conform rd_mcp r $type --thin "$@"; done
conform rd_mcp r 1 --format --only formats
drop_backstore rd_mcp r

make_fs ext4 128 /mnt/fs
truncate -s 16M /mnt/fs/f
backstore fileio f fd_dev_name=/mnt/fs/f,fd_dev_size=16777216
cfs_write core/fileio_0/f/attrib/emulate_tpu 1
cfs_write core/fileio_0/f/attrib/emulate_tpws 1
# without a type there is nothing to format
cfs_refuses core/fileio_0/f/attrib/pi_prot_format 1
for type in 2 3 1; do
	cfs_write core/fileio_0/f/attrib/pi_prot_type 0
	truncate -s 0 /mnt/fs/f.protection
	conform fileio f $type --thin --only identity,checks,plain,same,short,thin
done
cfs_write core/fileio_0/f/attrib/pi_prot_format 1
assert_eq "$(stat -c %s /mnt/fs/f.protection)" $((16777216 * 8 / 512)) "length of the side file"
assert_eq "$(tr -d '\377' </mnt/fs/f.protection | wc -c)" 0 "bytes that are not ones"
conform fileio f 1 --format --only formats
# what was stored is there after the type went and came
cfs_write core/fileio_0/f/attrib/pi_prot_type 0
conform fileio f 1 --only refused
cfs_write core/fileio_0/f/attrib/pi_prot_type 0
drop_backstore fileio f
reformat
storage_end

# the same disk with a host that carries it apart from the data
mkdir -p /run/modprobe.d
echo "options tcm_loop protection=1" >/run/modprobe.d/tcm.conf
storage_begin
truncate -s 0 /mnt/fs/f.protection
backstore fileio f fd_dev_name=/mnt/fs/f,fd_dev_size=16777216
conform fileio f 1 --only escape,short
for type in 1 2 3; do
	cfs_write core/fileio_0/f/attrib/pi_prot_type 0
	truncate -s 0 /mnt/fs/f.protection
	dix $type
done
drop_backstore fileio f
drop_fs /mnt/fs
storage_end
exit $rc
