#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --disk 64M --timeout 300
# kernels: 6.1-long 6.12 debug-long
#
# What sg3-utils says of our disks: everything is decoded, nothing is complained of. What its commands
# write, unmap, copy and wipe is read back, with blocks of 512 and of 4096 bytes.
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
	local status=0 text
	"$@" >/tmp/out 2>&1 || status=$?
	read -rd '' text </tmp/out || :
	# processes take their time here: there are none where there is nothing to look at
	if [ $status != 0 ] ||
		{ [[ ${text,,} =~ $complaints ]] && grep -Ev "$harmless" /tmp/out | grep -Eiq "$complaints"; }; then
		printf 'FAIL: %s gave %s\n' "$*" "$status"
		cat /tmp/out
		rc=1
	fi
	printf '%s\n' "# $*" "$text" >>/out/sg3-utils.txt
}

# says REGEX: so did the last command
says() {
	grep -Eq -- "$1" /tmp/out && return
	printf 'FAIL: no "%s" in:\n' "$1"
	cat /tmp/out
	rc=1
}

# ends_in STATUS COMMAND...: 5 is ILLEGAL REQUEST, 14 MISCOMPARE, 22 an LBA that is not there
ends_in() {
	local status=0
	"${@:2}" >/tmp/out 2>&1 || status=$?
	{ echo "# ${*:2}" && cat /tmp/out; } >>/out/sg3-utils.txt
	[ $status != "$1" ] || return 0
	printf 'FAIL: %s gave %s, not %s\n' "${*:2}" "$status" "$1"
	cat /tmp/out
	rc=1
}

use_our_target
modprobe -a tcm_loop sd_mod sg
mkdir -p "$CFS/loopback/$WWN/tpgt_1"
cfs_write "loopback/$WWN/tpgt_1/nexus" naa.6001405000000001
device rd_mcp rd rd_pages=4096 1d3c5e7a-9b0f-4c2d-8e6a-000000000000
device fileio thin fd_dev_name=/tmp/thin,fd_dev_size=16777216 2d3c5e7a-9b0f-4c2d-8e6a-000000000000 \
	emulate_tpu=1 emulate_tpws=1 emulate_write_cache=1 max_unmap_block_desc_count=4
device fileio k4 fd_dev_name=/tmp/k4,fd_dev_size=16777216 3d3c5e7a-9b0f-4c2d-8e6a-000000000000 \
	block_size=4096 emulate_tpu=1 emulate_tpws=1 max_unmap_block_desc_count=4
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
	wait_block "/dev/$(loop_lun_device $WWN $lun)"
done
# It would look at the disk after every command below that opened it for writing.
settle
udevadm control --stop-exec-queue
for ((lun = 0; lun < next; lun++)); do
	disk=/dev/$(loop_lun_device $WWN $lun)
	note "LUN $lun: $disk"
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

# holds LBA FILE: the medium, by READ
holds() {
	dd if="$disk" of=/tmp/held bs="$bs" skip="$1" count=$(($(stat -c %s "$2") / bs)) iflag=direct status=none
	cmp -s /tmp/held "$2" && return
	printf 'FAIL: %s: block %s is not that of %s, in line %s\n' "$disk" "$1" "$2" "${BASH_LINENO[0]}"
	rc=1
}

# zero LBA COUNT
zero() {
	head -c $(($2 * bs)) /dev/zero >/tmp/zeros
	holds "$1" /tmp/zeros
}

# mapped "LBA COUNT"...: these extents are, and what is between them, before and behind is not
lba_status=32
mapped() {
	local at=0 e count
	: >/tmp/want
	for e in "$@" "$blocks 0"; do
		count=${e#* } e=${e% *}
		[ "$at" -ge "$e" ] || printf '0x%016x 0x%x 1 0\n' "$at" $((e - at)) >>/tmp/want
		[ "$count" = 0 ] || printf '0x%016x 0x%x 0 0\n' "$e" "$count" >>/tmp/want
		at=$((e + count))
	done
	# the two CDBs in turn
	lba_status=$((48 - lba_status))
	quietly sg_get_lba_status --$lba_status --brief --maxlen=4096 --lba=0 "$disk"
	sed -n '/^0x/s/  */ /gp' /tmp/out | diff /tmp/want - && return
	echo "FAIL: $disk: other extents by GET LBA STATUS($lba_status), in line ${BASH_LINENO[0]}"
	rc=1
}

# written CDB-LENGTH...: blocks that are written, compared, made the same (by WRITE SAME of these
# lengths), given back
written() {
	local cdb i
	quietly sg_format --format --quick --wait "$disk"
	zero 0 64
	mapped
	head -c $((64 * bs)) /dev/urandom >/tmp/data
	head -c "$bs" /dev/urandom >/tmp/one
	quietly sg_dd if=/tmp/data of="$disk" bs="$bs" seek=128 count=64 blk_sgio=1
	holds 128 /tmp/data
	mapped "128 64"
	quietly sg_verify --16 --lba=128 --count=64 --ndo=$((64 * bs)) --in=/tmp/data "$disk"

	head -c "$bs" /tmp/data | cat - /tmp/one >/tmp/pair
	quietly sg_compare_and_write --in=/tmp/pair --lba=128 --xferlen=$((2 * bs)) "$disk"
	holds 128 /tmp/one
	ends_in 14 sg_compare_and_write --in=/tmp/pair --lba=128 --xferlen=$((2 * bs)) "$disk"
	holds 128 /tmp/one
	ends_in 14 sg_verify --lba=128 --count=64 --ndo=$((64 * bs)) --in=/tmp/data "$disk"
	quietly sg_write_verify --in=/tmp/data --lba=128 --num=64 --ilen=$((64 * bs)) "$disk"
	holds 128 /tmp/data

	for cdb; do
		head -c "$bs" /dev/urandom >/tmp/one
		quietly sg_write_same --$cdb --in=/tmp/one --xferlen="$bs" --lba=256 --num=16 "$disk"
		for ((i = 0; i < 16; i++)); do cat /tmp/one; done >/tmp/same
		holds 256 /tmp/same
		quietly sg_verify --lba=256 --count=16 --ebytchk=3 --ndo="$bs" --in=/tmp/one "$disk"
		mapped "128 64" "256 16"
		quietly sg_write_same --$cdb --unmap --lba=264 --num=8 --xferlen="$bs" "$disk"
		zero 264 8
		mapped "128 64" "256 8"
	done
	ends_in 14 sg_verify --lba=255 --count=17 --ebytchk=3 --ndo="$bs" --in=/tmp/one "$disk"
	quietly sg_write_same --16 --ndob --lba=256 --num=8 "$disk"
	zero 256 8
	quietly sg_write_same --32 --ndob --unmap --lba=256 --num=16 "$disk"
	mapped "128 64"

	quietly sg_unmap --force --lba=136,160 --num=8,16 "$disk"
	zero 136 8
	zero 160 16
	mapped "128 8" "144 16" "176 16"
	head -c $((8 * bs)) /tmp/data >/tmp/first
	holds 128 /tmp/first
	ends_in 22 sg_unmap --force --lba="$blocks" --num=1 "$disk"

	# a bit is set that was not; nothing is lost
	head -c "$bs" /dev/zero | tr '\0' '\125' >/tmp/one
	quietly sg_write_x --atomic=0 --in=/tmp/one --bs="$bs" --lba=512 --num=1 "$disk"
	holds 512 /tmp/one
	head -c "$bs" /dev/zero | tr '\0' '\212' >/tmp/or
	quietly sg_write_x --or --in=/tmp/or --bs="$bs" --lba=512 --num=1 "$disk"
	head -c "$bs" /dev/zero | tr '\0' '\337' >/tmp/one
	holds 512 /tmp/one

	quietly sg_xcopy if="$disk" of="$disk" bs="$bs" skip=128 seek=1024 count=8
	holds 1024 /tmp/first
	quietly sg_copy_results --params "$disk"
	says 'Maximum CSCD descriptor count: 16|Maximum target descriptor count: 16'
	quietly sg_seek --lba=0 --num-blocks=8 "$disk"
	quietly sg_sync --16 "$disk"
}

# wiped TYPE...: all of it made new, with protection information of these types, and by SANITIZE
wiped() {
	local type
	head -c "$bs" /dev/urandom >/tmp/one
	for type; do
		quietly sg_format --format --quick --wait --fmtpinfo=$((type < 2 ? 2 : 3)) --pfu=$((type / 3)) "$disk"
		quietly sg_readcap --16 "$disk"
		says "prot_en=1, p_type=$((type - 1))"
	done
	mapped
	ends_in 5 sg_format --format --quick --wait --fmtpinfo=1 "$disk"
	quietly sg_write_same --16 --in=/tmp/one --xferlen="$bs" --lba=8 --num=8 "$disk"
	holds 8 /tmp/one
	# each block carries its own address as the reference tag
	quietly sg_raw --binary --outfile=/tmp/with --request=$((bs + 8)) "$disk" 28 20 00 00 00 0a 00 00 01 00
	assert_eq 00000000000a "$(od -An -tx1 -j$((bs + 2)) -N6 /tmp/with | tr -d ' ')" "tags of block 10"
	quietly sg_verify --lba=8 --count=8 --vrprotect=1 "$disk"
	quietly sg_format --format --quick --wait "$disk"
	quietly sg_readcap --16 "$disk"
	says 'prot_en=0'

	quietly sg_sanitize --overwrite --pattern=/tmp/one --ipl="$bs" --quick --wait "$disk"
	holds 0 /tmp/one
	holds $((blocks - 1)) /tmp/one
	ends_in 5 sg_sanitize --crypto --quick --wait "$disk"
	holds $((blocks / 2)) /tmp/one
	quietly sg_sanitize --block --quick --wait "$disk"
	zero 0 8
	zero $((blocks - 8)) 8
	quietly sg_sanitize --overwrite --pattern=/tmp/one --ipl="$bs" --count=3 --invert --early --quick "$disk"
	wait_for 30 sg_turs "$disk"
	holds $((blocks / 2)) /tmp/one
	quietly sg_sanitize --fail --quick --wait "$disk"
}

rest
disk=/dev/$(loop_lun_device $WWN 0)
info
for lun in 1 2; do
	disk=/dev/$(loop_lun_device $WWN $lun)
	bs=$(blockdev --getss "$disk")
	blocks=$((16777216 / bs))
	note "LUN $lun: what is written"
	if [ $lun = 1 ]; then written 10 16 32; else written 16; fi
	note "LUN $lun: what is wiped"
	if [ $lun = 1 ]; then wiped 3 2 1; else wiped 1; fi
done
udevadm control --start-exec-queue

rm "$CFS/loopback/$WWN/tpgt_1/lun/"*/link
rmdir "$CFS/loopback/$WWN/tpgt_1/lun/"*
rmdir "$CFS/loopback/$WWN/tpgt_1" "$CFS/loopback/$WWN" "$CFS/loopback" "$CFS"/core/*_[0-9]*/*/ "$CFS"/core/*_[0-9]*
unload_target
exit $rc
