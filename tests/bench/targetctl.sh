#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The guest's half of scripts/bench --targetctl: a configuration of many LUNs, each mapped to one
# ACL, saved, cleared and restored by targetctl, into /out/targetctl.tsv in seconds of the guest.
# Most of them are rtslib's own work. An argument: how many.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

count=$1
saved=/tmp/saved.json

# step WHAT COMMAND...
step() {
	local what=$1 begin
	shift
	uptime_cs
	begin=$REPLY
	"$@" || fail "$target: $*"
	uptime_cs
	printf '%s\t%s\t%d.%02d\n' "$target" "$what" $(((REPLY - begin) / 100)) $(((REPLY - begin) % 100)) >>/out/targetctl.tsv
	tail -n 1 /out/targetctl.tsv
}

mapped() { find "$CFS/iscsi" -path '*/acls/*/lun_*' -type l 2>/dev/null | wc -l; }

mkdir -p /etc/rtslib-fb-target
for target in stock ours; do
	"use_${target/ours/our}_target"
	modprobe -a iscsi_target_mod
	modprobe -q target_core_rd || :	# a part of the stock core
	targetctl clear		# moves dbroot, which no device must be using
	step "raw configfs: made" python3 -c 'import sys
sys.path.insert(0, "/tcm/tests/conformance")
import os, bulk
os.makedirs(bulk.ACL)
for i in range(int(sys.argv[1])):
    for step in bulk.make_device, bulk.name_device, bulk.make_lun, bulk.make_mapping:
        step(i)' "$count"
	assert_eq "$count" "$(mapped)" "mappings made"
	step "targetctl save" targetctl save $saved
	step "targetctl clear" targetctl clear
	assert_eq 0 "$(mapped)" "mappings left"
	step "targetctl restore" targetctl restore $saved
	assert_eq "$count" "$(mapped)" "mappings restored"
	targetctl clear
	unload_target
done
