#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's half of scripts/bench --share: two CPUs, a job on each, on two LUNs of one session,
# on two sessions (loopback, iSCSI), and both on one LUN, while the plugin share.c notes what each touches. Per
# window, to /out/share.tsv
#	target path luns sessions I/Os symbols
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc
. /tcm/tests/integration/iscsi.inc
. /tcm/tests/bench/paths.inc

# I/Os of each job in a window: enough to tell what each I/O does from what the clock does
declare -A each=([loop]=2000 [iscsi]=300)
[ $# -gt 0 ] || set -- stock ours

# What the plugin is to take for the target's
ours() {
	awk '$1 ~ /^(target_core_|tcm_loop$|iscsi_target_mod$)/ {
		start = strtonum($6); printf "%x %x\n", start, start + $2 }' /proc/modules >/out/windows/ours
	cp /proc/kallsyms "/out/kallsyms.$1"
}

# measure TARGET PATH LUNS SESSIONS DISK DISK: the first from one CPU, the second from the other
measure() {
	local counts pid
	taskset 1 fio --thread --direct=1 --ioengine=io_uring --rw=randread --bs=4k --iodepth=8 --time_based \
		--runtime=200 --size=32m --output=/tmp/fio.0 --name=a --filename="/dev/$5" &
	pid=$!
	taskset 2 fio --thread --direct=1 --ioengine=io_uring --rw=randread --bs=4k --iodepth=8 --time_based \
		--runtime=200 --size=32m --output=/tmp/fio.1 --name=b --filename="/dev/$6" &
	counts=$(/out/meter "x${each[${2%%:*}]}" "$5" "$6") || fail "no figure for $*"
	kill $pid $! || :
	wait
	ours "$1"
	printf '%s\t%s\t%s\t%s\t%s\t%s\n' "$1" "$2" "$3" "$4" "$(cut -d ' ' -f 2 <<<"$counts")" "$1" |
		tee -a /out/share.tsv
}

# loop TARGET LUNS SESSIONS
loop() {
	local disks
	path_up loop:null "$2" "$3"
	disks=("${DISKS[@]}")
	[ "$2" = 1 ] || disks+=("$(loop_lun_device "${BENCH_WWN}0000" 1)")
	for d in "${disks[@]}"; do quiet_queue "$d"; done
	measure "$1" loop:null "$2" "$3" "${disks[0]}" "${disks[-1]}"
	path_down loop:null "$2" "$3"
}

# two sessions of iSCSI, a LUN each; all that works for one of them, on one CPU
iscsi() {
	local disks host cpu list=$CFS/iscsi/cpus_allowed_list
	path_up iscsi:lo 2 0
	for cpu in 0 1; do
		[ "$1" = stock ] || echo $cpu >"$list"
		iscsiadm -m node -T "$IQN" -p "$BENCH_PORTAL" -o update -n node.session.nr_sessions -v $((cpu + 1))
		iscsiadm -m node -T "$IQN" -p "$BENCH_PORTAL" --login >/dev/null
	done
	cpu=0 disks=()
	for host in /sys/class/iscsi_host/host*; do
		host=${host##*/host}
		disks+=("$(scsi_device "$host:0:0:$cpu")")
		echo $((cpu + 1)) >"/sys/devices/virtual/workqueue/iscsi_q_$host/cpumask"
		quiet_queue "${disks[-1]}"
		cpu=$((cpu + 1))
	done
	assert_eq 2 $cpu "sessions"
	measure "$1" iscsi:lo 2 2 "${disks[@]}"
	path_down iscsi:lo 2 2
}

modprobe null_blk nr_devices=0
modprobe -a sd_mod sg
: >/out/share.tsv
iscsi_initiator
for target; do
	use_"${target/ours/our}"_target
	modprobe -a tcm_loop iscsi_target_mod
	modprobe -q target_core_rd || :	# a part of the stock core
	mkdir -p "$CFS/core"
	ours "$target"
	loop "$target" 2 1
	loop "$target" 1 2
	# for comparison: what two CPUs do to one LUN
	loop "$target" 1 1
	iscsi "$target"
	unload_target
done
