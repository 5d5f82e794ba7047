#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1536M --timeout 600 --hung-task 120 --expect-warn (Buffer.I/O.error|FAULT_INJECTION)
# kernels: debug-long
#
# I/O while allocations fail, while the medium fails, and while it does not answer: errors are the
# right sense, data is what was written, nothing hangs, everything can be removed, nothing leaks.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc
. /tcm/tests/integration/iscsi.inc

F=/sys/kernel/debug
[ -d $F/failslab ] || skip "a kernel without fault injection"
mib=2 commands=60
[ -z "${TCM_LONG:-}" ] || mib=64 commands=4000

# faults KIND NAME=VALUE...
faults() {
	local pair
	for pair in "${@:2}"; do echo "${pair#*=}" >"$F/$1/${pair%%=*}"; done
}

storage_begin
modprobe dm_mod
null=$(null_disk nullf 64)
dmsetup create lin --table "0 131072 linear $null 0"
mkdir /mnt/t
mount -t tmpfs -o size=96M tmpfs /mnt/t
truncate -s 64M /mnt/t/image
backstore rd_mcp r rd_pages=16384
backstore fileio f fd_dev_name=/mnt/t/image,fd_dev_size=67108864
backstore iblock b udev_path=/dev/mapper/lin
modprobe raid1
mdadm --create /dev/md9 --level=1 --raid-devices=2 --assume-clean --run --quiet \
	"$(null_disk nullm 64)" "$(null_disk nulln 64)"
backstore iblock m udev_path=/dev/md9
stores=(rd_mcp/r fileio/f iblock/b iblock/m)
declare -a disk
for i in "${!stores[@]}"; do
	disk[i]=$(export_lun "${stores[$i]%/*}" "${stores[$i]#*/}" "$i")
	scsi_ready "${disk[$i]}"
done

# one over iSCSI, whose initiator recovers by itself
rd_device far
iscsi_target_raw $IQN core/rd_mcp_0/far
iscsi_initiator
iscsi_login >/dev/null
far=$(iscsi_disk)
scsi_ready "$far"

note "data, with every check of the debug kernel"
for d in "${disk[@]}"; do fio_verify "$d" $mib; done

note "allocations fail"
/tcm/tests/integration/starved.py 1,5,20 $commands "${disk[@]}" "$far"
for d in "${disk[@]}"; do fio_verify "$d" $mib; done

note "requests fail below iblock"
echo 1 >/sys/block/nullf/make-it-fail
faults fail_make_request verbose=0 times=-1 interval=1 probability=100
scsi_is "${disk[2]}" "3/11/00 info 0x8" read:8:1
scsi_is "${disk[2]}" "3/0c/00 info 0x8" write:8:1:1
faults fail_make_request probability=0
echo 0 >/sys/block/nullf/make-it-fail
scsi_is "${disk[2]}" good write:8:8:0x5a
scsi_is "${disk[2]}" "good 5a" read:8:8

note "dm-flakey: up, down, up"
table() {
	dmsetup suspend lin
	dmsetup load lin --table "$1"
	dmsetup resume lin
}
modprobe dm_flakey
table "0 131072 flakey $null 0 0 60"
scsi_is "${disk[2]}" "3/11/00 info 0x8" read:8:1
scsi_is "${disk[2]}" "3/0c/00 info 0x8" write:8:1:1
table "0 131072 linear $null 0"
scsi_is "${disk[2]}" "good 5a" read:8:8

note "suspended with I/O in flight, then resumed"
dmsetup suspend lin
dd if=/dev/zero of="/dev/${disk[2]}" bs=64k count=16 oflag=direct status=none &
dd=$!
wait_for 20 awk '{ exit !($9 > 0) }' "/sys/block/${disk[2]}/stat"
# the others are not held up
scsi_is "${disk[0]}" good write:8:8:0x11
scsi_is "${disk[1]}" good write:8:8:0x22
dmsetup resume lin
wait $dd || fail "the write that waited failed"
scsi_is "${disk[2]}" "good 00" read:8:8

iscsi_logout >/dev/null
iscsi_target_del $IQN
drop_backstore rd_mcp far
for i in "${!stores[@]}"; do
	unexport_lun "$i"
	wait_gone "/sys/block/${disk[$i]}"
	drop_backstore "${stores[$i]%/*}" "${stores[$i]#*/}"
done
wait_for 20 mdadm --quiet --stop /dev/md9
dmsetup remove --retry lin
wait_for 20 umount /mnt/t
storage_end
