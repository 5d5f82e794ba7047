#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The guest's part of scripts/kunit: a block through the backends that need no device, by modules that
# this kernel checks as no other does; load the suites, which runs them; hand out results and coverage.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

# through PLUGIN CONTROL...: it is there again when it is read
through() {
	local disk
	backstore "$1" it "${@:2}"
	disk=$(export_lun "$1" it 0)
	head -c 262144 /dev/urandom >/tmp/block
	dd if=/tmp/block of="/dev/$disk" bs=256k oflag=direct status=none
	dd if="/dev/$disk" bs=256k count=1 iflag=direct status=none | cmp - /tmp/block || fail "$*: what was read"
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	drop_backstore "$1" it
}

[ -d /sys/kernel/debug/kunit ] || skip "a kernel without KUnit"
storage_begin
modprobe -a iscsi_target_mod target_core_pscsi
through fileio fd_dev_name=/tmp/image,fd_dev_size=4194304
through iblock "udev_path=$(null_disk below 4)"
storage_end
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
