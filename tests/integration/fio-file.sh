#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 2G --timeout 300
# kernels: 6.1 6.12-long debug-long
#
# Data written through a LUN is the data read back: files on three file systems, in each of
# the modes that a file has.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

mib=8
[ -z "${TCM_LONG:-}" ] || mib=512

# verify LABEL DIR TOKEN...
verify() {
	local disk
	note "$1"
	# sparse: blocks are allocated below the writes
	truncate -s 64M "$2/image"
	backstore fileio it "fd_dev_name=$2/image,fd_dev_size=67108864" "${@:3}"
	disk=$(export_lun fileio it 0)
	fio_verify "$disk" $mib
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	drop_backstore fileio it
	rm "$2/image"
}

storage_begin
for fs in tmpfs ext4 xfs; do
	size=128
	[ $fs != xfs ] || size=320
	make_fs $fs $size /mnt/$fs
	verify "$fs, direct" /mnt/$fs
	verify "$fs, buffered" /mnt/$fs fd_buffered_io=1
	drop_fs /mnt/$fs
done
make_fs ext4 128 /mnt/again
verify "ext4, asynchronous" /mnt/again fd_async_io=1
drop_fs /mnt/again
storage_end
