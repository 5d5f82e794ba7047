#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 300 --mem 1536M
# kernels: 6.1-long 6.12 debug-long
#
# One disk by two portals, each behind a link of its own, under dm-multipath: a link is pulled and put
# back while fio writes and verifies; it goes on by the other one, and by both when the link is there.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

# link N: from here to where the target is; the session over it is to 10.0.N.2
link() {
	ip link add "v$1" type veth peer name "t$1" netns target
	ip addr add "10.0.$1.1/24" dev "v$1"
	ip link set "v$1" up
	ip -n target addr add "10.0.$1.2/24" dev "t$1"
	ip -n target link set "t$1" up
	nsenter --net=/run/netns/target mkdir "$TPG/np/10.0.$1.2:3260"
}

# session N: prints the disk that it brings
session() {
	local node=(iscsiadm -m node -T "$IQN" -p "10.0.$1.2:3260") set s
	"${node[@]}" -o new >/dev/null
	for set in node.session.timeo.replacement_timeout=2 node.conn[0].timeo.noop_out_interval=1 \
		node.conn[0].timeo.noop_out_timeout="$VM_SLOW"; do
		"${node[@]}" -o update -n "${set%=*}" -v "${set#*=}"
	done
	"${node[@]}" --login >/dev/null
	for s in /sys/class/iscsi_session/session*; do
		[ "$(cat "$s"/device/connection*/iscsi_connection/*/persistent_address)" = "10.0.$1.2" ] || continue
		s=$(readlink -f "$s/device")
		s=${s%/session*}
		scsi_device "${s##*/host}:0:0:0"
	done
}

path_is() { multipathd show paths format "%d %t" | grep -Eq "^$1 +$2"; }
writes() { awk '{ print $5 }' "/sys/block/$1/stat"; }
grown() { [ "$(writes "$1")" -ge "$2" ]; }
# writes_by DISK: from now on, some more
writes_by() {
	local before
	before=$(writes "$1")
	wait_for 60 grown "$1" $((before + 20))
	kill -0 "$fio" || fail "fio has ended: $(cat /tmp/fio.out)"
}
sessions_are() { [ "$(grep -c '^session ' "$TPG/sessions")" = "$1" ]; }

use_our_target
modprobe -a sd_mod sg veth dm_multipath dm_round_robin iscsi_target_mod target_core_rd
ip netns add target
ip -n target link set lo up
iscsi_initiator
rd_device shared
TPG=$CFS/iscsi/$IQN/tpgt_1
mkdir -p "$TPG"
for pair in authentication=0 generate_node_acls=1 demo_mode_write_protect=0; do
	echo "${pair#*=}" >"$TPG/attrib/${pair%=*}"
done
mkdir "$TPG/lun/lun_0"
ln -s "$CFS/core/rd_mcp_0/shared" "$TPG/lun/lun_0/link"
for n in 1 2; do link $n; done
echo 1 >"$TPG/enable"

cat >/etc/multipath.conf <<-END
	defaults {
		find_multipaths no
		user_friendly_names yes
		polling_interval 1
		max_polling_interval 1
	}
	overrides {
		path_grouping_policy multibus
		path_selector "round-robin 0"
		path_checker tur
		no_path_retry 60
	}
	blacklist {
		devnode "^vd"
	}
END
mkdir -p /etc/multipath
multipathd
wait_for 30 multipathd show daemon
declare -A DISK
for n in 1 2; do DISK[$n]=$(session $n); done
for n in 1 2; do wait_for 60 path_is "${DISK[$n]}" active; done
wait_block /dev/mapper/mpatha 60
assert_eq 1 "$(dmsetup ls --target multipath | wc -l)" "maps"

fio --name=multi --filename=/dev/mapper/mpatha --size=32M --rw=randwrite --bs=4k --direct=1 --ioengine=libaio \
	--iodepth=8 --rate_iops=150 --verify=crc32c --verify_backlog=256 --verify_fatal=1 --verify_state_save=0 \
	--time_based --runtime=1000 >/tmp/fio.out 2>&1 &
fio=$!
for n in 1 2; do writes_by "${DISK[$n]}"; done

rounds=${TCM_LONG:+10}
for round in $(seq "${rounds:-2}"); do
	for n in 1 2; do
		other=$((3 - n))
		note "link $n is pulled"
		ip -n target link set t$n down
		wait_for 60 path_is "${DISK[$n]}" failed
		writes_by "${DISK[$other]}"
		note "and put back"
		ip -n target link set t$n up
		wait_for 60 path_is "${DISK[$n]}" active
		for d in "${DISK[@]}"; do writes_by "$d"; done
		wait_for 60 sessions_are 2
	done
	note "round $round is over"
done
# fio says of itself that it was ended by a signal, whatever came of it
kill -INT $fio
wait $fio || :
grep -q 'err= 0:' /tmp/fio.out || fail "fio: $(cat /tmp/fio.out)"
grep -q 'issued rwts: total=[1-9]' /tmp/fio.out || fail "nothing was verified: $(cat /tmp/fio.out)"

# it may be gone before it has answered
multipathd shutdown || pkill multipathd || :
wait_for 30 eval '! pidof multipathd'
wait_for 30 dmsetup remove mpatha
for n in 1 2; do
	iscsiadm -m node -T $IQN -p "10.0.$n.2:3260" --logout >/dev/null
	iscsiadm -m node -T $IQN -p "10.0.$n.2:3260" -o delete
done
pkill iscsid
wait_for 20 eval '! pidof iscsid'
iscsi_target_del $IQN
rd_device_del shared
ip netns del target
unload_target
