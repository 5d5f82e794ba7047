#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's half of scripts/bench for configuration at scale: scale.py for the stock target and
# ours, into /out/scale.tsv. An argument: how many instead of a thousand.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

ulimit -n 4096
ip link set lo up
modprobe crc32c
for target in stock our; do
	use_${target}_target
	modprobe -a iscsi_target_mod
	modprobe -q target_core_rd || :	# a part of the stock core
	mkdir -p "$CFS/core" "$CFS/iscsi"
	python3 /tcm/tests/bench/scale.py "${target/our/ours}" "${1:-1000}" 128 >>/out/scale.tsv ||
		fail "$target"
	unload_target
done
cat /out/scale.tsv
