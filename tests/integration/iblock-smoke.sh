#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --disk 256M
# kernels: 6.1 6.12
#
# A block device becomes a LUN and holds data.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

read -r backing _ <<<"$VM_DISKS"
storage_begin
backstore iblock disk "udev_path=$backing"
cat "$CFS/core/iblock_0/disk/info"
disk=$(export_lun iblock disk 0)
cat "$CFS/core/iblock_0/disk/info"
assert_eq "$(blockdev --getsize64 "$backing")" "$(blockdev --getsize64 "/dev/$disk")" "size"

note "fio on $disk"
fio --name=verify --filename="/dev/$disk" --size=64M --io_size=24M --rw=randwrite \
	--bsrange=512-1m --blockalign=512 --direct=1 --ioengine=libaio --iodepth=32 --verify=crc32c \
	--do_verify=1 --verify_fatal=1 --randrepeat=1 --output-format=terse --terse-version=3 >/tmp/fio.out ||
	fail "fio: $(cat /tmp/fio.out)"
note "fio done"
unexport_lun 0
wait_gone "/sys/block/$disk"
drop_backstore iblock disk
storage_end
