#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1G --timeout 600
# kernels: 6.1-long 6.12 debug-long
#
# Protection information that a block device keeps by itself (block integrity; scsi_debug): its type
# is the unit's, by SG_IO, by the disk driver, through a stacked device, and what is wrong on the
# medium is found. Arguments go to pi_test.py.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

rc=0
attrib=$CFS/core/iblock_0/d/attrib

# protected TYPE PATH: a backstore over it has that type, and becomes a disk
protected() {
	backstore iblock d "udev_path=$2"
	assert_eq "$(cat "$attrib/hw_pi_prot_type") $(cat "$attrib/pi_prot_type")" "$1 $1" "type of $2"
	echo 1 >"$attrib/emulate_tpu"
	echo 1 >"$attrib/emulate_tpws"
	# accepted and without effect, as the contract has it
	cfs_write core/iblock_0/d/attrib/pi_prot_type 0
	cfs_write core/iblock_0/d/attrib/pi_prot_verify 0
	assert_eq "$(cat "$attrib/pi_prot_type")" "$1" "type, after another was asked for"
	cfs_refuses core/iblock_0/d/attrib/pi_prot_format 1
	[ "$(cat "$attrib/block_size")" = 4096 ] || cfs_refuses core/iblock_0/d/attrib/block_size 4096
	disk=$(export_lun iblock d 0)
	settle
}

unprotect() {
	unexport_lun 0
	wait_gone "/sys/block/$disk"
	drop_backstore iblock d
}

# conform TYPE WHAT ARGUMENT...
conform() {
	python3 /tcm/tests/conformance/pi_test.py "/dev/$disk" --type "$1" --fixed --name "$2 type $1" "${@:3}" || rc=1
}

# direct_read DEVICE LBA: 0 when the block could be read
direct_read() { dd if="$1" of=/tmp/block bs=512 count=1 skip="$2" iflag=direct status=none 2>/tmp/dd; }

# spoil LBA: data under the guard of others: the lower device writes without a tuple
spoil() {
	echo 0 >"/sys/block/$(basename "$lower")/integrity/write_generate"
	head -c 512 /dev/urandom | dd of="$lower" bs=512 count=1 seek="$1" oflag=direct status=none
	echo 1 >"/sys/block/$(basename "$lower")/integrity/write_generate"
}

# below LBA COUNT: the block layer checks the lower device's tuples, and finds them right
below() {
	dd if="$lower" of=/tmp/below bs=512 skip="$1" count="$2" iflag=direct status=none ||
		fail "what the block layer makes of the tuples at $1"
}

# taken_down: the LUN, the backstore, the disk, which udev may still look at
taken_down() {
	unprotect
	wait_for 30 rmmod scsi_debug
}

# sense_of LBA COUNT WANT: of a plain read
sense_of() { scsi_is "$disk" "$3" "read:$1:$2"; }

storage_begin

# of all types, and of 4096 byte blocks, with full counts
types="1 3"
[ -z "${TCM_LONG:-}" ] || types="1 2 3"

for dif in $types; do
	# to the block layer type 2 looks like type 1: it makes tags that are the LBA
	type=$((dif == 3 ? 3 : 1))
	note "a disk of type $dif"
	lower=$(debug_disk dev_size_mb=16 dif=$dif dix=1 lbpu=1 lbpws=1 lbprz=1)
	protected $type "$lower"
	if [ $dif = 2 ]; then
		# it looks for WRPROTECT where a CDB of 32 bytes does not have it, and so checks all: what it
		# refuses is told by what and where all the same
		conform $type "scsi_debug dif=2" --thin --only identity,rw,refused,short,thin
		conform $type "scsi_debug dif=2" --refusing --only refusing
	else
		# of type 3 the rest is with full counts; pi.sh has it of files and memory
		[ "$dif${TCM_LONG:-}" = 3 ] || conform $type "scsi_debug dif=$dif" --thin "$@"
		conform $type "scsi_debug dif=$dif" --only rw
	fi
	below 100 1000
	scsi_is "$disk" good write:8:8:0x5a
	spoil 11
	if direct_read "$lower" 11; then fail "the guard is not spoilt"; fi
	sense_of 8 8 "b/10/01 info 0xb"
	sense_of 11 1 "b/10/01 info 0xb"
	sense_of 8 3 "good 5a"
	sense_of 12 4 "good 5a"
	# a block that cannot be read at all
	echo 2 >/sys/bus/pseudo/drivers/scsi_debug/opts
	sense_of 0x1200 100 "3/11/00 info 0x1234"
	sense_of 0x1233 1 "good 00"
	echo 0 >/sys/bus/pseudo/drivers/scsi_debug/opts
	# and a write cures it
	scsi_is "$disk" good write:8:8:0x5b
	sense_of 8 8 "good 5b"
	below 8 8
	taken_down
done

if [ -n "${TCM_LONG:-}" ]; then
	note "4096 byte blocks"
	lower=$(debug_disk dev_size_mb=32 sector_size=4096 dif=1 dix=1 lbpu=1 lbpws=1)
	protected 1 "$lower"
	conform 1 "4096 byte blocks" --only identity,checks,plain,same,short,fixed
	taken_down
fi

note "stacked: the reference tags are those of the disk below"
lower=$(debug_disk dev_size_mb=16 dif=1 dix=1 lbpu=1 lbpws=1)
dmsetup create pil --table "0 16384 linear $lower 2048"
wait_block /dev/mapper/pil
protected 1 /dev/mapper/pil
conform 1 "dm-linear" --only identity,checks,plain,verify
conform 1 "dm-linear" --only rw
below $((2048 + 100)) 1000
unprotect
dmsetup remove --retry pil
# half of it has none: so all has none
null=$(null_disk nullpi 16)
dmsetup create pil --table "0 8192 linear $lower 0
8192 8192 linear $null 0"
wait_block /dev/mapper/pil
backstore iblock d udev_path=/dev/mapper/pil
assert_eq "$(cat "$attrib/hw_pi_prot_type") $(cat "$attrib/pi_prot_type")" "0 0" "type of half a disk"
cfs_refuses core/iblock_0/d/attrib/pi_prot_type 1
disk=$(export_lun iblock d 0)
scsi_ready "$disk"
scsi_is "$disk" good write:8184:16:0x77
sense_of 8184 16 "good 77"
unprotect
dmsetup remove --retry pil
wait_for 30 rmmod scsi_debug

note "a guard that is not a CRC, and protection on the way alone: none of its own"
for how in "dif=1 dix=1 guard=1" "dif=0 dix=1" "dif=1 dix=0"; do
	# shellcheck disable=SC2086
	lower=$(debug_disk dev_size_mb=16 $how)
	backstore iblock d "udev_path=$lower"
	assert_eq "$(cat "$attrib/hw_pi_prot_type")" 0 "type with $how"
	cfs_refuses core/iblock_0/d/attrib/pi_prot_type 1
	disk=$(export_lun iblock d 0)
	scsi_ready "$disk"
	scsi_is "$disk" good write:8:16:0x66
	sense_of 8 16 "good 66"
	if [[ $how == *guard* ]]; then
		# the block layer finds it, and the block is looked for
		spoil 13
		sense_of 8 16 "b/10/01 info 0xd"
	fi
	taken_down
done
storage_end

# a host that carries tuples apart from the data
mkdir -p /run/modprobe.d
echo "options tcm_loop protection=1" >/run/modprobe.d/tcm.conf
storage_begin
for dif in 1 3; do
	note "end to end, type $dif"
	lower=$(debug_disk dev_size_mb=64 dif=$dif dix=1 lbpu=1 lbpws=1)
	protected $dif "$lower"
	assert_eq "$(cat /sys/block/"$disk"/integrity/format)" "T10-DIF-TYPE$dif-CRC" "format"
	assert_eq "$(cat /sys/block/"$disk"/device/scsi_disk/*/protection_mode)" "dix$dif" "mode of the disk"
	FIO_SPAN=32 fio_verify "$disk" "$([ -n "${TCM_LONG:-}" ] && echo 256 || echo 16)"
	below 0 1024
	dd if=/dev/zero of="/dev/$disk" bs=4k count=8 seek=4 oflag=direct status=none
	spoil 40
	kmsg_mark
	if direct_read "/dev/$disk" 40; then fail "a wrong guard was read"; fi
	assert_kmsg "protection error|[Gg]uard check failed"
	direct_read "/dev/$disk" 39 || fail "the block before: $(cat /tmp/dd)"
	dd if=/dev/zero of="/dev/$disk" bs=4k count=8 seek=4 oflag=direct status=none
	direct_read "/dev/$disk" 40 || fail "not cured by a write: $(cat /tmp/dd)"
	taken_down
done
storage_end
exit $rc
