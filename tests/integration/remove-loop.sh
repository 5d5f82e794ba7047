#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# Loopback: LUNs, nexus, portal group, target and backstores removed under fio, and under reads that
# the backend does not end. Nothing waits for them, the disk goes when they are back.
# vm: --timeout 240
# kernels: 6.1 6.12
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

WWN=naa.5001405c10c00001
T=$CFS/loopback/$WWN/tpgt_1
LIMIT=200	# hundredths of a second for a configfs call, on a machine that others share
slowest=0

# timed COMMAND...: bounded in time
timed() {
	local begin
	uptime_cs
	begin=$REPLY
	"$@"
	uptime_cs
	[ $((REPLY - begin)) -le $slowest ] || slowest=$((REPLY - begin))
	[ $((REPLY - begin)) -le $LIMIT ] || fail "took $((REPLY - begin))0 ms: $*"
}

build() {
	mkdir -p "$CFS/core/rd_mcp_0/r" "$CFS/core/test_0/h"
	echo rd_pages=4096 >"$CFS/core/rd_mcp_0/r/control"
	echo size=1048576,hold=0 >"$CFS/core/test_0/h/control"
	echo 1 >"$CFS/core/rd_mcp_0/r/enable"
	echo 1 >"$CFS/core/test_0/h/enable"
	mkdir -p "$T"
	echo naa.5001405c10c00002 >"$T/nexus"
	mkdir "$T/lun/lun_0" "$T/lun/lun_1"
	timed ln -s "$CFS/core/rd_mcp_0/r" "$T/lun/lun_0/l"
	timed ln -s "$CFS/core/test_0/h" "$T/lun/lun_1/l"
	fast=$(loop_lun_device $WWN 0)
	slow=$(loop_lun_device $WWN 1)
	settle
}

stores_gone() {
	timed rmdir "$CFS/core/rd_mcp_0/r" "$CFS/core/rd_mcp_0"
	timed rmdir "$CFS/core/test_0/h" "$CFS/core/test_0"
}

held() { cat /sys/module/tcm_test/parameters/held; }
held_is() { [ "$(held)" -ge "$1" ]; }
blocked() { awk '{ sub(/.*\) /, ""); if ($1 == "D") n++ } END { exit !n }' /proc/[0-9]*/stat 2>/dev/null; }
none_blocked() { ! blocked; }

# take N: in one of several orders
take() {
	case $(($1 % 3)) in
	0)
		timed rm "$T/lun/lun_0/l"
		timed rmdir "$T/lun/lun_0"
		timed rm "$T/lun/lun_1/l"
		timed rmdir "$T/lun/lun_1"
		timed sh -c "echo NULL >$T/nexus"
		;;
	1)
		timed rm "$T/lun/lun_1/l"
		timed rm "$T/lun/lun_0/l"
		timed rmdir "$T/lun/lun_0" "$T/lun/lun_1"
		;;
	2)
		timed sh -c "echo offline >$T/transport_status"
		timed rm "$T/lun/lun_0/l" "$T/lun/lun_1/l"
		timed rmdir "$T/lun/lun_1" "$T/lun/lun_0"
		;;
	esac
	timed rmdir "$T" "${T%/*}"
	stores_gone
}

cycle() {
	local fio i readers=() old_fast old_slow
	build
	old_fast=$fast old_slow=$slow
	fio --name=load --filename="/dev/$fast" --rw=randrw --bs=4k --iodepth=16 --ioengine=libaio \
		--direct=1 --rate_iops=1000 --time_based --runtime=100 >/tmp/fio.out 2>&1 &
	fio=$!
	busy() { [ "$(awk '{print $9}' "/sys/block/$old_fast/stat")" -gt 0 ]; }
	wait_for 20 busy
	echo hold=1 >"$CFS/core/test_0/h/control"
	for i in 1 2 3 4; do
		dd if="/dev/$slow" of=/dev/null bs=4k count=64 skip=$((i * 32)) iflag=direct 2>/dev/null &
		readers+=($!)
	done
	wait_for 20 held_is 4
	take "$1"

	# the disk that answers is gone, and who used it has ended
	wait_gone "/sys/block/$old_fast"
	wait_for 20 eval "! kill -0 $fio"
	if wait $fio; then fail "fio did not see its disk go"; fi

	# the same names at once
	build
	dd if="/dev/$fast" of=/dev/null bs=4k count=16 iflag=direct status=none
	timed rm "$T/lun/lun_0/l" "$T/lun/lun_1/l"
	timed rmdir "$T/lun/lun_0" "$T/lun/lun_1" "$T" "${T%/*}"
	stores_gone

	assert_eq 4 "$(held)" "reads the backend has"
	echo 0 >/sys/module/tcm_test/parameters/held
	for i in "${readers[@]}"; do
		wait_for 20 eval "! kill -0 $i"
		wait "$i" || :
	done
	wait_gone "/sys/block/$old_slow"
	wait_for 20 none_blocked
}

modprobe -a sd_mod sg
use_our_target
modprobe tcm_test
cycles=3
[ -z "${TCM_LONG:-}" ] || cycles=30
for ((n = 0; n < cycles; n++)); do
	cycle "$n"
done
note "$cycles cycles, slowest configfs call ${slowest}0 ms"
unload_target
