#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# One cycle of pr-cut: verify what the last power cut left, register until the next.
#   pr-cut-guest.sh first|next|last MILLISECONDS
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

disk=${VM_DISKS%% *}
[ "$1" != first ] || mkfs.ext4 -q "$disk"
mkdir -p /run/dbroot
mount -t ext4 "$disk" /run/dbroot
use_our_target
modprobe -a tcm_loop target_core_rd sd_mod sg
[ "$1" = first ] || /tcm/tests/conformance/aptpl.py verify /run/dbroot /share/log
if [ "$1" = last ]; then
	unload_target
	umount /run/dbroot
	exit 0
fi
/tcm/tests/conformance/aptpl.py storm /run/dbroot /share/log >/tmp/storm 2>&1 &
wait_for 60 grep -q ready /tmp/storm
wait_for 60 grep -q ack /share/log
nap "$(printf '%d.%03d' $(($2 / 1000)) $(($2 % 1000)))"
power_cut
