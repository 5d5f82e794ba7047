#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 200
# kernels: 6.1-long 6.12 debug-long
#
# A disk that stops answering under I/O: task management, logout, login under the same name, disable and
# removal end at once, others on the portal notice nothing; the kernel's initiator gets over it, too.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

stuck=/tcm/tests/conformance/iscsi_stuck.py

# what the target has aborted of the slow disk's commands
aborts() { cat "$CFS/core/iblock_0/slow/statistics/scsi_tgt_dev/aborts_complete" 2>/dev/null || echo 0; }
aborted_since() { [ "$(aborts)" -gt "$1" ]; }
writes() { awk '{ print $5 }' "/sys/block/$disk/stat"; }
written_since() { [ "$(writes)" -gt $(($1 + 200)) ]; }
no_orphans() { ! grep -q waits /sys/kernel/debug/tcm/orphans; }
# the slow disk has what fio keeps out
commands_are_out() { [ "$(awk '{ print $9 }' "/sys/block/$disk/stat")" -ge 8 ]; }
# in_d: tasks that wait uninterruptibly
in_d() { ps -eLo state=,tid=,comm= | sed -n 's/^D *//p' | sort; }
# nobody_waits [initiator]: there is none that stays so; but for those that use the initiator's disk
nobody_waits() {
	local allowed='^$' tasks
	[ -z "${1:-}" ] || allowed='^$|fio|udev|scsi_eh'
	tasks=$(in_d)
	nap 0.5
	tasks=$(comm -12 <(echo "$tasks") <(in_d) | grep -Ev "$allowed") || return 0
	fail "waits: $tasks"
}

modprobe null_blk memory_backed=1 gb=1
modprobe dm_mod
dmsetup create slow --table "0 131072 linear /dev/nullb0 0"
wait_block /dev/mapper/slow

use_our_target
iscsi_initiator
modprobe iscsi_target_mod
mkdir "$CFS/iscsi" "$CFS/core/iblock_0"
rd_device well
rd_device by
mkdir "$CFS/core/iblock_0/slow"
cfs_write core/iblock_0/slow/control udev_path=/dev/mapper/slow
cfs_write core/iblock_0/slow/enable 1
iscsi_target_raw $IQN core/iblock_0/slow core/rd_mcp_0/well
iscsi_target_raw $IQN:by core/rd_mcp_0/by
tpg=iscsi/$IQN/tpgt_1

python3 $stuck before
mkdir "$CFS/$tpg/acls/iqn.2026-11.org.lab:py"
acl=$tpg/acls/iqn.2026-11.org.lab:py
for n in 0 1; do
	mkdir "$CFS/$acl/lun_$n"
	ln -s "$CFS/$tpg/lun/lun_$n" "$CFS/$acl/lun_$n/link"
done
cfs_write $acl/attrib/dataout_timeout 2
cfs_write $acl/attrib/dataout_timeout_retries 2
cfs_write $tpg/attrib/login_timeout 5
python3 $stuck silent
python3 $stuck late
rm "$CFS/$acl"/lun_?/link
rmdir "$CFS/$acl"/lun_? "$CFS/$acl"
cfs_write $tpg/attrib/default_cmdsn_depth 128
python3 $stuck bystander >/tmp/bystander &
bystander=$!
dmsetup suspend --nolockfs --noflush slow
python3 $stuck tmf
python3 $stuck session
cfs_write $tpg/param/MaxConnections 4
cfs_write $tpg/param/ErrorRecoveryLevel 2
cfs_write $tpg/param/DefaultTime2Wait 0
python3 $stuck parted
cfs_write $tpg/param/MaxConnections 1
cfs_write $tpg/param/ErrorRecoveryLevel 0
cfs_write $tpg/param/DefaultTime2Wait 2
# who waits for the disk is no task of ours
nobody_waits
dmsetup resume slow
wait_for 20 no_orphans

note "the kernel's initiator and its error handler"
cfs_write $tpg/attrib/login_timeout 5
iscsi_login node.session.timeo.replacement_timeout=5
disk=$(iscsi_disk)
wait_block "/dev/$disk"
settle
# a command that only waits for its turn does not time out
echo $((3 * VM_SLOW)) >"/sys/block/$disk/device/timeout"
size=$((VM_SLOW > 4 ? 2 : 16 / VM_SLOW))
# its error handler aborts them one after the other, and gives up a command that waited six times as long
depth=$((VM_SLOW > 1 ? 8 : 32))
for n in 1 2 3; do
	before=$(writes)
	fio --name=verify --filename="/dev/$disk" --direct=1 --rw=randwrite --bs=4k --size=${size}m --iodepth=$depth \
		--ioengine=libaio --verify=crc32c --do_verify=1 --verify_fatal=1 --randseed=$n --verify_state_save=0 \
		--output=/tmp/fio.out &
	load=$!
	wait_for 30 written_since "$before"
	before=$(aborts)
	dmsetup suspend --nolockfs --noflush slow
	wait_for 30 aborted_since "$before"
	nobody_waits initiator
	dmsetup resume slow
	wait "$load" || fail "$(cat /tmp/fio.out)"
	note "$(($(aborts) - before)) commands aborted, what was written is there"
done

note "sessions with commands that are out: disable, enable, LUN, target"
before=$(writes)
fio --name=load --filename="/dev/$disk" --direct=1 --rw=randrw --bs=4k --iodepth=32 --ioengine=io_uring \
	--time_based --runtime=300 --output=/tmp/fio.out &
load=$!
wait_for 30 written_since "$before"
dmsetup suspend --nolockfs --noflush slow
wait_for 20 commands_are_out
assert_within 1 bash -c "rm $CFS/$tpg/lun/lun_0/link"
assert_within 1 rmdir "$CFS/$tpg/lun/lun_0"
assert_within 1 bash -c "echo 0 >$CFS/$tpg/enable"
assert_within 1 bash -c "echo 1 >$CFS/$tpg/enable"
assert_within 1 bash -c "echo 0 >$CFS/$tpg/enable"
assert_within 1 rm "$CFS/$tpg/lun/lun_1/link"
assert_within 1 rmdir "$CFS/$tpg/lun/lun_1" "$CFS/$tpg"/np/*
assert_within 1 rmdir "$CFS/$tpg"
assert_within 1 rmdir "$CFS/iscsi/$IQN"
nobody_waits initiator
touch /tmp/enough
wait "$bystander" || fail "$(cat /tmp/bystander)"
note "$(cat /tmp/bystander)"
dmsetup resume slow
wait "$load" || :
iscsi_forget >/dev/null 2>&1
iscsi_target_del $IQN:by
rmdir "$CFS/core/rd_mcp_0/by"
rd_device_del well
rmdir "$CFS/core/iblock_0/slow" "$CFS/core/iblock_0"
unload_target
