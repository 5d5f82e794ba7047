#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 120
# kernels: 6.1 6.12-long debug-long
#
# Initiators in network namespaces of their own, each with its node ACL: they see their own units and
# the one of all, and what they write is theirs. One of them loses its link for a while: the others
# notice nothing, and it goes on where it was.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

tpg=$CFS/iscsi/$IQN/tpgt_1
ALL=(1 2 3)
declare -A pid

# space N: a namespace with a link to here, 10.0.N.1, and a node ACL with LUN 0 of its own
space() {
	local acl=$tpg/acls/$INITIATOR$1
	ip netns add "init$1"
	ip link add "v$1" type veth peer name "p$1" netns "init$1"
	ip addr add "10.0.$1.1/24" dev "v$1"
	ip link set "v$1" up
	ip -n "init$1" addr add "10.0.$1.2/24" dev "p$1"
	ip -n "init$1" link set "p$1" up
	rd_device "own$1" rd_pages=512
	mkdir "$tpg/lun/lun_$1"
	ln -s "$CFS/core/rd_mcp_0/own$1" "$tpg/lun/lun_$1/link"
	mkdir -p "$acl/lun_0" "$acl/lun_1"
	ln -s "$tpg/lun/lun_$1" "$acl/lun_0/link"
	ln -s "$tpg/lun/lun_0" "$acl/lun_1/link"
	echo 1 >"$acl/lun_1/write_protect"
	# these initiators do not answer pings
	echo 0 >"$acl/attrib/nopin_timeout"
	# and data that are on their way may be as long as the link is away
	echo 60 >"$acl/attrib/dataout_timeout"
}

unspace() {
	local acl=$tpg/acls/$INITIATOR$1
	rm "$acl/"lun_{0,1}/link
	rmdir "$acl/"lun_{0,1} "$acl"
	ip netns del "init$1"
}

# connections that belong to a session
sessions_are() { [ "$(grep -c '^session ' "$tpg/sessions")" = "$1" ]; }

# begin N: its initiator writes and verifies until /tmp/enough.N is there; /tmp/enough.N.begun: it does
begin() {
	rm -f "/tmp/enough.$1" "/tmp/enough.$1.begun"
	ip netns exec "init$1" /tcm/tests/conformance/iscsi_spaces.py "10.0.$1.1" "$INITIATOR$1" "$1" \
		"/tmp/enough.$1" >"/tmp/out.$1" 2>&1 &
	pid[$1]=$!
}

# end N: and so it did; sets longest, in hundredths of a second
end() {
	local count seconds
	touch "/tmp/enough.$1"
	wait "${pid[$1]}" || fail "initiator $1: $(cat "/tmp/out.$1")"
	read -r count seconds <"/tmp/out.$1"
	note "initiator $1: $count writes, the longest $seconds s"
	[ "$count" -gt 5 ] || fail "initiator $1 wrote $count times"
	longest=$((10#${seconds/./}))
}

iscsi_own_initiator
modprobe -a veth target_core_rd
rd_device all rd_pages=512
iscsi_target_raw $IQN core/rd_mcp_0/all
cfs_write "iscsi/$IQN/tpgt_1/attrib/generate_node_acls" 0
for n in "${ALL[@]}"; do space "$n"; done

note "three initiators, at once"
for n in "${ALL[@]}"; do begin "$n"; done
for n in "${ALL[@]}"; do wait_for 30 test -e "/tmp/enough.$n.begun"; done
sessions_are 3 || fail "sessions: $(cat "$tpg/sessions")"
nap 2

note "the second loses its link"
ip -n init2 link set p2 down
nap 3
for n in 1 3; do
	end "$n"
	[ "$longest" -lt $((100 * VM_SLOW)) ] || fail "initiator $n waited for $longest hundredths of a second"
done
sessions_are 1 || fail "sessions: $(cat "$tpg/sessions"), initiator 2: $(cat /tmp/out.2)"

note "it is back, and goes on"
ip -n init2 link set p2 up
begin 1
wait_for 30 test -e /tmp/enough.1.begun
end 1
end 2
[ "$longest" -ge 200 ] || fail "initiator 2 has not noticed: $longest hundredths of a second"
wait_for 10 sessions_are 0

note "an initiator in another namespace that is nobody's"
if ip netns exec init1 /tcm/tests/conformance/iscsi_spaces.py 10.0.1.1 "${INITIATOR}4" 4 /tmp/enough.4 >/tmp/out.4 2>&1; then
	fail "initiator 4 was let in"
fi
grep -q 'PermissionError: 0202' /tmp/out.4 || fail "initiator 4: $(cat /tmp/out.4)"

for n in "${ALL[@]}"; do unspace "$n"; done
iscsi_target_del $IQN
for n in "${ALL[@]}"; do rmdir "$CFS/core/rd_mcp_0/own$n"; done
rd_device_del all
unload_target
