#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 120
# kernels: 6.1-long 6.12 debug-long
#
# Links that are pulled while the target closes a connection, and network namespaces that go while one
# is there: what was sent last arrives, no socket stays behind, and discovery names what can be reached.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

loss=/tcm/tests/conformance/iscsi_loss.py
tpg=$CFS/iscsi/$IQN/tpgt_1

# link NAMESPACE N: from here, 10.0.N.1, to there, 10.0.N.2
link() {
	ip netns add "$1"
	ip -n "$1" link set lo up
	ip link add "v$1" type veth peer name "p$1" netns "$1"
	ip addr add "10.0.$2.1/24" dev "v$1"
	ip link set "v$1" up
	ip -n "$1" addr add "10.0.$2.2/24" dev "p$1"
	ip -n "$1" link set "p$1" up
}

sessions_are() { [ "$(grep -c '^session ' "$tpg/sessions")" = "$1" ]; }
# TCP's sockets without a process: closed, and not all of it has arrived
orphans_are() { [ "$(awk '/^TCP:/ { print $5 }' /proc/net/sockstat)" = "$1" ]; }

# closed_unseen: $peer logs in, its link goes, and the target closes
closed_unseen() {
	ip netns exec init $loss 10.0.1.1 end >/tmp/end &
	peer=$!
	wait_for 30 sessions_are 1
	ip -n init link set pinit down
	echo 0 >"$tpg/enable"
	wait_for 10 sessions_are 0
}

iscsi_own_initiator
modprobe -a veth target_core_rd
rd_device disk
iscsi_target_raw $IQN core/rd_mcp_0/disk
link init 1
link side 2

note "the link is away when the target closes: the initiator learns of it when it is back"
closed_unseen
orphans_are 1 || fail "no socket that waits: $(cat /proc/net/sockstat)"
ip -n init link set pinit up
wait $peer || fail "the initiator: $(cat /tmp/end)"
note "$(cat /tmp/end)"
wait_for 30 orphans_are 0
echo 1 >"$tpg/enable"

note "it does not come back: the socket goes in the end"
echo 2 >/proc/sys/net/ipv4/tcp_orphan_retries
closed_unseen
wait_for 60 orphans_are 0
kill $peer
wait $peer || :
ip -n init link set pinit up
echo 1 >"$tpg/enable"

note "a portal in another network namespace: who is here is not sent there"
nsenter --net=/run/netns/side mkdir "$tpg/np/10.0.2.2:3261"
$loss 127.0.0.1 targets >/tmp/targets
grep -q '^TargetAddress=127.0.0.1:3260,1$' /tmp/targets || fail "$(cat /tmp/targets)"
! grep -q 10.0.2.2 /tmp/targets || fail "$(cat /tmp/targets)"

note "the portal goes, and the namespace's name: the session stays"
rmdir "$tpg/np/10.0.2.2:3261"
nsenter --net=/run/netns/side mkdir "$tpg/np/10.0.2.2:3260"
rm -f /tmp/enough
$loss 10.0.2.2 go >/tmp/go &
peer=$!
wait_for 30 sessions_are 1
rmdir "$tpg/np/10.0.2.2:3260"
ip netns del side
nap 1
touch /tmp/enough
wait $peer || fail "the session: $(cat /tmp/go)"
note "$(cat /tmp/go)"
wait_for 10 sessions_are 0

iscsi_target_del $IQN
rd_device_del disk
ip netns del init
unload_target
