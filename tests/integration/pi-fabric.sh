#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1G --timeout 400
# kernels: 6.1 6.12-long debug-long
#
# Protection information that ends at the target: fabric_prot_type makes devices without look
# protected to nexuses that come up while it is set; what comes with writes is checked and left out,
# what goes with reads is made. By SG_IO, by the disk driver, over iSCSI.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc
. /tcm/tests/integration/iscsi.inc

rc=0
port=${STORAGE_TPG#"$CFS/"}
initiator=naa.5001405b10c00002

# nexus TYPE: fabric_prot_type, and a nexus that comes up with it
nexus() {
	cfs_write "$port/attrib/fabric_prot_type" "$1"
	echo NULL >"$STORAGE_TPG/nexus"
	echo $initiator >"$STORAGE_TPG/nexus"
}

# test_disk DISK TYPE WHAT ARGUMENT...
test_disk() {
	python3 /tcm/tests/conformance/pi_test.py "/dev/$1" --type "$2" --name "$3, type $2" "${@:4}" || rc=1
}

# unprotected DISK: to its initiator there is none
unprotected() {
	scsi_ready "$1"
	assert_eq "$(sg_readcap -l "/dev/$1" | grep -o 'prot_en=[01]')" prot_en=0 "$1"
	sg_inq "/dev/$1" | grep -q 'Protect=0' || fail "$1 says PROTECT: $(sg_inq "/dev/$1")"
	sg_raw -r 520 "/dev/$1" 28 20 00 00 00 00 00 00 01 00 2>/tmp/sg && fail "$1 takes RDPROTECT"
	grep -q 'Illegal Request' /tmp/sg || fail "$(cat /tmp/sg)"
}

# linked PLUGIN NAME, unlinked
linked() {
	disk=$(export_lun "$1" "$2" 0)
	settle
}
unlinked() {
	unexport_lun 0
	wait_gone "/sys/block/$disk"
}

storage_begin
backstore iblock d "udev_path=$(null_disk nullpi 32)"
backstore rd_mcp r rd_pages=4096

note "set too late for a nexus that is there, and gone with the nexus"
cfs_write "$port/attrib/fabric_prot_type" 1
cfs_refuses "$port/attrib/fabric_prot_type" 2
linked iblock d
unprotected "$disk"
# the type is nothing that a FORMAT UNIT could give to such a device
sg_raw "/dev/$disk" 04 80 00 00 00 00 2>/tmp/sg && fail "FORMAT UNIT to a type"
grep -q 'Illegal Request' /tmp/sg || fail "$(cat /tmp/sg)"
unlinked
for type in 1 3; do
	for what in "iblock d" "rd_mcp r"; do
		note "$what, type $type"
		nexus $type
		# shellcheck disable=SC2086
		linked $what
		test_disk "$disk" $type "$what" --fabric --only identity,fabric,whole "$@"
		assert_eq "$(cat "$CFS/core/${what% *}_0/${what#* }/attrib/pi_prot_type")" 0 "the device has none"
		unlinked
	done
done

note "a device with its own keeps it"
cfs_write core/rd_mcp_0/r/attrib/pi_prot_type 1
nexus 3
linked rd_mcp r
test_disk "$disk" 1 "own" --only identity,rw
unlinked
cfs_write core/rd_mcp_0/r/attrib/pi_prot_type 0
nexus 0
linked rd_mcp r
unprotected "$disk"
unlinked
drop_backstore rd_mcp r
drop_backstore iblock d
storage_end

note "iSCSI: with the data, where the initiator asks for it"
use_our_target
iscsi_initiator
rd_device r0 rd_pages=4096
iscsi_target_raw $IQN core/rd_mcp_0/r0
iscsi_login >/dev/null
disk=$(iscsi_disk)
unprotected "$disk"
iscsi_logout >/dev/null
cfs_write "iscsi/$IQN/tpgt_1/attrib/fabric_prot_type" 1
iscsi_login >/dev/null
disk=$(iscsi_disk)
settle
test_disk "$disk" 1 iscsi --fabric --only identity,fabric
# whose driver does not carry it, and works without
dd if=/dev/urandom of="/dev/$disk" bs=64k count=16 oflag=direct status=none || fail "dd over iSCSI"
iscsi_logout >/dev/null
iscsiadm -m node -T $IQN -p $PORTAL -o delete
iscsi_target_del $IQN
rd_device_del r0
unload_target

note "a host that carries it apart from the data"
mkdir -p /run/modprobe.d
echo "options tcm_loop protection=1" >/run/modprobe.d/tcm.conf
storage_begin
backstore iblock d "udev_path=/dev/nullpi"
for type in 1 3; do
	nexus $type
	linked iblock d
	assert_eq "$(cat /sys/block/"$disk"/integrity/format)" "T10-DIF-TYPE$type-CRC" format
	assert_eq "$(cat /sys/block/"$disk"/device/scsi_disk/*/protection_mode)" dix$type "mode of the disk"
	FIO_SPAN=24 fio_verify "$disk" 16
	# the driver makes none: so the target does; and the other way round
	for file in write_generate read_verify; do
		echo 0 >"/sys/block/$disk/integrity/$file"
		head -c 1M /dev/urandom >/tmp/random
		dd if=/tmp/random of="/dev/$disk" bs=64k oflag=direct status=none || fail "dd without $file"
		dd if="/dev/$disk" of=/tmp/back bs=64k count=16 iflag=direct status=none || fail "dd back without $file"
		cmp /tmp/random /tmp/back || fail "other data without $file"
		echo 1 >"/sys/block/$disk/integrity/$file"
	done
	unlinked
done
drop_backstore iblock d
storage_end
exit $rc
