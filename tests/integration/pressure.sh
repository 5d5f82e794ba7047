#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 768M --disk 1G --timeout 240
# kernels: 6.1 6.12-long debug-long
#
# A file system on a LUN whose file lies on a file system on a LUN, written while there is next to
# no memory: what frees memory is writing to the upper disk, which needs memory in the target, twice.
# A target that waits for it there waits for ever.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

mib=64
[ -z "${TCM_LONG:-}" ] || mib=512
spare=40

# available: MiB that programs could still have
available() { awk '$1 == "MemAvailable:" { print int($2 / 1024) }' /proc/meminfo; }
scarce() { [ "$(available)" -lt $((spare + 16)) ]; }

# hog: all memory but that much, kept until it is killed; first to go if the kernel looks for one
hog() {
	python3 - "$spare" <<-'END' &
		import mmap, signal, sys
		open('/proc/self/oom_score_adj', 'w').write('1000')
		kept = []
		def available():
		    lines = dict(line.split(':') for line in open('/proc/meminfo'))
		    return int(lines['MemAvailable'].split()[0]) >> 10
		while available() > int(sys.argv[1]):
		    kept.append(mmap.mmap(-1, 2 << 20))
		    kept[-1].write(b'\xa5' * (2 << 20))
		signal.pause()
	END
	hog=$!
	wait_for 60 scarce
}

# noise: that many MiB, no two pages alike
noise() {
	python3 -c 'import random, sys
for n in range(int(sys.argv[1])):
    sys.stdout.buffer.write(random.Random(n).randbytes(1 << 20))' $mib
}

# upper NAME TOKEN...: a LUN over a file on the lower disk, a file system on it, filled and compared
upper() {
	local disk sum
	note "$1"
	rm -f /mnt/lower/image
	truncate -s $((mib + 64))M /mnt/lower/image
	backstore fileio up "fd_dev_name=/mnt/lower/image,fd_dev_size=$(((mib + 64) << 20))" "${@:2}"
	disk=$(export_lun fileio up 1)
	scsi_ready "$disk"
	mkfs.ext4 -q "/dev/$disk"
	mount "/dev/$disk" /mnt/upper
	hog
	# twice what is left, through the page cache of both file systems
	noise | tee /mnt/upper/data | sha1sum >/tmp/sum
	sync -f /mnt/upper
	scarce || fail "there was memory: $(available) MiB"
	kill $hog
	wait $hog || [ $? = 143 ] || fail "who kept the memory was killed by another"
	umount /mnt/upper
	e2fsck -fn "/dev/$disk" >/tmp/fsck 2>&1 || fail "e2fsck: $(cat /tmp/fsck)"
	echo 3 >/proc/sys/vm/drop_caches
	mount "/dev/$disk" /mnt/upper
	sum=$(sha1sum </mnt/upper/data)
	assert_eq "$(cat /tmp/sum)" "$sum" "the data"
	umount /mnt/upper
	unexport_lun 1
	wait_gone "/sys/block/$disk"
	drop_backstore fileio up
}

modprobe ext4
mkdir -p /mnt/lower /mnt/upper
storage_begin
read -r below _ <<<"$VM_DISKS"
backstore iblock low udev_path="$below"
lower=$(export_lun iblock low 0)
scsi_ready "$lower"
mkfs.ext4 -q "/dev/$lower"
mount "/dev/$lower" /mnt/lower
upper "direct"
if [ -n "${TCM_LONG:-}" ]; then
	upper "buffered" fd_buffered_io=1
	upper "asynchronous" fd_async_io=1
fi
wait_for 20 umount /mnt/lower
unexport_lun 0
wait_gone "/sys/block/$lower"
drop_backstore iblock low
storage_end
