#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's part of `cut`: look at what the last power cut left, register and write until the next.
#   guest.sh first|next|last MILLISECONDS
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

# the files of the units have a file system of their own: what registrations make last there, must
# not make their data last, too
log=/share/log
data=/share/data
read -r root_disk data_disk <<<"$VM_DISKS"
acks() { [ "$(grep -c ack $log)" -gt "$1" ] && [ "$(grep -c ack $data)" -gt "$2" ]; }

modprobe ext4
if [ "$1" = first ]; then
	mkfs.ext4 -q "$root_disk"
	mkfs.ext4 -q "$data_disk"
	touch $log $data
fi
mkdir -p /run/dbroot /run/data
mount -t ext4 "$root_disk" /run/dbroot
mount -t ext4 "$data_disk" /run/data
use_our_target
modprobe -a tcm_loop target_core_rd target_core_file sd_mod sg
if [ "$1" != first ]; then
	grep -c try $data >>/share/writes
	/tcm/tests/conformance/aptpl.py verify /run/dbroot $log
	/tcm/tests/conformance/lasting.py verify /run/data $data
fi
if [ "$1" = last ]; then
	unload_target
	umount /run/dbroot /run/data
	exit 0
fi
before=$(grep -c ack $log || :) data_before=$(grep -c ack $data || :)
/tcm/tests/conformance/aptpl.py storm /run/dbroot $log >/tmp/storm 2>&1 &
storm=$!
wait_for 60 acks "$before" -1
/tcm/tests/conformance/lasting.py storm /run/data $data >/tmp/data-storm 2>&1 &
wait_for 60 acks "$before" "$data_before"
nap "$(printf '%d.%03d' $(($2 / 1000)) $(($2 % 1000)))"
kill -0 $! || fail "the storm of writes is over: $(cat /tmp/data-storm)"
kill -0 $storm || fail "the storm of registrations is over: $(cat /tmp/storm)"
power_cut
