#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 2G --timeout 240
# kernels: 6.1 6.12-long debug-long
#
# A file system lives on a LUN: made, filled, unmounted, mounted again after the LUN was away,
# its files compared, checked by its own checker. What is deleted in it is given back by fstrim.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

mkdir -p /mnt/back /mnt/lun

# fill DIR: files of many sizes, and their sums
fill() {
	local n
	for n in 1 2 3; do
		cp -r /usr/share/perl5/Debconf "$1/tree$n" 2>/dev/null || cp -r /usr/lib/udev "$1/tree$n"
	done
	dd if=/dev/urandom of="$1/big" bs=1M count=24 status=none
	dd if=/dev/urandom of="$1/sparse" bs=4k count=1 seek=5000 status=none
	# the journal is written while files go away again
	rm -r "$1/tree2"
	(cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha1sum) >/tmp/sums
	[ "$(wc -l </tmp/sums)" -gt 10 ] || fail "nothing to compare"
}

check_fs() {
	case $1 in
	ext4) e2fsck -fn "$2" >/tmp/fsck 2>&1 || fail "e2fsck: $(cat /tmp/fsck)" ;;
	xfs) xfs_repair -n "$2" >/tmp/fsck 2>&1 || fail "xfs_repair: $(cat /tmp/fsck)" ;;
	esac
}

# trim DISK: a big file goes, fstrim gives its blocks back to the file behind the LUN
trim() {
	local before after
	before=$(stat -c %b /mnt/back/image)
	rm /mnt/lun/big
	sync -f /mnt/lun
	fstrim /mnt/lun
	after=$(stat -c %b /mnt/back/image)
	note "fstrim: $before blocks of the backing file became $after"
	# 24 MiB in units of 512 bytes, but for what it shares a page with
	[ "$after" -lt $((before - 40000)) ] || fail "fstrim gave nothing back"
}

# live_on FS PLUGIN TOKEN...
live_on() {
	local fs=$1 plugin=$2 disk
	note "$fs on $plugin ${*:3}"
	backstore "$plugin" it "${@:3}"
	echo 1 >"$CFS/core/${plugin}_0/it/attrib/emulate_tpu"
	disk=$(export_lun "$plugin" it 0)
	wipefs -qa "/dev/$disk"
	"mkfs.$fs" -q "/dev/$disk"
	mount -t "$fs" "/dev/$disk" /mnt/lun
	fill /mnt/lun
	umount /mnt/lun
	unexport_lun 0
	wait_gone "/sys/block/$disk"

	disk=$(export_lun "$plugin" it 0)
	check_fs "$fs" "/dev/$disk"
	mount -t "$fs" "/dev/$disk" /mnt/lun
	(cd /mnt/lun && sha1sum --quiet -c /tmp/sums) || fail "$fs on $plugin: files differ"
	[ "$plugin" != fileio ] || trim
	umount /mnt/lun
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	drop_backstore "$plugin" it
}

modprobe -a ext4 xfs
storage_begin
disk=$(null_disk nullfs 400 discard=1)
# each file system on each kind of unit with full counts
live_on ext4 iblock "udev_path=$disk"
[ -z "${TCM_LONG:-}" ] || live_on xfs iblock "udev_path=$disk"
rmdir /sys/kernel/config/nullb/nullfs
[ -z "${TCM_LONG:-}" ] || live_on ext4 rd_mcp rd_pages=102400
live_on xfs rd_mcp rd_pages=102400
make_fs ext4 440 /mnt/back
truncate -s 320M /mnt/back/image
live_on xfs fileio fd_dev_name=/mnt/back/image,fd_dev_size=335544320
live_on ext4 fileio fd_dev_name=/mnt/back/image,fd_dev_size=335544320 fd_buffered_io=1
drop_fs /mnt/back
storage_end
