#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1500M --timeout 200
# kernels: 6.1 6.12-long debug-long
#
# Files at the edges: past their end, on a full, failing or frozen file system, with blocks
# smaller than the file system's, in memory that the device cannot reach.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

MB=1048576

storage_begin

note "a short file reads as zeros behind its end"
make_fs ext4 64 /mnt/e
head -c 1000 /dev/zero | tr '\0' 'Z' >/mnt/e/short
for mode in "" fd_buffered_io=1; do
	# shellcheck disable=SC2086
	file_lun fd_dev_name=/mnt/e/short,fd_dev_size=$MB $mode
	# 488 bytes of the second block are there
	expect "good 5a;read:0:1" "good mixed;read:1:1" "good 00;read:2:8" "good 00;read:2047:1" \
		"good mixed;read:0:2048" "5/21/00 info 0x800;read:2048:1"
	file_lun_down
	assert_eq 1000 "$(stat -c %s /mnt/e/short)" "size after reading"
done

note "the file system is full"
fill=$(($(stat -f -c '%a * %S' /mnt/e) / MB - 4))
fallocate -l "${fill}M" /mnt/e/ballast
for mode in "" fd_buffered_io=1; do
	truncate -s 32M /mnt/e/thin
	# shellcheck disable=SC2086
	file_lun fd_dev_name=/mnt/e/thin,fd_dev_size=$((32 * MB)) $mode
	read -r at got < <(scsi "$disk" fill:0:512:7)
	assert_match '^7/27/07' "$got" "write at $at to a full file system"
	expect "good;tur" "good 07;read:0:8"
	# room again: the same write goes through
	rm /mnt/e/ballast
	expect "good;write:$at:512:7" "good 07;read:$at:512"
	file_lun_down
	rm /mnt/e/thin
	sync
	fallocate -l "${fill}M" /mnt/e/ballast
done
rm /mnt/e/ballast

note "zeros and holes"
file_lun fd_dev_name=/mnt/e/holes,fd_dev_size=$((8 * MB))
expect "good;write:0:2048:1" "good;zero:16:64" "good 01;read:0:16" "good 00;read:16:64" \
	"good 01;read:80:16" "good;same:128:64:9" "good 09;read:128:64" "good;sync"
file_lun_down

note "frozen: writes wait, and go on when it is thawed"
file_lun fd_dev_name=/mnt/e/holes,fd_dev_size=$((8 * MB))
fsfreeze -f /mnt/e
scsi "$disk" write:0:8:3 >/tmp/frozen &
writer=$!
for _ in 1 2 3 4 5; do
	expect "good;tur"
	[ -s /tmp/frozen ] && fail "a frozen file system was written to: $(cat /tmp/frozen)"
done
fsfreeze -u /mnt/e
wait $writer
assert_eq good "$(cat /tmp/frozen)" "the write"
fio_verify "$disk" 2 --size=8M
# every write gave its protection back, or this waits for ever
assert_within 30 fsfreeze -f /mnt/e
fsfreeze -u /mnt/e
file_lun_down
drop_fs /mnt/e

note "blocks smaller than the file system's device has"
null=$(null_disk null4k 64 blocksize=4096)
mkfs.ext4 -q "$null"
mount "$null" /mnt/e
truncate -s 8M /mnt/e/image
file_lun fd_dev_name=/mnt/e/image,fd_dev_size=$((8 * MB))
FIO_SPAN=1 fio_verify "$disk" 2 --bsrange=512-4k
file_lun_down
# the file is closed shortly after rmdir
wait_for 20 umount /mnt/e

note "memory at odd addresses"
null=$(null_disk nullodd 64)
backstore iblock it "udev_path=$null"
disk=$(export_lun iblock it 0)
cat >/tmp/odd.py <<'PY'
import mmap, os, sys
fd = os.open(sys.argv[1], os.O_RDWR | os.O_DIRECT)
out, back = mmap.mmap(-1, 1 << 20), mmap.mmap(-1, 1 << 20)
out[:] = os.urandom(1 << 20)
for off, length, pos in (4, 512, 0), (4, 4096, 4096), (1028, 65536, 8192), (8, 524288, 1 << 20):
    assert os.pwritev(fd, [memoryview(out)[off:off + length]], pos) == length
    assert os.preadv(fd, [memoryview(back)[20:20 + length]], pos) == length
    assert out[off:off + length] == back[20:20 + length], (off, length)
PY
trace=/sys/kernel/tracing
kmalloc=$trace/events/kmem/kmalloc
echo 'hist:keys=call_site.sym' >$kmalloc/trigger
python3 /tmp/odd.py "/dev/$disk"
hits=$(awk '/sgl_alloc/ {n += $NF} END {print n + 0}' $kmalloc/hist)
echo '!hist:keys=call_site.sym' >$kmalloc/trigger
[ "$hits" -ge 8 ] || fail "$hits of 8 misaligned accesses went by aligned pages"
unexport_lun 0
wait_gone "/sys/block/$disk"
drop_backstore iblock it

note "a failing file system"
dmsetup create lin --table "0 131072 linear $null 0"
mkfs.ext4 -q /dev/mapper/lin
mount -o errors=continue /dev/mapper/lin /mnt/e
dd if=/dev/zero of=/mnt/e/image bs=1M count=8 status=none conv=fsync
file_lun fd_dev_name=/mnt/e/image,fd_dev_size=$((8 * MB))
dmsetup wipe_table lin
assert_match '^3/11/00 info 0x8$' "$(scsi "$disk" read:8:1)" "read"
assert_match '^(3/0c/00|7/27/00)' "$(scsi "$disk" write:8:1:1)" "write"
expect "good;tur"
assert_match "File: /mnt/e/image Size: $((8 * MB)) Mode: O_DSYNC Async: 0" "$(info_of fileio it)" info
file_lun_down
wait_for 20 umount /mnt/e
wait_for 20 dmsetup remove lin

note "refused"
mkdir -p "$CFS/core/fileio_0/it" /mnt/ro
refused() { # ERRNO-TEXT CONTROL
	printf '%s' "$2" >"$CFS/core/fileio_0/it/control"
	out=$( (echo 1 >"$CFS/core/fileio_0/it/enable") 2>&1) && fail "enable was accepted with $2"
	assert_match "$1" "$out" "enable with $2"
}
out=$( (echo 1 >"$CFS/core/fileio_0/it/enable") 2>&1) && fail "enabled without a name"
assert_match "Invalid argument" "$out" "enable without a name"
cfs_refuses core/fileio_0/it/control fd_buffered_io=0
cfs_refuses core/fileio_0/it/control fd_async_io=2
cfs_refuses core/fileio_0/it/control fd_dev_size=many
cfs_refuses core/fileio_0/it/control "fd_dev_name=$(printf '%0300d' 0)"
refused "Invalid argument" fd_dev_name=/tmp/no-size
refused "Is a directory" fd_dev_name=/tmp,fd_dev_size=1048576
refused "Invalid argument" fd_dev_name=/dev/null,fd_dev_size=1048576
refused "No such file" fd_dev_name=/no/such/dir/file,fd_dev_size=1048576
mount -t tmpfs -o ro tmpfs /mnt/ro
refused "Read-only file system" fd_dev_name=/mnt/ro/x,fd_dev_size=1048576
umount /mnt/ro
drop_backstore fileio it
rmdir "$CFS/core/fileio_0" "$CFS/core/iblock_0"
storage_end
