#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 2G --timeout 300
# kernels: 6.1 6.12-long debug-long
#
# EXTENDED COPY between ramdisks, files and block devices, of different block lengths; sg_xcopy; and
# two files on a file system that shares blocks: nothing is read or written. A disk with bad sectors on
# either side of a copy.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

rc=0
mib=64
[ -z "${TCM_LONG:-}" ] || mib=1024

storage_begin
make_fs xfs 400 /mnt/xfs
for f in a b; do truncate -s ${mib}M /mnt/xfs/$f; done
backstore rd_mcp r rd_pages=16384
backstore rd_mcp r4k rd_pages=16384
cfs_write core/rd_mcp_0/r4k/attrib/block_size 4096
backstore fileio a fd_dev_name=/mnt/xfs/a,fd_dev_size=$((mib << 20))
backstore fileio b fd_dev_name=/mnt/xfs/b,fd_dev_size=$((mib << 20))
backstore iblock k "udev_path=$(null_disk nbk 64)"
# a disk that has eight bad sectors
null=$(null_disk nbad 64)
modprobe dm-mod
dmsetup create bad <<END
0 8192 linear $null 0
8192 8 error
8200 122872 linear $null 8200
END
backstore iblock bad udev_path=/dev/mapper/bad
serial=d3c5e7a-9b0f-4c2d-8e6a-000000000000
n=0
declare -A disk
devices=(rd_mcp/r rd_mcp/r4k fileio/a fileio/b iblock/k iblock/bad)
for dev in "${devices[@]}"; do
	cfs_write "core/${dev/\//_0/}/wwn/vpd_unit_serial" $((n + 1))$serial
	disk[${dev#*/}]=/dev/$(export_lun "${dev%/*}" "${dev#*/}" $n)
	n=$((n + 1))
done
settle

pair() {
	python3 /tcm/tests/conformance/copy_test.py "${disk[$1]}" "${disk[$2]}" --name "$1 to $2" "${@:3}" || rc=1
}
pair r r4k
pair a b
pair k a --bad "${disk[bad]}" 8192

# sectors BLOCK-DEVICE: read and written so far
sectors() { awk '{ print $3 + $7 }' "/sys/block/${1#/dev/}/stat"; }

fs=$(findmnt -no SOURCE /mnt/xfs)
dd if=/dev/urandom of="${disk[a]}" bs=1M count=48 oflag=direct status=none
sync
before=$(sectors "$fs")
sg_xcopy if="${disk[a]}" of="${disk[b]}" bs=512 count=$((48 * 2048)) bpt=32768
after=$(sectors "$fs")
note "48 MiB copied: $((after - before)) sectors moved"
[ $((after - before)) -lt 8192 ] || fail "the copy moved data"
cmp -n $((48 << 20)) "${disk[a]}" "${disk[b]}" || fail "sg_xcopy: other data"

sg_xcopy if="${disk[a]}" of="${disk[k]}" bs=512 count=65536
cmp -n $((32 << 20)) "${disk[a]}" "${disk[k]}" || fail "sg_xcopy across: other data"

for ((i = 0; i < n; i++)); do unexport_lun $i; done
for dev in "${devices[@]}"; do drop_backstore "${dev%/*}" "${dev#*/}"; done
wait_for 20 dmsetup remove bad
drop_fs /mnt/xfs
storage_end
exit $rc
