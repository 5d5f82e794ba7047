#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 200
# kernels: 6.1 6.12-long debug-long
#
# libiscsi's conformance suite over iSCSI, against files: the family iSCSI, of the family SCSI what
# loopback cannot show (two nexuses, residuals). With full counts all of the family SCSI, on a thin
# unit, a thick one, one that is removable, one with blocks of 4096 bytes, a disk whose blocks are
# parts of larger ones, a slow one and one that is write protected.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc
. /tcm/tests/integration/storage.inc

SIZE=104857600
units=(thin thick removable blocks4k protected)

# unit NAME ATTRIBUTE=VALUE...: a file; the suite copies between units, so they need names
unit() {
	local c dir=core/fileio_0/$1
	truncate -s $SIZE "/tmp/$1"
	mkdir "$CFS/$dir"
	cfs_write "$dir/control" "fd_dev_name=/tmp/$1,fd_dev_size=$SIZE"
	cfs_write "$dir/enable" 1
	cfs_write "$dir/wwn/vpd_unit_serial" "11b15c51-0000-4000-8000-0000000000$((10 + next++))"
	for c in "${@:2}"; do cfs_write "$dir/attrib/${c%%=*}" "${c#*=}"; done
}

# What of the suite is wrong, as far as every unit sees it:
# CompareAndWrite: 256 blocks do not fit the field; what is sent asks for none, "which shall not be
#   considered an error" (SBC-4 5.3.1).
# ReportSupportedOpcodes: it has room for 16 bytes of CDB usage data; that of the 32 byte CDBs is as
#   long as they are (SPC-4, A3h/0Ch), as in sbc.sh.
wrong=CompareAndWrite.Simple,CompareAndWrite.Miscompare,ReportSupportedOpcodes.OneCommand
# Where it is write protected:
# ReadOnly.ReadOnlySBC: it sends WRITE SAME with UNMAP and without the block that goes with it (NDOB is
#   zero), which is refused for that.
# Where the unit is thick:
# Sanitize.BlockErase: it wants LBPME; a unit without provisioning has BLOCK ERASE, too (SBC-4 4.11).
# Where the medium is removable:
# PreventAllow.Eject: prevention is of removal (SBC-4 5.15); it wants that a medium cannot be loaded.
# StartStopUnit.PwrCnd: it sends reserved power conditions (SBC-4 5.32) and wants them to succeed.
# StartStopUnit.NoLoej: it wants TEST UNIT READY to succeed in the stopped power condition (SBC-4 4.20).
# Where blocks have 4096 bytes:
# WriteAtomic16.BeyondEol: it sends more than MAXIMUM ATOMIC TRANSFER LENGTH of VPD B0h, and
#   wants to be told of the other of the two things that are wrong.
# Where blocks are parts of larger ones:
# InvalidDataOutSize: more data than the CDB asks for is no error but a residual (RFC 7143 11.4.5.1), as
#   the suite's own iSCSIResiduals want it of WRITE.
# GetLBAStatus.UnmapSingle: it asks for a block in the middle of a larger one, and wants the next one told
#   first; the first descriptor begins with the block that was asked for
#   (SBC-4, GET LBA STATUS parameter data).
# Sanitize.BlockErase: it wants to be told that blocks are deallocated; of a block device nobody knows, so
#   they are "mapped or unknown".
wrong_parts=$wrong,CompareAndWrite.InvalidDataOutSize,WriteSame10.InvalidDataOutSize
wrong_parts+=,WriteSame16.InvalidDataOutSize,GetLBAStatus.UnmapSingle,Sanitize.BlockErase
wrong_removable=$wrong,PreventAllow.Eject,StartStopUnit.PwrCnd,StartStopUnit.NoLoej

# disk NAME DEVICE ATTRIBUTE=VALUE...: a block device, mapped as the next LUN
disks=()
disk() {
	local c dir=core/iblock_0/$1
	mkdir -p "$CFS/$dir"
	cfs_write "$dir/control" "udev_path=$2"
	cfs_write "$dir/enable" 1
	for c in "${@:3}"; do cfs_write "$dir/attrib/${c%%=*}" "${c#*=}"; done
	mkdir "$CFS/iscsi/$IQN/tpgt_1/lun/lun_$((4 + ${#disks[@]}))"
	ln -s "$CFS/$dir" "$CFS/iscsi/$IQN/tpgt_1/lun/lun_$((4 + ${#disks[@]}))/link"
	disks+=("$1")
}

# What a unit is made so that it has to skip it. All of them: no number of blocks in WRITE SAME means
# all (WSNZ of VPD B0h), and there is no key to forget, with which three tests end.
every='WriteSame1[06].ZeroBlocks,Sanitize.CryptoErase,Sanitize.Readonly,Sanitize.Reservations'
fixed='PreventAllow.*,StartStopUnit.Simple'
writable='ReadOnly.*'
# blocks that are no parts of larger ones
whole='CompareAndWrite.InvalidDataOutSize,WriteSame1[06].UnmapUnaligned,WriteSame1[06].InvalidDataOutSize'
provisioned='GetLBAStatus.UnmapSingle,Inquiry.BlockLimits,Unmap.*,WriteSame1[06].Unmap,WriteSame1[06].UnmapUntilEnd'

# conform UNIT URL SUITES KNOWN SKIPS: of the family SCSI
conform() {
	python3 /tcm/tests/conformance/libiscsi.py "$2" --name "$1" --limit 300 --suites "$3" --known "$4" \
		--skips "$5" || rc=1
}

ip link set lo up
use_our_target
modprobe iscsi_target_mod
mkdir "$CFS/iscsi" "$CFS/core/fileio_0"
next=0 rc=0
unit thin emulate_tpu=1 emulate_tpws=1
unit thick
unit removable emulate_tpu=1 emulate_tpws=1 removable=1
unit blocks4k emulate_tpu=1 emulate_tpws=1 block_size=4096
unit protected emulate_tpu=1 emulate_tpws=1
iscsi_target_raw $IQN core/fileio_0/{thin,thick,removable,blocks4k}
iscsi_target_raw $IQN:ro core/fileio_0/protected
cfs_write "iscsi/$IQN:ro/tpgt_1/attrib/demo_mode_write_protect" 1
url=iscsi://$PORTAL/$IQN

reservations=PrinReadKeys,PrinServiceactionRange,PrinReportCapabilities,ProutRegister,ProutReserve,ProutClear,ProutPreempt
python3 /tcm/tests/conformance/libiscsi.py "$url/0" --family iSCSI --name iSCSI \
	--suites iSCSIcmdsn,iSCSIdatasn,iSCSIResiduals,iSCSITMF || rc=1
conform thin "$url/0" $reservations,Reserve6,Read10,Write10 "" ""
if [ -n "${TCM_LONG:-}" ]; then
	all=$(iscsi-test-cu -l "$url/0" | sed -n 's/^SCSI\.\([A-Za-z0-9]*\)$/\1/p')
	# Sanitize.Reset wants to see it at work after seconds: below.
	sanitize=$(iscsi-test-cu -l "$url/0" | sed -n 's/^SCSI\.\(Sanitize\.[A-Za-z]*\)$/\1/p' | grep -v Reset)
	# Reservations know nothing of blocks: once is enough. Paths are below.
	rest=$(grep -v -e ^Prin -e ^Prout -e ^MultipathIO -e '^Sanitize$' <<<"$all"$'\n'"$sanitize" | paste -sd,)
	reading=$(grep -e ^Inquiry -e ^Mandatory -e ^ModeSense -e ^Prefetch -e ^Read -e ^Report -e ^TestUnit <<<"$all" |
		paste -sd,)
	conform thin "$url/0" "$rest" "$wrong" "$every,$writable,$fixed,$whole"
	conform thick "$url/1" "$rest" "$wrong,Sanitize.BlockErase" "$every,$writable,$fixed,$whole,$provisioned"
	conform removable "$url/2" "$rest" "$wrong_removable" "$every,$writable,$whole"
	conform blocks4k "$url/3" "$rest" "$wrong,WriteAtomic16.BeyondEol" "$every,$writable,$fixed,$whole"
	disk parts "$(debug_disk dev_size_mb=100 physblk_exp=3 lbpu=1 lbpws=1 lbpws10=1 lbprz=1)" \
		emulate_tpu=1 emulate_tpws=1 max_unmap_lba_count=8192
	conform parts "$url/4" "$rest" "$wrong_parts" "$every,$writable,$fixed"
	# SANITIZE takes 10 seconds. The test sleeps 60 between two looks and answers no ping meanwhile: its
	# connection would end, and what it found in the new one would be a unit attention, each time.
	disk slow "$(null_disk slow 100 mbps=10 max_sectors=256)"
	acl=iscsi/$IQN/tpgt_1/acls/iqn.2007-10.com.github:sahlberg:libiscsi:iscsi-test
	mkdir "$CFS/$acl" "$CFS/$acl/lun_0"
	ln -s "$CFS/iscsi/$IQN/tpgt_1/lun/lun_5" "$CFS/$acl/lun_0/slow"
	cfs_write "$acl/attrib/nopin_timeout" 0
	conform slow "$url/0" Sanitize.Reset "" ""
	rm "$CFS/$acl/lun_0/slow"
	rmdir "$CFS/$acl/lun_0" "$CFS/$acl"
	conform protected "$url:ro/0" "$reading" \
		ReportSupportedOpcodes.OneCommand,ReadOnly.ReadOnlySBC ""
	# of one unit, by two sessions; CompareAndWrite has 256 blocks written, and wants 257 to be zeros
	dd if=/dev/zero of=/tmp/thin bs=1M count=1 conv=notrunc status=none
	python3 /tcm/tests/conformance/libiscsi.py "$url/0" "$url/0" --name paths --suites MultipathIO || rc=1
fi

iscsi_target_del $IQN:ro
iscsi_target_del $IQN
for name in "${disks[@]}"; do rmdir "$CFS/core/iblock_0/$name"; done
[ ! -e "$CFS/core/iblock_0" ] || rmdir "$CFS/core/iblock_0"
for name in "${units[@]}"; do rmdir "$CFS/core/fileio_0/$name"; done
rmdir "$CFS/core/fileio_0"
unload_target
exit $rc
