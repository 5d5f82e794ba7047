#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's part of `cut`: look at what the last power cut left, register until the next.
#   guest.sh first|next|last MILLISECONDS
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

log=/share/log
disk=${VM_DISKS%% *}
acks() { [ "$(grep -c ack $log)" -gt "$1" ]; }

modprobe ext4
[ "$1" != first ] || mkfs.ext4 -q "$disk"
[ "$1" != first ] || touch $log
mkdir -p /run/dbroot
mount -t ext4 "$disk" /run/dbroot
use_our_target
modprobe -a tcm_loop target_core_rd sd_mod sg
[ "$1" = first ] || /tcm/tests/conformance/aptpl.py verify /run/dbroot $log
if [ "$1" = last ]; then
	unload_target
	umount /run/dbroot
	exit 0
fi
before=$(grep -c ack $log || :)
/tcm/tests/conformance/aptpl.py storm /run/dbroot $log >/tmp/storm 2>&1 &
wait_for 60 acks "$before"
nap "$(printf '%d.%03d' $(($2 / 1000)) $(($2 % 1000)))"
kill -0 $! || fail "the storm is over: $(cat /tmp/storm)"
power_cut
