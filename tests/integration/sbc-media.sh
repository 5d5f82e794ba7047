#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 2G --timeout 300
# kernels: 6.1-long 6.12 debug-long
#
# The block commands on files and block devices, with blocks of 512 and 4096 bytes. Arguments go to
# sbc_test.py in place of the choice of tests.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

tests=caw,orwrite,atomic,tear,long,lba_status,defects,prefetch,format,sanitize
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

storage_begin
args=(--only "$tests")
[ $# = 0 ] || args=("$@")
make_fs ext4 256 /mnt/ext4
for bs in 512 4096; do
	rm -f /mnt/ext4/image
	truncate -s 64M /mnt/ext4/image
	backstore fileio f$bs fd_dev_name=/mnt/ext4/image,fd_dev_size=67108864
	cfs_write core/fileio_0/f$bs/attrib/block_size $bs
	conform fileio f$bs --thin --map "${args[@]}"
	backstore iblock b$bs "udev_path=$(null_disk nb$bs 64 blocksize=$bs discard=1)"
	conform iblock b$bs "${args[@]}"
done
drop_fs /mnt/ext4
storage_end
exit $rc
