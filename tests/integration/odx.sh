#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 2G --timeout 400
# kernels: 6.1 6.12-long debug-long
#
# Copying by tokens and in the background, between ramdisks, files and block devices; VPD 8Fh as
# sg_vpd reads it; 1 GiB between two files of a file system that shares blocks: nothing moves.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

rc=0
storage_begin
make_fs xfs 400 /mnt/xfs
for f in a b; do truncate -s 64M /mnt/xfs/$f; done
# 1 GiB of data that takes 32 MiB: the same blocks over and over
head -c 32M /dev/urandom >/mnt/xfs/big
sync
python3 - <<'END'
import fcntl, struct
FICLONERANGE = 0x4020940d
with open('/mnt/xfs/big', 'r+b') as f:
    for i in range(1, 32):
        fcntl.ioctl(f, FICLONERANGE, struct.pack('qQQQ', f.fileno(), 0, 32 << 20, i * (32 << 20)))
END
truncate -s 1G /mnt/xfs/copy
backstore rd_mcp r rd_pages=16384
backstore rd_mcp r4k rd_pages=16384
cfs_write core/rd_mcp_0/r4k/attrib/block_size 4096
for f in a b; do backstore fileio $f fd_dev_name=/mnt/xfs/$f,fd_dev_size=$((64 << 20)); done
for f in big copy; do backstore fileio $f fd_dev_name=/mnt/xfs/$f,fd_dev_size=$((1 << 30)); done
backstore iblock k "udev_path=$(null_disk nbk 64)"
for dev in rd_mcp_0/r rd_mcp_0/r4k fileio_0/a fileio_0/b; do cfs_write core/$dev/attrib/emulate_tpu 1; done
devices=(rd_mcp/r rd_mcp/r4k fileio/a fileio/b fileio/big fileio/copy iblock/k)
n=0
declare -A disk
for dev in "${devices[@]}"; do
	cfs_write "core/${dev/\//_0/}/wwn/vpd_unit_serial" "$((n + 1))d3c5e7a-9b0f-4c2d-8e6a-0000000c0de0"
	disk[${dev#*/}]=/dev/$(export_lun "${dev%/*}" "${dev#*/}" $n)
	n=$((n + 1))
done
settle

pair() {
	python3 /tcm/tests/conformance/odx_test.py "${disk[$1]}" "${disk[$2]}" --name "$1 to $2" "${@:3}" || rc=1
}
pair r k --by-hand
pair r4k r
pair a b

# what initiators are told, and in words
sg_vpd --page=tpc "${disk[a]}" >/tmp/vpd
for line in "Maximum range descriptors: 64" "Maximum inactivity timeout: 900 seconds" "Default inactivity timeout: 60 seconds" \
	"Maximum token transfer size: 8388608" "Populate token" "Write using token" "Copy operation abort" \
	"Receive ROD token information" "Report all ROD tokens" "Maximum token lifetime: 3600 seconds" "Total concurrent copies: 128"; do
	grep -qi "$line" /tmp/vpd || fail "sg_vpd does not say '$line': $(cat /tmp/vpd)"
done

# sectors BLOCK-DEVICE: read and written so far
sectors() { awk '{ print $3 + $7 }' "/sys/block/${1#/dev/}/stat"; }

# Each sample that is compared is 16 times 64 KiB of each, twice: 8192 sectors. The memory of the page
# cache would show what is read through it. Whoever closes a disk that was open for writing makes udev
# look what is on it now, and what it reads comes with the read-ahead of a disk whose optimal transfer
# is 8 MiB: it does that before and after.
fs=$(findmnt -no SOURCE /mnt/xfs)
# what was read of our disks by anybody but SG_IO
probed() {
	local d
	for d in "${disk[@]}"; do cat "/sys/block/${d#/dev/}/stat"; done | awk '{ n += $3 } END { print n }'
}
settle
udevadm control --stop-exec-queue
probes=$(probed)
sync
echo 3 >/proc/sys/vm/drop_caches
before=$(sectors "$fs")
cached=$(awk '/^Cached/ { print $2 }' /proc/meminfo)
pair big copy --huge
sync
moved=$(($(sectors "$fs") - before))
cached=$(($(awk '/^Cached/ { print $2 }' /proc/meminfo) - cached))
note "twice 1 GiB copied: $moved sectors moved, $cached KiB cached, $(($(probed) - probes)) sectors read by others"
udevadm control --start-exec-queue
[ $moved -lt 32768 ] || fail "the copies moved data"
[ $cached -lt 16384 ] || fail "the copies went through memory"
filefrag -v /mnt/xfs/copy >/tmp/extents
shared=$(grep -c shared /tmp/extents) || fail "no extent is shared: $(head -20 /tmp/extents)"
note "$shared extents are shared"

for ((i = 0; i < n; i++)); do unexport_lun $i; done
for dev in "${devices[@]}"; do drop_backstore "${dev%/*}" "${dev#*/}"; done
drop_fs /mnt/xfs
storage_end
exit $rc
