#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --icount --timeout 180
# kernels: 6.1 6.12-long
#
# Sessions beside one that asks for as much as it can, on one CPU: each of those that ask for little has
# its turn, and as often as the others. A nanosecond of this guest is an instruction.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

use_our_target
modprobe -a sd_mod target_core_rd
rd_device r0
iscsi_initiator
modprobe iscsi_target_mod
iscsi_target_raw $IQN core/rd_mcp_0/r0
iscsi_login node.session.nr_sessions=4
settle
disks=()
for s in /sys/class/iscsi_session/session*; do
	host=$(basename "$(dirname "$(readlink -f "$s/device")")")
	disks+=("$(scsi_device "${host#host}:0:0:0")")
done
assert_eq 4 ${#disks[@]} "sessions"

# share NAME RW SIZE: what three that have four small reads at a time do, beside one that has 32 at a time
share() {
	local flood=()
	[ "$1" = alone ] || flood=(--name="$1" --filename="/dev/${disks[3]}" --rw="$2" --bs="$3" --iodepth=32)
	fio --direct=1 --ioengine=libaio --time_based --runtime=600ms --ramp_time=200ms --thread \
		--output-format=json --bs=4k --iodepth=4 --rw=randread --name=a --filename="/dev/${disks[0]}" \
		--name=b --filename="/dev/${disks[1]}" --name=c --filename="/dev/${disks[2]}" "${flood[@]}" >/tmp/fio.json ||
		fail "fio: $(cat /tmp/fio.json)"
	mapfile -t iops < <(python3 -c 'import json
for job in json.load(open("/tmp/fio.json"))["jobs"]:
    print(int(job["read"]["iops"] + job["write"]["iops"]))')
	note "$*: ${iops[*]} a second"
}

share alone
alone=${iops[0]}
for flood in "streaming read 128k" "storing write 128k" "many randread 4k" "storm randwrite 4k"; do
	# shellcheck disable=SC2086
	share $flood
	for n in "${iops[@]:0:3}"; do
		[ $((n * 5)) -ge "$alone" ] || fail "beside $flood one has $n of $alone"
	done
	[ "${iops[3]}" -gt 0 ] || fail "$flood stands still"
done
iscsi_logout
iscsi_target_del $IQN
rd_device_del r0
unload_target
