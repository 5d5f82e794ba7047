# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a guest script sources first:
#
#	#!/bin/bash
#	set -euo pipefail
#	. /tcm/tests/vm/guest-lib.sh
#
# Every wait here has a deadline, in seconds of an idle machine (a busy host
# makes them longer), and says what it waited for. Words a script
# may use besides: VM_DISKS (the --disk drives, in order), VM_ICOUNT (1 under
# --icount), /out (kept by the host), /share (--share), /tcm (the tree).

KREL=$(uname -r)
CFS=/sys/kernel/config/target
VM_GUEST=/tcm/tests/vm
export TERM=${TERM:-dumb}

# ---- saying and asserting -------------------------------------------------

uptime_cs() {
	local up
	read -r up _ </proc/uptime
	REPLY=$((10#${up/./}))
}

# note TEXT...: progress, stamped with the guest's clock
note() {
	local up
	read -r up _ </proc/uptime
	printf '[%8s] %s\n' "$up" "$*"
}

vm_backtrace() {
	local i
	for ((i = 2; i < ${#FUNCNAME[@]}; i++)); do
		printf '    at %s:%s in %s\n' "${BASH_SOURCE[$i]##*/}" "${BASH_LINENO[$((i - 1))]}" "${FUNCNAME[$i]}"
	done
}

# fail TEXT...: end the script here, as a failure, naming the line that asked
fail() {
	trap - ERR
	printf 'FAIL: %s\n' "$*"
	vm_backtrace
	exit 1
}

# skip TEXT...: end the script, as neither passed nor failed
skip() {
	printf 'SKIP: %s\n' "$*"
	exit 77
}

# Under `set -e` a command that fails ends the script: say which one did.
vm_err() {
	local rc=$? command=$BASH_COMMAND
	trap - ERR
	printf 'FAIL: "%s" gave %s\n' "$command" "$rc"
	vm_backtrace
}
set -E
trap vm_err ERR

# assert_eq WANT GOT [TEXT...]
assert_eq() {
	[ "$1" = "$2" ] || fail "${*:3}: wanted \"$1\", got \"$2\""
}

# assert_match REGEX GOT [TEXT...]
assert_match() {
	[[ $2 =~ $1 ]] || fail "${*:3}: wanted a match of \"$1\", got \"$2\""
}

# assert_fails COMMAND...: the command must fail; its output is dropped
assert_fails() {
	if "$@" >/dev/null 2>&1; then fail "did not fail: $*"; fi
}

# assert_within SECONDS COMMAND...: an executable must succeed in that time
assert_within() {
	local limit=$(($1 * VM_SLOW)) rc=0
	shift
	timeout -k 5 "$limit" "$@" || rc=$?
	case $rc in
	0) ;;
	124 | 137) fail "not done after $limit s: $*" ;;
	*) fail "gave $rc: $*" ;;
	esac
}

# ---- waiting --------------------------------------------------------------

# A pipe nobody writes to: reading it with a time-out sleeps without a process.
exec {VM_NEVER}<> <(:)
nap() { read -rt "$1" -u "$VM_NEVER" _ || :; }

# wait_for SECONDS COMMAND...: until the command succeeds; the command may be a
# function. Its output is not shown.
wait_for() {
	local end limit=$(($1 * VM_SLOW))
	shift
	uptime_cs
	end=$((REPLY + limit * 100))
	until "$@" >/dev/null 2>&1; do
		uptime_cs
		[ "$REPLY" -le "$end" ] || fail "waited $limit s for: $*"
		nap 0.05
	done
}

is_block() { [ -b "$1" ]; }
is_gone() { [ ! -e "$1" ]; }
reads_as() { [ "$(cat "$1" 2>/dev/null)" = "$2" ]; }

# wait_block DEVICE [SECONDS], wait_gone PATH [SECONDS], wait_reads FILE TEXT [SECONDS]
wait_block() { wait_for "${2:-30}" is_block "$1"; }
wait_gone() { wait_for "${2:-30}" is_gone "$1"; }
wait_reads() { wait_for "${3:-30}" reads_as "$1" "$2"; }

# settle: udev has handled all that happened so far
# The daemon was seen to close the connection without an answer ("Broken pipe"): asked once more.
settle() {
	local limit=$((${1:-60} * VM_SLOW))

	udevadm settle --timeout=$limit || udevadm settle --timeout=$limit || fail "udev did not settle"
}

# ---- the kernel log -------------------------------------------------------

# kmsg_mark: kmsg_since prints what the kernel said after the last mark
kmsg_mark() {
	VM_MARK="tcm-test-mark-$RANDOM$RANDOM"
	echo "$VM_MARK" >/dev/kmsg
}
kmsg_since() { dmesg | sed "1,/$VM_MARK/d"; }

# assert_kmsg REGEX: the kernel said it since the mark
assert_kmsg() {
	kmsg_since | grep -Eq -- "$1" || fail "the kernel log lacks \"$1\" since the mark: $(kmsg_since)"
}

# ---- services -------------------------------------------------------------

# start_dbus: targetcli wants a system bus
start_dbus() {
	[ ! -S /run/dbus/system_bus_socket ] || return 0
	dbus-daemon --system --fork --nopidfile
	wait_for 20 test -S /run/dbus/system_bus_socket
}

# run_targetcli LINE...: all lines in one targetcli process (a process is
# seconds of emulated Python); fails when a line does
run_targetcli() {
	local out=/tmp/targetcli.out rc=0
	start_dbus
	printf '%s\n' "$@" | "$VM_GUEST/guest-targetcli" >$out 2>&1 || rc=$?
	cat $out
	[ $rc = 0 ] || fail "targetcli gave an error"
	# what it logs without giving an error
	if grep -q 'Traceback (most recent' $out; then fail "targetcli died"; fi
}

# try_targetcli LINE...: the same, the status is the caller's to judge
try_targetcli() {
	start_dbus
	printf '%s\n' "$@" | "$VM_GUEST/guest-targetcli" 2>&1
}

# ---- which target ---------------------------------------------------------

target_version() { cat /sys/module/target_core_mod/version 2>/dev/null || echo none; }

# use_stock_target: from here on modprobe finds the kernel's own target, as if
# ours were not installed (the image of its modules covers updates/)
use_stock_target() {
	[ ! -d /sys/module/target_core_mod ] || fail "a target is loaded already"
	mountpoint -q /run/vm/stock-modules || fail "no stock modules in this guest"
	[ -n "${VM_STOCK:-}" ] || mount --bind /run/vm/stock-modules "/lib/modules/$KREL"
	VM_STOCK=1
	modprobe target_core_mod
	assert_match '^(none|4\.)' "$(target_version)" "the stock core was wanted"
}

# have_our_target: whether the guest was given modules of ours
have_our_target() { [ -e "/lib/modules/$KREL/updates/target_core_mod.ko" ]; }

# use_our_target: the modules under test
use_our_target() {
	[ ! -d /sys/module/target_core_mod ] || fail "a target is loaded already"
	# lazily: udevd keeps the indexes it read open
	[ -z "${VM_STOCK:-}" ] || umount -l "/lib/modules/$KREL"
	VM_STOCK=
	have_our_target || fail "our modules are not in this guest: build them, or give --modules"
	modprobe target_core_mod
	assert_match '^([5-9]|[1-9][0-9])\.' "$(target_version)" "our core was wanted"
}

# unload_target: every module that hangs on the core, then the core. What the
# configuration leaves behind in configfs goes first; all must unload, once the last command is back.
unload_target() {
	local d m end
	for d in "$CFS"/core/*_[0-9]* "$CFS"/*/; do
		case $d in
		*/core/ | */"*"*) ;;
		*) rmdir "$d" || fail "not empty: $d" ;;
		esac
	done
	uptime_cs
	end=$((REPLY + 9000))	# a device that is offline takes a minute to say so
	while [ -d /sys/module/target_core_mod ] && uptime_cs && [ "$REPLY" -lt $end ]; do
		for m in $(awk '/^target_core_mod /{gsub(",", " ", $4); if ($4 != "-") print $4}' /proc/modules) \
			target_core_mod; do
			rmmod "$m" 2>/dev/null || :
		done
		[ ! -d /sys/module/target_core_mod ] || nap 0.1
	done
	[ ! -d /sys/module/target_core_mod ] || fail "the core does not unload: $(grep ^target_core_mod /proc/modules)"
	assert_no_leaks
}

KMEMLEAK=/sys/kernel/debug/kmemleak

# assert_no_leaks: nothing that was allocated since boot is out of reach (debug kernel only). An
# object counts when it is five seconds old; the first scan only learns what is in it, and the
# second reports it if it has not changed since.
assert_no_leaks() {
	local end
	[ -e $KMEMLEAK ] || return 0
	uptime_cs
	end=$((REPLY + 550))
	while uptime_cs && [ "$REPLY" -lt $end ]; do nap 0.5; done
	echo scan >$KMEMLEAK
	echo scan >$KMEMLEAK
	if [ -n "$(cat $KMEMLEAK)" ]; then
		cat $KMEMLEAK
		fail "$(grep -c '^unreferenced object' $KMEMLEAK) objects leaked"
	fi
}

# ---- configfs -------------------------------------------------------------

# cfs_write PATH VALUE, cfs_read PATH: below /sys/kernel/config/target
cfs_write() {
	printf '%s' "$2" 2>/dev/null >"$CFS/$1" || fail "writing \"$2\" to $1 was refused"
}
cfs_refuses() {
	if printf '%s' "$2" 2>/dev/null >"$CFS/$1"; then fail "writing \"$2\" to $1 was accepted"; fi
}
cfs_read() { cat "$CFS/$1"; }

# ---- disks ----------------------------------------------------------------

# scsi_device H:C:T:L: name of the block device, waited for
scsi_device() {
	wait_for 30 compgen -G "/sys/class/scsi_device/$1/device/block/sd*"
	basename "$(compgen -G "/sys/class/scsi_device/$1/device/block/sd*")"
}

# loop_lun_device WWN LUN: the disk a loopback LUN became, e.g. sda
loop_lun_device() {
	local address
	wait_for 30 test -e "$CFS/loopback/$1/tpgt_1/address"
	address=$(cat "$CFS/loopback/$1/tpgt_1/address")
	scsi_device "$address:$2"
}

# ---- figures --------------------------------------------------------------

# quiet_queue DEV: no scheduler, no merging: each request is counted as issued
quiet_queue() {
	echo none >"/sys/block/$1/queue/scheduler"
	echo 2 >"/sys/block/$1/queue/nomerges"
}

# icount_fio DEV RW BS QD [FIO-OPTION...]: run fio for a second of guest time
# and print "DEV RW BS QD: N instructions per I/O (IOPS)". Under --icount a
# guest nanosecond is an instruction. Sets ICOUNT_INSTR and ICOUNT_IOPS.
icount_fio() {
	local dev=$1 rw=$2 bs=$3 qd=$4
	shift 4
	[ "$VM_ICOUNT" = 1 ] || fail "icount_fio without --icount counts nothing"
	quiet_queue "$dev"
	fio --name=icount --filename="/dev/$dev" --direct=1 --ioengine=io_uring --numjobs=1 \
		--rw="$rw" --bs="$bs" --iodepth="$qd" --time_based --runtime=1s --ramp_time=200ms \
		--randrepeat=1 --output-format=json \
		--output=/tmp/icount.json "$@" || fail "fio on $dev failed"
	ICOUNT_IOPS=$(jq '[.jobs[0].read.iops, .jobs[0].write.iops, .jobs[0].trim.iops] | add' /tmp/icount.json)
	assert_eq 0 "$(jq '.jobs[0].error' /tmp/icount.json)" "fio's error"
	ICOUNT_INSTR=$(awk -v iops="$ICOUNT_IOPS" 'BEGIN { printf "%.0f", 1e9 / iops }')
	printf '%s %s %s qd %s: %s instructions per I/O (%.0f IOPS)\n' \
		"$dev" "$rw" "$bs" "$qd" "$ICOUNT_INSTR" "$ICOUNT_IOPS"
}

# ---- power cuts -----------------------------------------------------------

# power_cut: the guest is gone at once, nothing is synced; `run` given
# --expect-cut then reports success. What was on a --disk FILE stays.
power_cut() {
	dmesg >/out/dmesg
	printf 'cut 1\n' >/out/status
	printf '\0' | dd of=/dev/port bs=1 seek=244 conv=notrunc status=none 2>/dev/null
	echo b >/proc/sysrq-trigger
	nap 60
	fail "still alive after a power cut"
}
