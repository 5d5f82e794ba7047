#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 300 --rootfs cluster --mem 1536M
# kernels: 6.1 6.12-long
#
# fence_mpath: a node has a disk by two loopback ports under dm-multipath, the other one by a port of its
# own. Who is fenced by its reservation_key is refused on each of its paths, and is let in again.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc
. /tcm/tests/integration/cluster.inc

SHARED=core/rd_mcp_0/shared
declare -A DISK=()
AGENT+=([n1]='fence_mpath -d /dev/mapper/n1 -n')
# WWN and nexus of each port: two of n1, one of n2
WWN=(naa.5001405c2a000011 naa.5001405c2a000012 naa.5001405c2a000021)
NEXUS=(naa.5001405c2aff0011 naa.5001405c2aff0012 naa.5001405c2aff0021)

# multipathd of n1, and its map of $a and $b, which has its key
multipath_begin() {
	local wwid
	wwid=$(/lib/udev/scsi_id -g -u "/dev/$a")
	cat >/etc/multipath.conf <<-END
		defaults {
			find_multipaths no
			user_friendly_names no
			polling_interval 1
			max_polling_interval 1
			reservation_key 0xa1
		}
		overrides {
			path_grouping_policy multibus
			path_checker tur
			no_path_retry 60
		}
		blacklist {
			devnode ".*"
		}
		blacklist_exceptions {
			devnode "^($a|$b)\$"
		}
		multipaths {
			multipath {
				wwid $wwid
				alias n1
			}
		}
	END
	mkdir -p /etc/multipath
	node n1 multipathd
	wait_for 30 node n1 multipathd show daemon
	wait_block /dev/mapper/n1 60
	for d in "$a" "$b"; do wait_for 60 path_active "$d"; done
}
path_active() { node n1 multipathd show paths format "%d %t" | grep -Eq "^$1 +active"; }
gone() { ! node n1 multipathd show daemon; }

# registered KEY N: so many nexuses have it
registered() {
	assert_eq "$2" "$(sg_persist -n -i -k "/dev/$c" | awk -v key="0x$1" '$1 == key { n++ } END { print n + 0 }')" \
		"registrations of $1"
}

# n1 writes by each of its paths, behind where the writers do
both_paths() {
	for d in "$a" "$b"; do
		dd if=/dev/zero of="/dev/$d" bs=4k count=1 seek=15000 oflag=direct conv=notrunc status=none
	done
}

use_our_target
modprobe -a tcm_loop target_core_rd sd_mod sg dm_multipath dm_round_robin scsi_dh_alua
rd_device shared
for n in n1 n2; do node_new $n; done
a=$(loop_node "${WWN[0]}" "${NEXUS[0]}" $SHARED)
b=$(loop_node "${WWN[1]}" "${NEXUS[1]}" $SHARED)
c=$(loop_node "${WWN[2]}" "${NEXUS[2]}" $SHARED)
for d in "$a" "$b" "$c"; do wait_for 30 blockdev --getss "/dev/$d"; done
settle
multipath_begin
DISK=([n1]=$(basename "$(readlink -f /dev/mapper/n1)") [n2]=$c)
for n in n1 n2; do node_disk $n "${DISK[$n]}" shared; done

note "two nodes come"
fence n1 a1 on
fence n2 a2 on
registered a1 2
registered a2 1
status n1 a2 ON
status n2 a1 ON
assert_match 'Key=0xa1.*Write Exclusive, registrants only' "$(sg_persist -n -i -r "/dev/$c" | tr '\n' ' ')"
both_paths
for n in n1 n2; do writer $n ${n#n}; done

note "who has two paths, and the reservation, is fenced"
fence n2 a1 off
stopped n1 /mnt/shared "/dev/$a" "/dev/$b"
goes_on n2
registered a1 0
status n2 a1 OFF
rc=0
node n1 /usr/share/cluster/fence_mpath_check || rc=$?
assert_eq 2 $rc "what the watchdog of the fenced node is told"
# paths that fail and come back are not registered for who was fenced
for d in "$a" "$b"; do
	node n1 multipathd fail path "$d"
	node n1 multipathd reinstate path "$d"
	wait_for 60 path_active "$d"
done
registered a1 0

note "and comes back, by both paths"
fence n1 a1 on
registered a1 2
both_paths
writer n1 1
node n1 /usr/share/cluster/fence_mpath_check

note "it fences the other one"
fence n1 a2 off
stopped n2 /mnt/shared
goes_on n1
registered a2 0
registered a1 2
status n1 a2 OFF
fence n2 a2 on
writer n2 2
goes_on n1
for n in n1 n2; do writer_end $n; done
sg_persist -n -o -C -K a2 "/dev/$c"

# it may be gone before it has answered
node n1 multipathd shutdown || :
wait_for 30 gone
wait_for 30 dmsetup remove n1
nodes_end
for w in "${WWN[@]}"; do loop_node_del "$w"; done
rd_device_del shared
unload_target
