#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's half of scripts/bench for several CPUs: I/Os per second of plain emulation, which on
# a shared machine mean something only as ratios. The targets take turns, twice; to /out/smp.tsv
#	target path jobs luns I/Os-per-second
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc
. /tcm/tests/integration/iscsi.inc
. /tcm/tests/bench/paths.inc

CPUS=$(nproc)

# measure TARGET PATH JOBS: on DISKS, a job each, or all the jobs on the one disk
measure() {
	local i fio=() counts pid
	for ((i = 0; i < $3; i++)); do
		fio+=(--name="job$i" --filename="/dev/${DISKS[i % ${#DISKS[@]}]}" --cpus_allowed=$((i % CPUS)))
	done
	fio --thread --direct=1 --ioengine=io_uring --rw=randread --bs=4k --iodepth=32 --time_based \
		--runtime=2500ms --size=32m --output=/tmp/fio.out "${fio[@]}" &
	pid=$!
	counts=$(/out/meter 1000 "${DISKS[@]}") || fail "no figure for $*"
	wait $pid || fail "fio: $(cat /tmp/fio.out)"
	awk -v row="$1 $2 $3 ${#DISKS[@]}" '{ gsub(" ", "\t", row); printf "%s\t%.0f\n", row, $2 * 1e9 / $1 }' \
		<<<"$counts" | tee -a /out/smp.tsv
}

# measure_path TARGET PATH: one LUN and as many as CPUs, jobs likewise
measure_path() {
	local n all=() address
	path_up "$2" "$CPUS" 1
	case $2 in
	loop:*)
		for ((n = 0; n < CPUS; n++)); do all+=("$(loop_lun_device "${BENCH_WWN}0000" $n)"); done
		;;
	iscsi:*)
		address=$(basename /sys/class/iscsi_host/host*)
		for ((n = 0; n < CPUS; n++)); do all+=("$(scsi_device "${address#host}:0:0:$n")"); done
		;;
	esac
	for n in "${all[@]}"; do quiet_queue "$n"; done
	DISKS=("${all[0]}")
	measure "$1" "$2" 1
	measure "$1" "$2" "$CPUS"
	DISKS=("${all[@]}")
	measure "$1" "$2" "$CPUS"
	path_down "$2" "$CPUS" 1
}

modprobe null_blk nr_devices=0
modprobe -a sd_mod sg
: >/out/smp.tsv
iscsi_initiator
for target in stock our stock our; do
	use_${target}_target
	modprobe -a tcm_loop iscsi_target_mod
	modprobe -q target_core_rd || :	# a part of the stock core
	mkdir -p "$CFS/core"
	for path in loop:null iscsi:lo; do
		measure_path "${target/our/ours}" $path
	done
	unload_target
done
