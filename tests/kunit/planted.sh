#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The guest's part of scripts/check-gate: commit the bug that is named, or none.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

case $1 in
none) modprobe tcm_planted ;;
assertion)
	modprobe tcm_planted
	cat /sys/kernel/debug/kunit/tcm_planted/results >/out/ktap
	;;
script) assert_eq 1 2 "a planted assertion" ;;
*)
	modprobe tcm_planted
	echo "$1" >/sys/module/tcm_planted/parameters/run
	;;
esac
rmmod tcm_planted
assert_no_leaks
