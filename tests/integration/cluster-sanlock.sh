#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 400 --rootfs cluster
# kernels: 6.1 6.12-long
#
# sanlock on two nodes of a cluster: leases on a shared disk are one node's at a time. With
# TCM_LONG=1, too, a node dies and the other takes its lease: that is more than a minute's wait.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc
. /tcm/tests/integration/cluster.inc

SHARED=core/rd_mcp_0/shared
RES=LS:RES:/mnt/shared:1048576
ROUNDS=${TCM_LONG:+50}
ROUNDS=${ROUNDS:-5}

# sanlock_start NODE HOST-ID: the daemon, and into the lockspace; patience of a second for I/O
sanlock_start() {
	note "sanlock on $1"
	node "$1" sanlock daemon -w 0 -h 0 -l 0 -U root -G root -e "$1"
	wait_for 20 node "$1" sanlock client status
	# that takes its time: a host listens whether there is another of its number
	node "$1" sanlock client add_lockspace -s "LS:$2:/mnt/shared:0" -o 1
}

# holds NODE: takes the lease and keeps it until let_go
holds() {
	rm -f "/tmp/held.$1"
	nsenter --target "${NODE[$1]}" --mount sanlock client command -r $RES -c \
		/bin/bash -c "touch /tmp/held.$1; exec sleep 10000" >"/tmp/sanlock.$1" 2>&1 &
	HOLDER=$!
	wait_for 30 test -e "/tmp/held.$1"
	note "$1 has the lease"
}
let_go() {
	kill $HOLDER
	wait $HOLDER || :
}

# refused NODE: the lease is somebody else's
refused() {
	if node "$1" sanlock client command -r $RES -c /bin/true >/tmp/out 2>&1; then
		fail "$1 has a lease that is somebody else's"
	fi
	note "$1 is refused: $(tail -n 1 /tmp/out)"
}
taken() { node "$1" sanlock client command -r $RES -c /bin/true; }

# counter NODE: adds one to a number on the disk, under the lease, so many times
counter() {
	node "$1" bash -c '
		set -e
		for ((i = 0; i < $1; i++)); do
			until sanlock client command -r "$0" -c /tmp/count >/dev/null 2>&1; do sleep 0.2; done
		done' "$RES" "$ROUNDS"
}

use_our_target
modprobe -a target_core_rd sd_mod sg
iscsi_initiator
rd_device shared
iscsi_target_raw $IQN $SHARED
for n in n1 n2; do
	iscsi_node $n
	node_new $n
	node_disk $n "$(iscsi_node_disk $n)" shared
done
node n1 sanlock direct init -s LS:0:/mnt/shared:0
node n1 sanlock direct init -r $RES
sanlock_start n1 1 &
one=$!
sanlock_start n2 2
wait $one

note "one has the lease"
holds n1
refused n2
let_go
wait_for 30 taken n2
holds n2
refused n1
let_go
wait_for 30 taken n1

note "both count, $ROUNDS times each"
cat >/tmp/count <<-'END'
	#!/bin/bash
	set -eo pipefail
	n=$(dd if=/mnt/shared bs=512 skip=65536 count=1 iflag=direct status=none | tr -d '\0')
	printf '%s' $((n + 1)) | dd of=/tmp/number.$$ bs=512 conv=sync status=none
	dd if=/tmp/number.$$ of=/mnt/shared bs=512 seek=65536 count=1 oflag=direct status=none
END
chmod +x /tmp/count
counter n1 &
one=$!
counter n2
wait $one
assert_eq $((2 * ROUNDS)) "$(dd if=/dev/"$(iscsi_node_disk n1)" bs=512 skip=65536 count=1 iflag=direct \
	status=none | tr -d '\0')" "what they counted"

if [ -n "${TCM_LONG:-}" ]; then
	note "a node dies"
	holds n1
	kill -9 "$(node n1 cat /run/sanlock/sanlock.pid)" $HOLDER
	refused n2
	# eight times a second without a sign of life, and the minute of a watchdog
	wait_for 120 taken n2
	note "n2 has taken its lease"
else
	node n1 sanlock client shutdown -f 1
fi
node n2 sanlock client shutdown -f 1

wait_for 30 eval '! pidof sanlock'
nodes_end
iscsi_node_end n1
iscsi_node_end n2
iscsi_target_del $IQN
rd_device_del shared
unload_target
