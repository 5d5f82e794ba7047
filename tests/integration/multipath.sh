#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 240 --mem 1536M
# kernels: 6.1 6.12-long debug-long
#
# One disk over two loopback ports under dm-multipath: scsi_dh_alua follows access states, by itself
# and by SET TARGET PORT GROUPS, while fio writes and verifies; a path fails and comes back;
# mpathpersist reserves by all paths at once.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

A=naa.5001405a1a000001 B=naa.5001405a1a000002 C=naa.5001405a1a000003
DEV=$CFS/core/rd_mcp_0/disk

# port WWN NEXUS: a loopback port whose LUN 0 is the disk; its name is printed
port() {
	local tpg=$CFS/loopback/$1/tpgt_1
	mkdir -p "$tpg"
	echo "$2" >"$tpg/nexus"
	mkdir "$tpg/lun/lun_0"
	ln -s "$DEV" "$tpg/lun/lun_0/link"
}

unport() {
	rm "$CFS/loopback/$1/tpgt_1/lun/lun_0/link"
	rmdir "$CFS/loopback/$1/tpgt_1/lun/lun_0" "$CFS/loopback/$1/tpgt_1" "$CFS/loopback/$1"
}

# port_disk WWN
port_disk() {
	local disk
	disk=$(loop_lun_device "$1" 0)
	wait_for 30 blockdev --getss "/dev/$disk" >/dev/null
	echo "$disk"
}

# state GROUP NUMBER: an access state that the target takes by itself
state() { echo "$2" >"$DEV/alua/$1/alua_access_state"; }
state_is() { [ "$(cat "$DEV/alua/$1/alua_access_state")" = "$2" ]; }

# path_is DISK STATE: what device mapper thinks of a path
path_is() { multipathd show paths format "%d %t" | grep -Eq "^$1 +$2"; }

# detached NUMBER: so many paths have left scsi_dh_alua, with the last who had them open
detached() { [ "$(dmesg | grep -c 'alua: Detached')" = "$1" ]; }

# writes DISK: how many it has completed
writes() { awk '{ print $5 }' "/sys/block/$1/stat"; }

# show: how things are
show() {
	multipath -ll
	grep . "$DEV"/alua/*/alua_access_state "$DEV"/alua/*/alua_access_status
	tail -n 5 /tmp/fio.out
}

# moves_to DISK OTHER: from now on I/O takes that path and not the other; some that was under way
# may end there
moves_to() {
	wait_for 60 dd if=/dev/zero of=/dev/mapper/multi bs=4k count=1 seek=$SCRATCH oflag=direct status=none
	(wait_for 60 quiet "$2") || {
		show
		fail "I/O still goes by $2"
	}
	local before
	before=$(writes "$1")
	wait_for 30 grown "$1" $((before + 20))
	note "I/O goes by $1"
}
grown() { [ "$(writes "$1")" -ge "$2" ]; }
quiet() {
	local before
	before=$(writes "$1")
	nap 0.5
	[ "$(writes "$1")" = "$before" ]
}

modprobe -a sd_mod sg dm_multipath dm_round_robin scsi_dh_alua
use_our_target
modprobe -a tcm_loop target_core_rd
mkdir -p "$DEV"
echo rd_pages=16384 >"$DEV/control"
echo multipath-1 >"$DEV/wwn/vpd_unit_serial"
echo 1 >"$DEV/enable"
SCRATCH=15000
# Request-based device mapper dispatches below RCU to a queue that may sleep, as ours says it does. We
# do not, there; a kernel that looks at what the queue says complains all the same.
mode=
[ ! -e "$KMEMLEAK" ] || mode='features "2 queue_mode bio"'
cat >/etc/multipath.conf <<-END
	defaults {
		find_multipaths no
		user_friendly_names no
		polling_interval 1
		max_polling_interval 1
		reservation_key file
	}
	overrides {
		path_grouping_policy group_by_prio
		path_selector "round-robin 0"
		prio alua
		path_checker tur
		failback immediate
		no_path_retry 60
		$mode
	}
	blacklist {
		devnode "^vd"
	}
	multipaths {
		multipath {
			wwid WWID
			alias multi
		}
	}
END
# paths TYPE: the disk appears by both ports, the second in standby
paths() {
	for group in default_tg_pt_gp second; do echo "$1" >"$DEV/alua/$group/alua_access_type"; done
	state default_tg_pt_gp 0
	state second 2
	port $A naa.5001405a1aff0001
	port $B naa.5001405a1aff0002
	echo second >"$CFS/loopback/$B/tpgt_1/lun/lun_0/alua_tg_pt_gp"
	a=$(port_disk $A)
	b=$(port_disk $B)
}

fio_begin() {
	note "fio begins"
	fio --name=multi --filename=/dev/mapper/multi --size=32M --rw=randwrite --bs=4k --direct=1 --ioengine=libaio \
		--iodepth=8 --rate_iops=150 --verify=crc32c --verify_backlog=256 --verify_fatal=1 --verify_state_save=0 \
		--time_based --runtime=1000 >/tmp/fio.out 2>&1 &
	fio=$!
}

# fio says of itself that it was ended by a signal, whatever came of it
fio_end() {
	kill -INT $fio
	wait $fio || :
	grep -q 'err= 0:' /tmp/fio.out || fail "fio: $(cat /tmp/fio.out)"
	grep -q 'issued rwts: total=[1-9]' /tmp/fio.out || fail "nothing was verified: $(cat /tmp/fio.out)"
}

mkdir "$DEV/alua/second"
echo 1 >"$DEV/alua/second/tg_pt_gp_id"
paths 1
wwid=$(/lib/udev/scsi_id -g -u "/dev/$a")
assert_eq "$wwid" "$(/lib/udev/scsi_id -g -u "/dev/$b")" "one disk by two ports"
sed -i "s/WWID/$wwid/" /etc/multipath.conf
mkdir -p /etc/multipath /run/multipathd
multipathd
wait_for 30 multipathd show daemon
wait_block /dev/mapper/multi 60
for d in "$a" "$b"; do wait_for 60 path_is "$d" active; done
fio_begin
moves_to "$a" "$b"

note "the target changes states: the other path is the one"
state second 0
state default_tg_pt_gp 2
moves_to "$b" "$a"
note "and back"
state default_tg_pt_gp 0
state second 2
moves_to "$a" "$b"
fio_end

note "explicit: scsi_dh_alua asks for the other path by SET TARGET PORT GROUPS when one fails"
for wwn in $A $B; do unport "$wwn"; done
wait_gone "/sys/block/$a"
wait_gone "/sys/block/$b"
# scsi_dh_alua would take a group for the one that it knew, by a path that is gone
wait_for 60 detached 2
paths 3
for d in "$a" "$b"; do wait_for 60 path_is "$d" active; done
fio_begin
moves_to "$a" "$b"
echo 1 >"$CFS/loopback/$A/tpgt_1/lun/lun_0/alua_tg_pt_offline"
moves_to "$b" "$a"
state_is second 0 || fail "nobody asked for the second group"
assert_eq "Altered by Explicit STPG" "$(cat "$DEV/alua/second/alua_access_status")"
note "it comes back"
echo 0 >"$CFS/loopback/$A/tpgt_1/lun/lun_0/alua_tg_pt_offline"
wait_for 60 path_is "$a" active
fio_end

note "mpathpersist"
for d in "$a" "$b"; do wait_for 60 path_is "$d" active; done
port $C naa.5001405a1aff0003
c=$(port_disk $C)
wait_for 30 path_is "$c" active
wait_for 30 multipathd del path "$c"
mpathpersist --out --register --param-sark=0x123abc /dev/mapper/multi
assert_eq 2 "$(sg_persist -n -i -s "/dev/$c" | grep -c 'Key=0x123abc')" "both paths are registered"
mpathpersist --out --reserve --param-rk=0x123abc --prout-type=5 /dev/mapper/multi
assert_match 'Key = 0x123abc' "$(mpathpersist -i -r /dev/mapper/multi)"
for d in "$a" "$b" mapper/multi; do dd if=/dev/zero of="/dev/$d" bs=4k count=1 oflag=direct status=none; done
assert_fails dd if=/dev/zero of="/dev/$c" bs=4k count=1 oflag=direct status=none
mpathpersist --out --release --param-rk=0x123abc --prout-type=5 /dev/mapper/multi
dd if=/dev/zero of="/dev/$c" bs=4k count=1 oflag=direct status=none
mpathpersist --out --register --param-rk=0x123abc /dev/mapper/multi
! sg_persist -n -i -s "/dev/$c" | grep 'Key=' || fail "somebody is registered yet"

# it may be gone before it has answered
multipathd shutdown || pkill multipathd || :
wait_for 30 eval '! pidof multipathd'
wait_for 30 dmsetup remove multi
for wwn in $A $B $C; do unport "$wwn"; done
rmdir "$DEV/alua/second" "$DEV" "${DEV%/*}"
unload_target
