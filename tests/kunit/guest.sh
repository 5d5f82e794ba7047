#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The guest's part of scripts/kunit: load the suites, which runs them; hand out results and coverage.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

[ -d /sys/kernel/debug/kunit ] || skip "a kernel without KUnit"
mkdir -p /out/coverage
modprobe tcm_kunit || note "tcm_kunit does not load"
for suite in /sys/kernel/debug/kunit/tcm_*/results; do
	cat "$suite"
done >/out/ktap
gcov=/sys/kernel/debug/gcov
if [ -d $gcov ]; then
	# /sys/kernel/debug/gcov/<the build's folder>/tree/core/x.gcda, in few processes
	cd "$(find $gcov -type d -name tree | head -n 1)"
	find . -name '*.gcda' -print0 | xargs -0 cp --parents --no-preserve=all -t /out/coverage
	cd /
fi
[ ! -d /sys/module/tcm_kunit ] || rmmod tcm_kunit
rmmod iscsi_target_mod
rmmod target_core_mod
assert_no_leaks
