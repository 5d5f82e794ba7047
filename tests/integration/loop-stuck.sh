#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 200 --no-udev
# kernels: 6.1 6.12-long debug-long
#
# A disk below loopback that stops answering with a hundred commands out: other nexuses, other disks of the
# same host, the error handlers and every step of a removal end within a second; nobody waits but who uses
# that disk. Afterwards all of it drains.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

A=naa.5001405c20c00001 B=naa.5001405c20c00002
LIMIT=$((100 * VM_SLOW))	# hundredths of a second, for each call
COMMANDS=100
slowest=0 slowest_call=
export DM_DISABLE_UDEV=1

# timed COMMAND...: an executable or a function, bounded in time; what it ends with is the caller's
timed() {
	local begin took rc=0
	uptime_cs
	begin=$REPLY
	"$@" || rc=$?
	uptime_cs
	took=$((REPLY - begin))
	[ "$took" -le "$slowest" ] || slowest=$took slowest_call=$*
	[ "$took" -le "$LIMIT" ] || fail "took ${took}0 ms: $*"
	return $rc
}

# port WWN: a loopback port, with its nexus; lun WWN NUMBER STORE
port() {
	mkdir -p "$CFS/loopback/$1/tpgt_1"
	echo "${1%?}9" >"$CFS/loopback/$1/tpgt_1/nexus"
}
lun() {
	mkdir "$CFS/loopback/$1/tpgt_1/lun/lun_$2"
	ln -s "$CFS/core/$3" "$CFS/loopback/$1/tpgt_1/lun/lun_$2/l"
}
sg_of() { echo "/dev/$(ls "/sys/block/$1/device/scsi_generic")"; }
out() { awk '{ print $1 + $2 }' "/sys/block/$1/inflight"; }
are_out() { [ "$(out "$1")" -ge $COMMANDS ]; }
has_written() { awk '{ exit $5 < 100 }' "/sys/block/$1/stat"; }
reads() { dd if="/dev/$1" of=/dev/null bs=64k count=4 iflag=direct status=none; }
write_attr() { echo "$2" >"$CFS/$1"; }
# in_d: tasks that wait uninterruptibly, but for who uses the disk that does not answer
in_d() { ps -eLo state=,tid=,comm= | sed -n 's/^D *//p' | grep -v ' fio' | sort; }
# nobody_waits WHEN: but for one worker that removes disks
nobody_waits() {
	local tasks
	tasks=$(in_d || :)
	nap 0.3
	tasks=$(comm -12 <(echo "$tasks") <(in_d || :) | grep . || :)
	[ -z "$tasks" ] || [[ $tasks =~ ^[0-9]+\ kworker/[^[:space:]]*tcm_loop$ ]] || fail "$1: waits: $tasks"
}
dm_free() { [ "$(dmsetup info -c --noheadings -o open slow)" = 0 ]; }
no_worker_waits() { ! in_d | grep tcm_loop; }
ended() { ! kill -0 "$1" 2>/dev/null; }

modprobe -a sd_mod sg
modprobe null_blk memory_backed=1 gb=1
modprobe dm_mod
dmsetup create slow --table "0 131072 linear /dev/nullb0 0"
wait_block /dev/mapper/slow
use_our_target
modprobe tcm_loop
mkdir -p "$CFS/core/iblock_0/slow"
cfs_write core/iblock_0/slow/control udev_path=/dev/mapper/slow
cfs_write core/iblock_0/slow/enable 1
rd_device well
port $A
port $B
lun $A 0 iblock_0/slow
lun $A 1 rd_mcp_0/well
lun $B 0 iblock_0/slow
lun $B 1 rd_mcp_0/well
stuck=$(loop_lun_device $A 0) beside=$(loop_lun_device $A 1)
other=$(loop_lun_device $B 0) well=$(loop_lun_device $B 1)
for d in "$stuck" "$beside" "$other" "$well"; do wait_block "/dev/$d"; done
settle

for round in stays goes; do
	fio --name=load --filename="/dev/$stuck" --direct=1 --rw=randwrite --bs=4k --iodepth=128 --ioengine=libaio \
		--time_based --runtime=300 --output=/tmp/fio.out &
	load=$!
	wait_for 30 has_written "$stuck"
	dmsetup suspend --noflush --nolockfs slow
	wait_for 30 are_out "$stuck"
	note "$(out "$stuck") commands are out; the disk $round; other nexuses, other disks"
	for d in "$other" "$well" "$beside"; do
		timed sg_turs "$(sg_of "$d")" || timed sg_turs "$(sg_of "$d")"
		timed sg_inq "$(sg_of "$d")" >/dev/null
		timed sg_readcap -l "$(sg_of "$d")" >/dev/null
	done
	timed reads "$well"
	timed reads "$beside"
	timed write_attr core/iblock_0/slow/alua/default_tg_pt_gp/alua_access_state 1
	timed write_attr core/iblock_0/slow/alua/default_tg_pt_gp/alua_access_state 0
	timed cat "$CFS"/core/iblock_0/slow/statistics/*/* >/dev/null
	timed cat "$CFS/core/iblock_0/slow/info" >/dev/null
	nobody_waits "$round"

	# Who has no commands out is answered; who has waits for them, as long as its own SCSI layer likes to
	timed sg_reset -d -N "$(sg_of "$other")" || :
	echo 2 >"/sys/block/$stuck/device/eh_timeout"
	sg_reset -d -N "$(sg_of "$stuck")" 2>/dev/null &
	reset=$!
	for n in 1 2 3; do
		timed sg_turs "$(sg_of "$other")" || :
		timed reads "$well"
	done
	wait_for 10 ended $reset
	if wait $reset; then fail "a reset says that commands are over, and they are out"; fi
	timed reads "$beside"
	nobody_waits "$round, after a reset"
	# another LUN of the host that has the disk
	timed lun $A 2 rd_mcp_0/well
	new=$(loop_lun_device $A 2)
	wait_block "/dev/$new"
	timed reads "$new"
	timed rm "$CFS/loopback/$A/tpgt_1/lun/lun_2/l"
	timed rmdir "$CFS/loopback/$A/tpgt_1/lun/lun_2"
	nobody_waits "$round, a LUN that came and went"
	if [ $round = stays ]; then
		dmsetup resume slow
		kill -INT $load 2>/dev/null || :
		wait_for 30 ended $load
		wait $load || :
	fi
done

note "removal, step by step"
for p in $A $B; do
	for n in 0 1; do
		timed rm "$CFS/loopback/$p/tpgt_1/lun/lun_$n/l"
		timed rmdir "$CFS/loopback/$p/tpgt_1/lun/lun_$n"
		nobody_waits "removal of LUN $n"
	done
	timed write_attr "loopback/$p/tpgt_1/nexus" NULL
	timed rmdir "$CFS/loopback/$p/tpgt_1"
	timed rmdir "$CFS/loopback/$p"
	nobody_waits "removal of a port"
done
timed rmdir "$CFS/core/iblock_0/slow"
timed rmdir "$CFS/core/iblock_0"
rd_device_del well
# the same names, at once
port $B
rd_device well
timed lun $B 1 rd_mcp_0/well
well=$(loop_lun_device $B 1)
wait_block "/dev/$well"
timed reads "$well"
nobody_waits "a new port"
# another disk of its host may go later than it was taken away, but nobody waits for that
wait_for 20 no_worker_waits
for d in "$stuck" "$beside" "$other"; do
	[ ! -e "/sys/block/$d" ] || note "$d is there, $(out "$d") of its commands are out; waits: $(in_d || :)"
done
kill -0 $load || fail "fio has ended while its commands are out: $(cat /tmp/fio.out)"
note "slowest call ${slowest}0 ms: $slowest_call"

dmsetup resume slow
wait_for 30 ended $load
wait $load || :
wait_for 30 dm_free
wait_for 30 [ ! -s /sys/kernel/debug/tcm/orphans ]
rm "$CFS/loopback/$B/tpgt_1/lun/lun_1/l"
rmdir "$CFS/loopback/$B/tpgt_1/lun/lun_1" "$CFS/loopback/$B/tpgt_1" "$CFS/loopback/$B"
rd_device_del well
unload_target
dmsetup remove slow
