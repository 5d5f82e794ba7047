#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# A tape drive and a changer: tgt emulates them, the initiator of this guest logs in to it,
# and what it finds goes through the pass-through backend to the loopback port.
# vm: --mem 1G --timeout 240
# kernels: 6.1 6.12-long debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/pscsi.inc

SAME=/tcm/tests/conformance/passthru.py
IQN=iqn.2003-01.org.example.tgt:lib

adm() { tgtadm --lld iscsi "$@"; }
lun() { adm --mode logicalunit --op "$1" --tid 1 --lun "$2" "${@:3}"; }

# the library: drive LUN 1, changer LUN 2 with four slots, media in two
start_tgt() {
	mkdir -p /tmp/vtl
	tgtimg --op new --device-type tape --barcode T00001L1 --size 64 --type data --file /tmp/vtl/T00001L1 >/dev/null
	tgtimg --op new --device-type tape --barcode T00002L1 --size 64 --type data --file /tmp/vtl/T00002L1 >/dev/null
	tgtd -f >/tmp/tgtd.log 2>&1 &
	wait_for 20 tgtadm --lld iscsi --op show --mode target
	adm --op new --mode target --tid 1 -T $IQN
	lun new 1 --device-type tape --bstype ssc --backing-store /tmp/vtl/T00001L1
	lun update 1 --params vendor_id=TCM,product_id=DRIVE,product_rev=1,scsi_sn=DRIVE1,removable=1
	truncate -s 1M /tmp/vtl/library
	lun new 2 --device-type changer --backing-store /tmp/vtl/library
	lun update 2 --params vendor_id=TCM,product_id=LIBRARY,product_rev=1,scsi_sn=LIB1,removable=1
	lun update 2 --params media_home=/tmp/vtl
	lun update 2 --params element_type=1,start_address=1,quantity=1
	lun update 2 --params element_type=4,start_address=256,quantity=1
	lun update 2 --params element_type=4,address=256,tid=1,lun=1
	lun update 2 --params element_type=2,start_address=1024,quantity=4
	lun update 2 --params element_type=2,address=1025,barcode=T00002L1,sides=1
	adm --op bind --mode target --tid 1 -I ALL
	iscsistart -i iqn.2003-01.org.example:guest -t $IQN -g 1 -a 127.0.0.1 -p 3260 >/dev/null 2>&1
}

# one device of a type among those of the initiator: H:C:T:L
of_type() {
	local d
	for d in /sys/class/scsi_device/*; do
		[ "$(cat "$d/device/type")" = "$1" ] && [ "$(cat "$d/device/vendor")" = "TCM     " ] || continue
		basename "$d"
		return
	done
	return 1
}

nst_of() {
	wait_for 30 compgen -G "/sys/class/scsi_device/$1/device/scsi_tape/nst*[0-9]"
	echo "/dev/$(basename "$(compgen -G "/sys/class/scsi_device/$1/device/scsi_tape/nst*[0-9]")")"
}

check_tape() {
	local hctl upper nst pos
	hctl=$(of_type 1)
	note "a tape drive: $hctl"
	ps_create 0 "$(nst_of "$hctl")"
	upper=$(ps_link 0 0)
	nst=$(nst_of "$(sdev_of "$upper")")
	settle
	mt -f "$nst" rewind
	"$SAME" same "$(sg_of "$hctl")" "$upper" few

	note "written and read through the LUN: $nst"
	# whole blocks: tgt is wrong about what a shorter one leaves of the buffer
	head -c $((45 << 16)) /usr/bin/python3.11 >/tmp/a
	head -c 1024000 /usr/bin/bash >/tmp/b
	mt -f "$nst" rewind
	mt -f "$nst" setblk 0
	dd if=/tmp/a of="$nst" bs=64k status=none
	dd if=/tmp/b of="$nst" bs=10k status=none
	mt -f "$nst" rewind
	dd if="$nst" bs=64k status=none | cmp - /tmp/a
	# the filemark between the two: its sense data is what ends the first read
	dd if="$nst" bs=10k status=none | cmp - /tmp/b
	mt -f "$nst" rewind
	mt -f "$nst" fsf 1
	pos=$(mt -f "$nst" status)
	assert_match 'File number=1, block number=0' "$pos" "after a space over one file"
	dd if="$nst" bs=10k status=none | cmp - /tmp/b
	note "the same data below"
	mt -f "$nst" rewind
	dd if="$(nst_of "$hctl")" bs=64k status=none | cmp - /tmp/a
	"$SAME" tape "$(sg_of "$hctl")" "$upper"
	ps_unlink 0
	ps_remove 0
}

check_changer() {
	local hctl upper before
	hctl=$(of_type 8)
	note "a changer: $hctl"
	ps_create 1 "$(sg_of "$hctl")"
	upper=$(ps_link 1 1)
	"$SAME" same "$(sg_of "$hctl")" "$upper" few
	before=$(mtx -f "$upper" status)
	echo "$before"
	assert_match 'Storage Element 2:Full' "$before" "the inventory"
	assert_match 'Storage Element 4:Empty' "$before" "the inventory"
	mtx -f "$upper" transfer 2 4
	assert_match 'Storage Element 4:Full' "$(mtx -f "$upper" status)" "after a move"
	assert_match 'Storage Element 4:Full' "$(mtx -f "$(sg_of "$hctl")" status)" "below, after a move"
	assert_match 'Storage Element 2:Empty' "$(mtx -f "$upper" status)" "after a move"
	# from an empty slot: the changer's own sense
	assert_fails mtx -f "$upper" transfer 2 3
	ps_unlink 1
	ps_remove 1
}

modprobe -a sg st ch sd_mod iscsi_tcp
ip link set lo up
start_tgt
use_our_target
modprobe target_core_pscsi
ps_port
wait_for 30 of_type 1
wait_for 30 of_type 8
lsscsi -g
check_tape
check_changer
ps_port_remove
ps_unload
