#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The guest's part of scripts/check-gate: commit the bugs that are named, or none.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

modprobe tcm_planted
cat /sys/kernel/debug/kunit/tcm_planted/results >/out/ktap
for bug in "$@"; do
	echo "$bug" >/sys/module/tcm_planted/parameters/run
done
rmmod tcm_planted
assert_no_leaks
