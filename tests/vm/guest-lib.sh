# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# What a guest script sources first:
#
#	set -euo pipefail
#	. /tcm/tests/vm/guest-lib.sh
#
# Every wait here has a deadline and says what it waited for.

KREL=$(uname -r)
CFS=/sys/kernel/config/target

# ---- saying and asserting -------------------------------------------------

# note TEXT...: progress, stamped with the guest's clock
note() {
	local up
	read -r up _ </proc/uptime
	printf '[%8s] %s\n' "$up" "$*"
}

# fail TEXT...: end the script here, as a failure, naming the line that asked
fail() {
	local i
	printf 'FAIL: %s\n' "$*"
	for ((i = 1; i < ${#FUNCNAME[@]}; i++)); do
		printf '    at %s:%s %s\n' "${BASH_SOURCE[$i]}" "${BASH_LINENO[$((i - 1))]}" "${FUNCNAME[$i]}"
	done
	exit 1
}

# skip TEXT...: end the script, as neither passed nor failed
skip() {
	printf 'SKIP: %s\n' "$*"
	exit 77
}

# Under `set -e` a command that fails ends the script: say which one did.
trap 'rc=$?; printf "FAIL: %s:%s: \"%s\" gave %s\n" "${BASH_SOURCE[0]}" "$LINENO" "$BASH_COMMAND" "$rc"' ERR
set -E

# assert_eq WANT GOT [TEXT...]
assert_eq() {
	[ "$1" = "$2" ] || fail "${*:3}: wanted \"$1\", got \"$2\""
}

# assert_match REGEX GOT [TEXT...]
assert_match() {
	[[ $2 =~ $1 ]] || fail "${*:3}: wanted a match of \"$1\", got \"$2\""
}

# assert_fails COMMAND...: the command must fail, and its output is kept quiet
assert_fails() {
	if "$@" >/dev/null 2>&1; then fail "did not fail: $*"; fi
}

# assert_within SECONDS COMMAND...: the command must succeed in that time
assert_within() {
	local limit=$1 rc=0
	shift
	timeout -k 5 "$limit" "$@" || rc=$?
	[ $rc != 124 ] && [ $rc != 137 ] || fail "not done after $limit s: $*"
	[ $rc = 0 ] || fail "gave $rc: $*"
}

# ---- waiting --------------------------------------------------------------

# wait_for SECONDS COMMAND...: until the command succeeds; the command may be a
# function. Its output is not shown.
wait_for() {
	local up end limit=$1
	shift
	read -r up _ </proc/uptime
	end=$((${up%.*} + limit))
	until "$@" >/dev/null 2>&1; do
		read -r up _ </proc/uptime
		[ "${up%.*}" -le "$end" ] || fail "waited $limit s for: $*"
		read -rt 0.05 <> <(:) || :
	done
}

is_block() { [ -b "$1" ]; }
is_gone() { [ ! -e "$1" ]; }

# wait_block DEVICE [SECONDS], wait_gone PATH [SECONDS]
wait_block() { wait_for "${2:-20}" is_block "$1"; }
wait_gone() { wait_for "${2:-20}" is_gone "$1"; }

# ---- services -------------------------------------------------------------

# targetcli wants a system bus
start_dbus() {
	[ ! -S /run/dbus/system_bus_socket ] || return 0
	mkdir -p /run/dbus
	dbus-daemon --system --fork --nopidfile
	wait_for 10 test -S /run/dbus/system_bus_socket
}

# run_targetcli LINE...: one targetcli process for all lines (each process is
# seconds of emulated Python); fails when a line fails
run_targetcli() {
	local out
	start_dbus
	mkdir -p /etc/rtslib-fb-target/backup
	out=$(printf '%s\n' "$@" | targetcli 2>&1) || { echo "$out"; fail "targetcli gave an error"; }
	echo "$out"
	case $out in
	*"Traceback (most recent"*) fail "targetcli died" ;;
	esac
}

# ---- which target ---------------------------------------------------------

# Modules of the stock target that stand where ours would
stock_path() {
	find "/lib/modules/$KREL/kernel/drivers/target" "/lib/modules/$KREL/kernel/drivers/usb/gadget" \
		"/lib/modules/$KREL/kernel/drivers/vhost" -name "$1.ko*" 2>/dev/null | head -n 1
}

# use_stock_target: from here on modprobe finds the kernel's own target, as if
# our modules were not installed
use_stock_target() {
	[ ! -d /sys/module/target_core_mod ] || fail "a target is loaded already"
	if [ -d "/lib/modules/$KREL/updates" ]; then
		mkdir -p /etc/depmod.d
		mv "/lib/modules/$KREL/updates" /root/updates-aside
		depmod -a
	fi
	modprobe target_core_mod
	assert_eq "" "$(cat /sys/module/target_core_mod/version 2>/dev/null | grep '^5\.' || true)" "the stock core was wanted"
}

# use_our_target: the modules under test
use_our_target() {
	[ -e "/lib/modules/$KREL/updates/target_core_mod.ko" ] || fail "our modules are not in this guest"
	modprobe target_core_mod
	assert_match '^[5-9]\.' "$(cat /sys/module/target_core_mod/version)" "our core was wanted"
}

# cfs_write PATH VALUE: write below /sys/kernel/config/target, the error named
cfs_write() {
	printf '%s' "$2" 2>/dev/null >"$CFS/$1" || fail "write of \"$2\" to $1 refused"
}
cfs_read() { cat "$CFS/$1"; }
