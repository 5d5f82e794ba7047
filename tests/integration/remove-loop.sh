#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Loopback: LUNs, nexus, portal group, target and backstores removed under fio, and under I/O that
# the backend does not end: a test device that holds it, a suspended disk below iblock. Nothing
# waits for them; a disk goes when its commands are back, and its medium is free again.
# vm: --timeout 240 --hung-task 120 --disk 64M --no-udev
# kernels: 6.1-long 6.12 debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

WWN=naa.5001405c10c00001
T=$CFS/loopback/$WWN/tpgt_1
LIMIT=500	# hundredths of a second for a configfs call, on a machine that others share
slowest=0 slowest_call=

# the backstore of each LUN; the last two stop answering
STORES=(rd_mcp_0/r fileio_0/f iblock_0/b test_0/h)
declare -a disk

# timed COMMAND...: bounded in time
timed() {
	local begin
	uptime_cs
	begin=$REPLY
	"$@"
	uptime_cs
	[ $((REPLY - begin)) -le $slowest ] || slowest=$((REPLY - begin)) slowest_call=$*
	[ $((REPLY - begin)) -le $LIMIT ] || fail "took $((REPLY - begin))0 ms: $*"
}

# make_store STORE
make_store() {
	local dir=$CFS/core/$1
	mkdir -p "$dir"
	case $1 in
	rd_mcp*) echo rd_pages=4096 >"$dir/control" ;;
	fileio*) echo fd_dev_name=/tmp/medium,fd_dev_size=16777216 >"$dir/control" ;;
	iblock*) echo udev_path=/dev/mapper/slow >"$dir/control" ;;
	test*) echo size=1048576,hold=0 >"$dir/control" ;;
	esac
	echo 1 >"$dir/enable"
}

# build LUN...
build() {
	local n
	mkdir -p "$T"
	echo naa.5001405c10c00002 >"$T/nexus"
	for n; do
		timed make_store "${STORES[n]}"
		mkdir "$T/lun/lun_$n"
		timed ln -s "$CFS/core/${STORES[n]}" "$T/lun/lun_$n/l"
		disk[n]=$(loop_lun_device $WWN "$n")
		wait_block "/dev/${disk[n]}"
	done
}

# drop_luns LUN...; drop_stores LUN...
drop_luns() {
	local n
	for n; do
		timed rm "$T/lun/lun_$n/l"
		timed rmdir "$T/lun/lun_$n"
	done
}

drop_stores() {
	local n
	for n; do timed rmdir "$CFS/core/${STORES[n]}" "$CFS/core/${STORES[n]%/*}"; done
}

held() { cat /sys/module/tcm_test/parameters/held; }
held_is() { [ "$(held)" -ge "$1" ]; }
# did N I/Os since it was made
did() { awk -v n="$2" '{ exit !($1 + $5 > n) }' "/sys/block/$1/stat"; }
in_flight() { awk '{ exit !$9 }' "/sys/block/$1/stat"; }
blocked() { awk '{ sub(/.*\) /, ""); if ($1 == "D") n++ } END { exit !n }' /proc/[0-9]*/stat 2>/dev/null; }
none_blocked() { ! blocked; }
ended() { ! kill -0 "$1" 2>/dev/null; }
dm_free() { [ "$(dmsetup info -c --noheadings -o open slow)" = 0 ]; }

# take N: in one of several orders
take() {
	local n
	case $(($1 % 4)) in
	0)
		drop_luns 0 1 2 3
		timed sh -c "echo NULL >$T/nexus"
		;;
	1) drop_luns 3 2 1 0 ;;
	2)
		timed sh -c "echo offline >$T/transport_status"
		drop_luns 2 0 3 1
		;;
	3)
		for n in 0 1 2 3; do timed rm "$T/lun/lun_$n/l"; done
		for n in 0 1 2 3; do timed rmdir "$T/lun/lun_$n"; done
		;;
	esac
	timed rmdir "$T" "${T%/*}"
	drop_stores 3 1 2 0
}

load() { # JOB-NAME DISK: fio that ends with the first error
	fio --name="$1" --filename="/dev/$2" --rw=randrw --bs=4k --iodepth=16 --ioengine=libaio \
		--direct=1 --rate_iops=300,300 --time_based --runtime=200 >"/tmp/fio.$1" 2>&1 &
}

cycle() {
	local n fio=() readers=() old
	build 0 1 2 3
	settle
	old=("${disk[@]}")
	for n in 0 1 2; do
		load "$n" "${disk[n]}"
		fio[n]=$!
	done
	for n in 0 1 2; do wait_for 30 did "${disk[n]}" 200; done
	dmsetup suspend --noflush --nolockfs slow
	echo hold=1 >"$CFS/core/test_0/h/control"
	for n in 1 2 3 4; do
		dd if="/dev/${disk[3]}" of=/dev/null bs=4k count=64 skip=$((n * 32)) iflag=direct 2>/dev/null &
		readers+=($!)
	done
	wait_for 20 held_is 4
	wait_for 20 in_flight "${disk[2]}"
	take "$1"

	# the disks that answer are gone, and who used them has ended
	for n in 0 1; do
		wait_gone "/sys/block/${old[n]}"
		wait_for 20 ended "${fio[n]}"
		if wait "${fio[n]}"; then fail "fio did not see disk $n go"; fi
	done

	# the same names at once; the disk that commands are out on is not taken twice
	build 0 1 3
	mkdir -p "$CFS/core/iblock_0/b"
	echo udev_path=/dev/mapper/slow >"$CFS/core/iblock_0/b/control"
	timed assert_fails sh -c "echo 1 >$CFS/core/iblock_0/b/enable"
	for n in 0 1 3; do
		dd if="/dev/${disk[n]}" of=/dev/null bs=4k count=16 iflag=direct status=none
	done
	drop_luns 0 1 3
	timed rmdir "$T" "${T%/*}"
	drop_stores 0 1 2 3
	assert_eq 4 "$(held)" "reads the backend has"
	kill -0 "${fio[2]}" || fail "commands of a disk that does not answer ended"

	# the backends answer at last
	echo 0 >/sys/module/tcm_test/parameters/held
	dmsetup resume slow
	for n in "${readers[@]}" "${fio[2]}"; do
		wait_for 20 ended "$n"
		wait "$n" || :
	done
	for n in 2 3; do wait_gone "/sys/block/${old[n]}"; done
	wait_for 20 dm_free
	wait_for 20 none_blocked
}

modprobe -a sd_mod sg
use_our_target
modprobe tcm_test
export DM_DISABLE_UDEV=1	# none runs here: each disk that comes would keep it busy
read -r back _ <<<"$VM_DISKS"
dmsetup create slow --table "0 $(blockdev --getsz "$back") linear $back 0"
settle
cycles=3
[ -z "${TCM_LONG:-}" ] || cycles=100
for ((n = 0; n < cycles; n++)); do
	cycle "$n"
done
note "$cycles cycles, slowest configfs call ${slowest}0 ms: $slowest_call"
dmsetup remove slow
unload_target
