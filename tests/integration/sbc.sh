#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 300
# kernels: 6.1 6.12-long debug-long
#
# The block commands over loopback: a ramdisk, one of 4 TiB with blocks of 4096 bytes, nullio;
# then libiscsi's conformance suite. Arguments go to sbc_test.py.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

WWN=naa.5001405000000001
tests=/tcm/tests/conformance
next=0

# ramdisk NAME KEY=VALUE...: a device below core/rd_mcp_0; keys that name an attribute set it
ramdisk() {
	local c dir=core/rd_mcp_0/$1
	mkdir -p "$CFS/$dir"
	for c in "${@:2}"; do
		case $c in rd_*) cfs_write "$dir/control" "$c" ;; esac
	done
	cfs_write "$dir/enable" 1
	for c in "${@:2}"; do
		case $c in rd_*) ;; *) cfs_write "$dir/attrib/${c%%=*}" "${c#*=}" ;; esac
	done
}

# export_lun DEVICE: as the next LUN of the loopback port; sets disk
export_lun() {
	mkdir "$CFS/loopback/$WWN/tpgt_1/lun/lun_$next"
	ln -s "$CFS/core/rd_mcp_0/$1" "$CFS/loopback/$WWN/tpgt_1/lun/lun_$next/$1"
	disk=$(loop_lun_device $WWN $next)
	wait_block "/dev/$disk"
	next=$((next + 1))
}

# conform DEVICE ARGUMENT...: the test of the block commands on the disk
conform() {
	python3 $tests/sbc_test.py "/dev/$disk" --name "$1" --attrib "$CFS/core/rd_mcp_0/$1/attrib" \
		"${@:2}" || rc=1
}

use_our_target
modprobe -a tcm_loop sd_mod sg
mkdir -p "$CFS/core/rd_mcp_0" "$CFS/loopback/$WWN/tpgt_1"
cfs_write "loopback/$WWN/tpgt_1/nexus" naa.6001405000000001
rc=0

ramdisk memory rd_pages=8192
export_lun memory
conform memory --thin --map "$@"

ramdisk large rd_pages=1073741824 block_size=4096
export_lun large
conform large --thin --map --skip reserved,truncated_cdb,max_transfer,start_stop,caw_many,sync,format,sanitize

ramdisk null rd_pages=65536 rd_nullio=1
export_lun null
conform null --only nullio

# The suite has room for 16 bytes of CDB usage data; that of the 32 byte CDBs is as long as they are
# (SPC-4, A3h/0Ch), which spc_test.py checks.
wrong=ReportSupportedOpcodes.OneCommand
devices=(memory large null)
# What every ramdisk has to skip: it is not write protected, its blocks are not parts of larger ones,
# and no number of blocks in WRITE SAME means all of them (WSNZ of VPD B0h). iscsi-libiscsi.sh has
# units that are otherwise.
skips='ReadOnly.*,CompareAndWrite.InvalidDataOutSize,WriteSame1[06].InvalidDataOutSize,'
skips+='WriteSame1[06].UnmapUnaligned,WriteSame1[06].ZeroBlocks'
# suite NAME KNOWN SKIPS KEY=VALUE...: libiscsi's on a ramdisk of that configuration
suite() {
	# more than that in one WRITE SAME and the suite wants to read more than SG_IO takes
	ramdisk "$1" rd_pages=8192 max_write_same_len=32768 "${@:4}"
	devices+=("$1")
	export_lun "$1"
	sg=/dev/$(basename "$(echo "/sys/block/$disk/device/scsi_generic/"*)")
	wait_for 20 test -c "$sg"
	python3 $tests/libiscsi.py "$sg" --name "$1" --known "$2" --skips "$3" || rc=1
}
suite thin $wrong "$skips" emulate_tpu=1 emulate_tpws=1 unmap_zeroes_data=1
# as in iscsi-libiscsi.sh
if [ -n "${TCM_LONG:-}" ]; then
	suite thick $wrong "$skips,GetLBAStatus.UnmapSingle,Inquiry.BlockLimits,Unmap.*,WriteSame1[06].Unmap,WriteSame1[06].UnmapUntilEnd"
	suite removable $wrong "$skips" removable=1 emulate_tpu=1 emulate_tpws=1
	# GetLBAStatus.UnmapSingle: it writes more at once than SG_IO takes; iscsi-libiscsi.sh has it over iSCSI
	suite blocks4k $wrong,GetLBAStatus.UnmapSingle "$skips" block_size=4096 emulate_tpu=1 emulate_tpws=1
fi

for dev in "${devices[@]}"; do
	rm "$CFS/loopback/$WWN/tpgt_1/lun/"*/$dev
done
rmdir "$CFS/loopback/$WWN/tpgt_1/lun/"*
rmdir "$CFS/loopback/$WWN/tpgt_1" "$CFS/loopback/$WWN" "$CFS/loopback"
for dev in "${devices[@]}"; do rmdir "$CFS/core/rd_mcp_0/$dev"; done
rmdir "$CFS/core/rd_mcp_0"
unload_target
exit $rc
