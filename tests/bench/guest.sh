#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's half of scripts/bench: measures the rows in /out/rows (see tests/bench/rows) and
# writes to /out/raw.tsv, per row and target,
#	target path rw bs qd luns sessions nanoseconds I/Os context-switches symbols
# in the order of the plugin's windows. What is where in the kernel is in /out/kallsyms.SYMBOLS.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc
. /tcm/tests/bench/paths.inc

WINDOW=${1:-200}	# milliseconds
SYMBOLS=0 MODULES=
# measure TARGET ROW...
measure() {
	local target=$1 path=$2 rw=$3 bs=$4 qd=$5 luns=$6 sessions=$7 d fio=() counts pid
	for d in "${DISKS[@]}"; do
		fio+=(--name="$d" --filename="/dev/$d")
	done
	# all the jobs in one process, or the first ones would be done before the last one begins
	fio --thread --direct=1 --ioengine=io_uring --rw="$rw" --rwmixread=70 --bs="$bs" \
		--iodepth="$qd" --time_based --runtime=$((WINDOW + 250))ms --randrepeat=1 \
		--size=32m --output=/tmp/fio.out "${fio[@]}" &
	pid=$!
	counts=$(/out/meter "$WINDOW" "${DISKS[@]}") || fail "no figure for $*"
	wait $pid || fail "fio: $(cat /tmp/fio.out)"
	symbols
	printf '%s\t' "$target" "$path" "$rw" "$bs" "$qd" "$luns" "$sessions" >>/out/raw.tsv
	printf '%s\t%s\n' "${counts// /$'\t'}" $SYMBOLS >>/out/raw.tsv
	note "$target $path $rw $bs qd $qd, $luns luns, $sessions sessions:" \
		"$(awk '{ printf "%.0f instructions per I/O, %d I/Os", $1 / $2, $2 }' <<<"$counts")"
}

# rows_of PREFIX-PATTERN TARGET: what begins so, path by path
rows_of() {
	local path rw bs qd luns sessions at='' next d
	while read -r path rw bs qd luns sessions _ <&9; do
		[[ $path =~ ^($1): ]] || continue
		next="$path $luns $sessions"
		if [ "$next" != "$at" ]; then
			# shellcheck disable=SC2086
			[ -z "$at" ] || path_down $at
			at=$next
			# shellcheck disable=SC2086
			path_up $at
			for d in "${DISKS[@]}"; do quiet_queue "$d"; done
		fi
		measure "$2" "$path" "$rw" "$bs" "$qd" "$luns" "$sessions"
	done 9<"/out/rows"
	# shellcheck disable=SC2086
	[ -z "$at" ] || path_down $at
}

wanted() { grep -Eq "^($1):" /out/rows; }

# symbols: what is where, for the counts by function
symbols() {
	local modules
	modules=$(cut -d ' ' -f 1,6 /proc/modules)
	[ "$modules" != "$MODULES" ] || return 0
	MODULES=$modules
	SYMBOLS=$((SYMBOLS + 1))
	cat /proc/kallsyms >/out/kallsyms.$SYMBOLS
}

# Writeback that its timer starts falls into one window and not into another.
echo 0 >/proc/sys/vm/dirty_writeback_centisecs
modprobe null_blk nr_devices=0
modprobe -a sd_mod sg
: >/out/raw.tsv
if wanted raw; then
	rows_of raw floor
fi
if wanted 'loop|iscsi'; then
	if wanted iscsi; then
		. /tcm/tests/integration/iscsi.inc
		iscsi_initiator
	fi
	for target in stock ours; do
		use_"${target/ours/our}"_target
		modprobe -a target_core_iblock target_core_file tcm_loop
		modprobe -q target_core_rd || :	# a part of the stock core
		if wanted iscsi; then modprobe iscsi_target_mod; fi
		mkdir -p "$CFS/core"
		rows_of 'loop|iscsi' $target
		unload_target
	done
fi
if wanted nvme; then
	modprobe nvme_core multipath=N
	if modprobe -a nvme_fabrics nvmet nvmet_tcp nvme_tcp; then
		modprobe nvme_loop || sed -i '/^nvme:loop/d' /out/rows
		rows_of nvme nvmet
	fi
fi
