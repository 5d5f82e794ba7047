#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1G --timeout 200
# kernels: 6.1 6.12-long debug-long
#
# The file backend over disks that go away, shrink, or cannot do what they said they could; and over
# a file system without holes.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

# reads N: that many of them
reads() {
	local i
	for ((i = 0; i < $1; i++)); do echo "read:$((8 * (i % 2000))):8"; done
}

storage_begin

note "a disk that is removed: no read is answered with zeros"
for mode in "" fd_buffered_io=1; do
	dev=$(debug_disk dev_size_mb=64)
	# shellcheck disable=SC2086
	file_lun "fd_dev_name=$dev" $mode
	dd if=/dev/zero bs=1M count=8 status=none | tr '\0' 'Z' |
		dd of="/dev/$disk" bs=1M oflag=direct iflag=fullblock status=none
	# not from the page cache of the disk below
	echo 3 >/proc/sys/vm/drop_caches
	mapfile -t ops < <(reads 6000)
	scsi "$disk" "${ops[@]}" >/tmp/reads 2>&1 &
	reader=$!
	begun() { [ "$(wc -l </tmp/reads)" -gt 20 ]; }
	wait_for 20 begun
	echo 1 >"/sys/block/${dev#/dev/}/device/delete"
	failed() { grep -qv '^good 5a' /tmp/reads; }
	wait_for 20 failed
	nap 1.5
	kill $reader 2>/dev/null || :
	wait $reader || :
	assert_eq "" "$(awk '!/^good 5a|^4\/3e\/01|^2\/05\/00|^3\/11\/00/ {n[$0]++} END {for (x in n) print n[x], x}' /tmp/reads)" \
		"reads of a removed disk ($mode)"
	assert_eq 4/3e/01 "$(scsi "$disk" write:0:8:1)" "a write"
	file_lun_down
	wait_for 20 rmmod scsi_debug
done

note "a disk that shrinks"
loop=$(loop_disk /tmp/shrinks 64)
file_lun "fd_dev_name=$loop"
expect "good;write:65536:8:7" "good 07;read:65536:8"
truncate -s 16M /tmp/shrinks
losetup -c "$loop"
# the poll may have told of it before
for op in read:65536:8 write:65536:8:7; do
	sense=$(scsi "$disk" $op)
	[ "$sense" != 6/2a/09 ] || sense=$(scsi "$disk" $op)
	assert_match '^5/21/00' "$sense" "$op behind the new end"
done
file_lun_down
losetup -d "$loop"

note "UNMAP promises zeros, and the disk cannot zero any more"
dev=$(debug_disk dev_size_mb=64 lbpu=1 lbprz=0)
backstore fileio it "fd_dev_name=$dev"
echo 1 >"$CFS/core/fileio_0/it/attrib/emulate_tpu"
assert_eq 1 "$(cat "$CFS/core/fileio_0/it/attrib/unmap_zeroes_data")" "unmap_zeroes_data"
disk=$(export_lun fileio it 0)
scsi_ready "$disk"
echo 0 >"$(echo /sys/block/"${dev#/dev/}"/device/scsi_disk/*/max_write_same_blocks)"
assert_eq 0 "$(cat "/sys/block/${dev#/dev/}/queue/write_zeroes_max_bytes")" "write zeroes of the disk"
expect "good;write:0:256:7" "good;unmap:64:64" "good 07;read:0:64" "good 00;read:64:64" "good 07;read:128:128"

note "a disk says nothing of its holes"
assert_match '^good 0\+[0-9]+=0$' "$(scsi "$disk" status:0)" "GET LBA STATUS"
file_lun_down
wait_for 20 rmmod scsi_debug

note "a thin unit larger than its file system is erased"
mkdir -p /mnt/small
mount -t tmpfs -o size=16m none /mnt/small
backstore fileio it fd_dev_name=/mnt/small/thin,fd_dev_size=1073741824
echo 1 >"$CFS/core/fileio_0/it/attrib/emulate_tpu"
disk=$(export_lun fileio it 0)
scsi_ready "$disk"
expect "good;write:0:256:7" "good;write:2097144:8:9" "good;raw:48020000000000000000" "good 00;read:0:256" \
	"good 00;read:2097144:8"
assert_eq 0 "$(stat -c %b /mnt/small/thin)" "blocks of the file"
file_lun_down
umount /mnt/small

note "what is in a cache goes to the medium when the cache is turned off"
dev=$(debug_disk dev_size_mb=64)
echo "temporary write back" >"$(echo /sys/block/"${dev#/dev/}"/device/scsi_disk/*/cache_type)"
flushes() { awk '{print $16}' "/sys/block/${dev#/dev/}/stat"; }
for mode in "" fd_buffered_io=1; do
	# shellcheck disable=SC2086
	file_lun "fd_dev_name=$dev" $mode
	settle
	attr=$CFS/core/fileio_0/it/attrib/emulate_write_cache
	assert_eq "${mode:+1}" "$(sed s/0// "$attr")" "emulate_write_cache at first ($mode)"
	echo 1 >"$attr"
	scsi "$disk" tur >/dev/null
	expect "good;write:0:8:1"
	before=$(flushes)
	expect "good;write:8:8:1"
	assert_eq "$before" "$(flushes)" "flushes of a write into the cache ($mode)"
	echo 0 >"$attr"
	flushed() { [ "$(flushes)" -gt "$before" ]; }
	wait_for 10 flushed
	file_lun_down
done
wait_for 20 rmmod scsi_debug

without_holes() {
	local null
	note "a file system without holes"
	null=$(null_disk nullfat 32)
	python3 - "$null" <<'PY'
import struct, sys
# FAT16: a boot sector, two tables, a root directory; clusters of 4 sectors
boot = struct.pack('<3s8sHBHBHHBHHHII', b'\xeb\x3c\x90', b'tcmtest ', 512, 4, 1, 2, 512, 0, 0xf8, 64, 32, 2, 0, 65536)
boot += struct.pack('<BBBI11s8s', 0x80, 0, 0x29, 1, b'NO NAME    ', b'FAT16   ')
table = struct.pack('<HH', 0xfff8, 0xffff).ljust(64 * 512, b'\0')
with open(sys.argv[1], 'r+b') as f:
    f.write(boot.ljust(510, b'\0') + b'\x55\xaa' + 2 * table + bytes(512 * 32))
PY
	mkdir -p /mnt/fat
	modprobe -a vfat nls_cp437 nls_ascii 2>/dev/null || modprobe vfat
	mount -t vfat -o codepage=437,iocharset=ascii "$null" /mnt/fat
	backstore fileio it fd_dev_name=/mnt/fat/image,fd_dev_size=8388608
	echo 1 >"$CFS/core/fileio_0/it/attrib/emulate_tpu"
	disk=$(export_lun fileio it 0)
	scsi_ready "$disk"
	expect "good;write:0:256:7" "good;unmap:64:64" "good 07;read:0:64" "good 00;read:64:64" \
		"good 07;read:128:128"
	file_lun_down
	backstore fileio it fd_dev_name=/mnt/fat/image,fd_dev_size=8388608
	echo 1 >"$CFS/core/fileio_0/it/attrib/emulate_tpu"
	echo 0 >"$CFS/core/fileio_0/it/attrib/unmap_zeroes_data"
	disk=$(export_lun fileio it 0)
	scsi_ready "$disk"
	# a hint that nothing comes of
	expect "good;unmap:0:64" "good 07;read:0:64"
	file_lun_down
	wait_for 20 umount /mnt/fat
	rmdir /sys/kernel/config/nullb/nullfat
}
# the debug kernel has no such file system
[[ $KREL == *-tcmtest ]] || without_holes

note "what cannot be written is write protected"
# protected NAME=VALUE...: it is enabled, can be read, says so and is not written
protected() {
	file_lun "$@"
	assert_eq 1 "$(cat "/sys/block/$disk/ro")" "the disk is read only"
	expect "good 41;read:0:8" "good 41;read:8184:8" "7/27/00;write:0:8:1"
	assert_match ' Read-only ' "$(info_of fileio it)" info
	file_lun_down
}
mkdir -p /mnt/ro
make_fs ext4 64 /mnt/ro
head -c 4194304 /dev/zero | tr '\0' A >/mnt/ro/image
mount -o remount,ro /mnt/ro
protected fd_dev_name=/mnt/ro/image fd_dev_size=4194304
protected fd_dev_name=/mnt/ro/image fd_dev_size=4194304 fd_buffered_io=1
mkdir -p "$CFS/core/fileio_0/none"
printf 'fd_dev_name=/mnt/ro/none,fd_dev_size=4194304' >"$CFS/core/fileio_0/none/control"
cfs_refuses core/fileio_0/none/enable 1
rmdir "$CFS/core/fileio_0/none"
loop=$(loop_disk /mnt/ro/image 4)
assert_eq 1 "$(blockdev --getro "$loop")" "a loop device over a file that cannot be written"
protected "fd_dev_name=$loop"
losetup -d "$loop"
mount -o remount,rw /mnt/ro
drop_fs /mnt/ro

rmdir "$CFS/core/fileio_0"
storage_end
