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

# verify LABEL DIR TOKEN...
verify() {
	local disk
	note "$1"
	# sparse: blocks are allocated below the writes
	truncate -s 64M "$2/image"
	backstore fileio it "fd_dev_name=$2/image,fd_dev_size=67108864" "${@:3}"
	disk=$(export_lun fileio it 0)
	fio_verify "$disk" $FIO_MIB
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	drop_backstore fileio it
	rm "$2/image"
}

# cached TOKENS: does what is written go through the page cache? Not with fd_async_io; the write
# cache is reported either way.
cached() {
	local event=/sys/kernel/tracing/events/filemap/mm_filemap_add_to_page_cache pages
	truncate -s 16M /mnt/again/image
	backstore fileio it "fd_dev_name=/mnt/again/image,fd_dev_size=16777216" "$1"
	disk=$(export_lun fileio it 0)
	settle
	printf 'i_ino == 0x%x' "$(stat -c %i /mnt/again/image)" >$event/filter
	echo >/sys/kernel/tracing/trace
	echo 1 >$event/enable
	dd if=/dev/zero of="/dev/$disk" bs=64k count=16 oflag=direct status=none
	echo 0 >$event/enable
	pages=$(grep -c mm_filemap_add /sys/kernel/tracing/trace || :)
	note "$1: $pages pages"
	case $1 in
	*async*) assert_eq 0 "$pages" "pages of $1" ;;
	*) [ "$pages" -gt 0 ] || fail "the tracer saw no page" ;;
	esac
	assert_eq 1 "$(cfs_read core/fileio_0/it/attrib/emulate_write_cache)"
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	drop_backstore fileio it
	rm /mnt/again/image
}

# cached_pages FILE
cached_pages() { echo $(($(fincore -b -n -o PAGES "$1"))); }
read_ahead() { [ "$(cached_pages /mnt/again/image)" -ge "$1" ]; }

# fetched: PRE-FETCH brings blocks into the page cache, before anybody reads them; none without a cache
fetched() {
	local tokens
	for tokens in fd_buffered_io=1 fd_buffered_io=1,fd_async_io=1; do
		dd if=/dev/urandom of=/mnt/again/image bs=1M count=16 conv=fsync status=none
		file_lun "fd_dev_name=/mnt/again/image,fd_dev_size=16777216,$tokens"
		settle
		echo 3 >/proc/sys/vm/drop_caches
		assert_eq 0 "$(cached_pages /mnt/again/image)" "pages at the beginning"
		expect "good;fetch:0:128" "good;fetch:16384:0" "5/21/00 info 0x8000;fetch:32767:2"
		case $tokens in
		*async*) assert_eq 0 "$(cached_pages /mnt/again/image)" "pages without a cache" ;;
		*) wait_for 10 read_ahead 32 ;;
		esac
		file_lun_down
	done
	rm /mnt/again/image
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
verify "ext4, asynchronous, with a write cache" /mnt/again fd_async_io=1 fd_buffered_io=1
for tokens in fd_buffered_io=1 fd_buffered_io=1,fd_async_io=1; do
	cached $tokens
done
fetched
drop_fs /mnt/again
storage_end
