#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --disk 64M --timeout 180
# kernels: 6.1-long 6.12 debug-long
#
# What sg3-utils says of our disks: everything is decoded, nothing is complained of.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

WWN=naa.5001405000000001
rc=0

# device PLUGIN NAME CONTROL SERIAL KEY=VALUE...: make, enable, link as the next LUN
next=0
device() {
	local c dir=core/$1_$next/$2
	mkdir -p "$CFS/$dir"
	cfs_write "$dir/control" "$3"
	cfs_write "$dir/enable" 1
	cfs_write "$dir/wwn/vpd_unit_serial" "$4"
	for c in "${@:5}"; do cfs_write "$dir/attrib/${c%%=*}" "${c#*=}"; done
	mkdir "$CFS/loopback/$WWN/tpgt_1/lun/lun_$next"
	ln -s "$CFS/$dir" "$CFS/loopback/$WWN/tpgt_1/lun/lun_$next/link"
	next=$((next + 1))
}

# quietly COMMAND...: exits with 0 and complains of nothing. Lines that hold such a word and are
# no complaint: names of mode pages and fields, UGAVALID of zero.
complaints='malform|bad |error|fail|unexpected|invalid|illegal|truncat|too short|corrupt|wrong|strange|warning|\?\?'
harmless='exit failure mode|(Write|Read|Verify) error|rrors corrected|uncorrected errors|truncated after|without error|Read-Write error recovery|[Ii]nformational exceptions|Unmap granularity alignment: 0 \[invalid\]'
quietly() {
	local status=0
	"$@" >/tmp/out 2>&1 || status=$?
	if [ $status != 0 ] || grep -Ev "$harmless" /tmp/out | grep -Eiq "$complaints"; then
		printf 'FAIL: %s gave %s\n' "$*" "$status"
		cat /tmp/out
		rc=1
	fi
	{ echo "# $*" && cat /tmp/out; } >>/out/sg3-utils.txt
}

# says REGEX: so did the last command
says() {
	grep -Eq -- "$1" /tmp/out && return
	printf 'FAIL: no "%s" in:\n' "$1"
	cat /tmp/out
	rc=1
}

use_our_target
modprobe -a tcm_loop sd_mod sg
mkdir -p "$CFS/loopback/$WWN/tpgt_1"
cfs_write "loopback/$WWN/tpgt_1/nexus" naa.6001405000000001
device rd_mcp rd rd_pages=4096 1d3c5e7a-9b0f-4c2d-8e6a-000000000000
device fileio thin fd_dev_name=/tmp/thin,fd_dev_size=16777216 2d3c5e7a-9b0f-4c2d-8e6a-000000000000 \
	emulate_tpu=1 emulate_tpws=1 emulate_write_cache=1
device fileio k4 fd_dev_name=/tmp/k4,fd_dev_size=16777216 3d3c5e7a-9b0f-4c2d-8e6a-000000000000 block_size=4096
device iblock disk "udev_path=${VM_DISKS%% *}" 4d3c5e7a-9b0f-4c2d-8e6a-000000000000

# what depends on the kind of device
each() {
	quietly sg_inq "$disk"
	says 'Vendor identification: LIO-ORG'
	quietly sg_vpd --all "$disk"
	says 'Block [Ll]imits'
	says '0x6001405[1-4]d3c5e7a9b0f4c2d8e6a00000'
	quietly sg_modes --all "$disk"
	says 'Caching'
	quietly sg_readcap --16 "$disk"
}

rest() {
	quietly sg_turs "$disk"
	quietly sg_requests "$disk"
	says 'No Sense'
	quietly sg_requests --desc "$disk"
	says 'Descriptor format'
	quietly sg_inq --vpd "$disk"
	quietly sg_inq --descriptors "$disk"
	says 'SPC-4'
	quietly sg_modes --all --six "$disk"
	quietly sg_modes --all --llbaa "$disk"
	quietly sg_modes --all --control=1 "$disk"
	quietly sg_opcodes "$disk"
	says 'Report supported operation codes'
	quietly sg_opcodes --rctd "$disk"
	quietly sg_opcodes --opcode=0x28 --rctd "$disk"
	quietly sg_opcodes --tmf --repd "$disk"
	says 'Abort task'
	quietly sg_luns "$disk"
	says "Lun list length = $((next * 8))"
	quietly sg_luns --select=1 "$disk"
	quietly sg_readcap "$disk"
	quietly sg_verify --count=8 "$disk"
	quietly sg_sync "$disk"
	quietly sg_start --start "$disk"
}

for ((lun = 0; lun < next; lun++)); do
	disk=/dev/$(loop_lun_device $WWN $lun)
	note "LUN $lun: $disk"
	wait_block "$disk"
	settle
	each
done
# info: log pages, self-tests, buffers, identity, time, mode parameters: written and read back
info() {
	quietly sg_read_buffer --verbose --mode=desc --length=4 "$disk"
	quietly sg_logs --all "$disk"
	says 'Self-test results'
	says 'General Statistics'
	quietly sg_logs --all --all "$disk"
	quietly sg_logs --page=0x0,0xff "$disk"
	says '0x0f +Application client'
	quietly sg_logs --page=0x19 "$disk"
	says 'number of read commands = [1-9]'
	quietly sg_logs --reset "$disk"
	quietly sg_senddiag --test "$disk"
	quietly sg_senddiag --selftest=5 "$disk"
	quietly sg_senddiag --selftest=1 "$disk"
	quietly sg_senddiag --extdur "$disk"
	says '30 seconds'
	quietly sg_senddiag --list "$disk"
	quietly sg_logs --page=0x10 "$disk"
	says 'foreground short'
	# sg_read_buffer of sg3-utils 1.46 asks for no bytes, whatever --length says
	quietly sg_raw --request=4 "$disk" 3c 03 00 00 00 00 00 00 04 00
	says '00 +00 01 00 00'
	head -c 4096 /dev/urandom >/tmp/image
	quietly sg_write_buffer --mode=data --in=/tmp/image --length=4096 --offset=512 "$disk"
	quietly sg_raw --binary --outfile=/tmp/back --request=4096 "$disk" 3c 02 00 00 02 00 00 10 00 00
	cmp /tmp/image /tmp/back || rc=1
	quietly sg_test_rwbuf --size=65536 --times=3 "$disk"
	printf 'shelf 7' | quietly sg_ident --set "$disk"
	quietly sg_ident --ascii "$disk"
	says 'shelf 7'
	quietly sg_ident --itype=127 "$disk"
	quietly sg_timestamp --milliseconds=1000000 "$disk"
	quietly sg_timestamp "$disk"
	says '^ *10[0-9]{5}'
	quietly sg_timestamp --srep --milliseconds=2000000 "$disk"
	quietly sg_wr_mode --page=0xa --save --contents=0a,0a,06,10,00,40,00,00,ff,ff,00,1e "$disk"
	for control in 0 3; do
		quietly sg_modes --page=0xa --control=$control --hex "$disk"
		says '8a 0a 06 10'
	done
	quietly sg_modes --page=0xa --control=2 --hex "$disk"
	says '8a 0a 02 10'
	quietly sg_wr_mode --page=0xa --save --contents=0a,0a,02,10,00,40,00,00,ff,ff,00,1e "$disk"
}

rest
disk=/dev/$(loop_lun_device $WWN 0)
info

rm "$CFS/loopback/$WWN/tpgt_1/lun/"*/link
rmdir "$CFS/loopback/$WWN/tpgt_1/lun/"*
rmdir "$CFS/loopback/$WWN/tpgt_1" "$CFS/loopback/$WWN" "$CFS/loopback" "$CFS"/core/*_[0-9]*/*/ "$CFS"/core/*_[0-9]*
unload_target
exit $rc
