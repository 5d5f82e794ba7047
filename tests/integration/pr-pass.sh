#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --mem 1G --timeout 120
# kernels: 6.1 6.12-long debug-long
#
# pgr_support 0: the disk below a block backend keeps the reservations. That disk is one of ours, so
# that another initiator of it can be asked, and can be in the way.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/storage.inc

OTHER=naa.5001405b10c00003

# prin DISK OPTION, prout DISK OPTION...: sg_persist
prin() { sg_persist -n -i "$2" "/dev/$1"; }
prout() { sg_persist -n -o "${@:2}" "/dev/$1"; }
# conflicts COMMAND...: it ends with RESERVATION CONFLICT
conflicts() {
	local status=0
	"$@" >/tmp/out 2>&1 || status=$?
	assert_eq 24 "$status" "$*: $(cat /tmp/out)"
}
# unknown COMMAND...: ILLEGAL REQUEST, by opcode or by service action
unknown() {
	local status=0
	"$@" >/tmp/out 2>&1 || status=$?
	assert_match '^[59]$' "$status" "$*: $(cat /tmp/out)"
}
write_to() { dd if=/dev/zero of="/dev/$1" bs=4k count=1 oflag=direct status=none; }

storage_begin
backstore rd_mcp below rd_pages=4096
# disks that have a name keep reservations over a power cycle, which sd asks for always
cfs_write core/rd_mcp_0/below/wwn/vpd_unit_serial pr-pass-below
below=$(export_lun rd_mcp below 0)
mkdir -p "$CFS/loopback/$OTHER/tpgt_1"
echo naa.5001405b10c00004 >"$CFS/loopback/$OTHER/tpgt_1/nexus"
mkdir "$CFS/loopback/$OTHER/tpgt_1/lun/lun_0"
ln -s "$CFS/core/rd_mcp_0/below" "$CFS/loopback/$OTHER/tpgt_1/lun/lun_0/link"
other=$(loop_lun_device $OTHER 0)
scsi_ready "$below"
scsi_ready "$other"

note "where it cannot be"
cfs_refuses core/rd_mcp_0/below/attrib/pgr_support 0
null=$(null_disk plain 16)
backstore iblock plain "udev_path=$null"
cfs_refuses core/iblock_0/plain/attrib/pgr_support 0
assert_eq 1 "$(cfs_read core/iblock_0/plain/attrib/pgr_support)"
drop_backstore iblock plain

backstore iblock it "udev_path=/dev/$below"
disk=$(export_lun iblock it 1)
scsi_ready "$disk"
prout "$disk" --register --param-sark=0x111
if prin "$below" -k | grep 0x111; then fail "our own go further"; fi
prout "$disk" --register --param-rk=0x111
cfs_write core/iblock_0/it/attrib/pgr_support 0
assert_eq Passthrough "$(cfs_read core/iblock_0/it/pr/res_holder)"

note "what the disk is told"
prout "$disk" --register --param-sark=0xabc
assert_match 0xabc "$(prin "$other" -k)"
prout "$disk" --reserve --param-rk=0xabc --prout-type=5
assert_match 'Key=0xabc.*type: Write Exclusive, registrants only' "$(prin "$other" -r | tr '\n' ' ')"
assert_match Passthrough "$(cfs_read core/iblock_0/it/pr/res_holder)"
assert_match 'SPC-3 Reservation: ' "$(cfs_read core/rd_mcp_0/below/pr/res_holder)"
write_to "$disk"
assert_fails write_to "$other"

note "what it is asked"
case $KREL in
6.1.*)
	unknown prin "$disk" -k
	unknown prin "$disk" -r
	;;
*)
	assert_match 0xabc "$(prin "$disk" -k)"
	assert_match 'Key=0xabc.*type: Write Exclusive, registrants only' \
		"$(prin "$disk" -r | tr '\n' ' ')"
	;;
esac
assert_match 'PTPL_C\): 1' "$(prin "$disk" -c)"
unknown prin "$disk" -s
unknown prout "$disk" --replace-lost --param-rk=0xabc --prout-type=5
unknown sg_raw "/dev/$disk" 16 00 00 00 00 00

note "conflicts"
conflicts prout "$disk" --register --param-rk=0x999 --param-sark=0x1
conflicts prout "$disk" --release --param-rk=0x999 --prout-type=5
conflicts prout "$disk" --reserve --param-rk=0xabc --prout-type=6
unknown prout "$disk" --register --param-rk=0xabc --param-sark=0xabd --param-alltgpt
prout "$other" --register --param-sark=0xdef
prout "$other" --preempt-abort --param-rk=0xdef --param-sark=0xabc --prout-type=6
conflicts prout "$disk" --reserve --param-rk=0xabc --prout-type=5
assert_fails write_to "$disk"
write_to "$other"
if [[ $KREL != 6.1.* ]]; then assert_match 0xdef "$(prin "$disk" -r)"; fi
prout "$disk" --register-ignore --param-sark=0x77
prout "$disk" --preempt --param-rk=0x77 --param-sark=0xdef --prout-type=3
assert_match 'Key=0x77.*type: Exclusive Access' "$(prin "$below" -r | tr '\n' ' ')"
write_to "$disk"
prout "$disk" --release --param-rk=0x77 --prout-type=3
prout "$disk" --clear --param-rk=0x77
assert_match 'NO registered reservation keys' "$(prin "$below" -k)"

note "and by ourselves again"
cfs_write core/iblock_0/it/attrib/pgr_support 1
prout "$disk" --register --param-sark=0x111
if prin "$below" -k | grep 0x111; then fail "the disk was told"; fi
assert_match 0x111 "$(prin "$disk" -k)"

unexport_lun 1
wait_gone "/sys/block/$disk"
drop_backstore iblock it
rm "$CFS/loopback/$OTHER/tpgt_1/lun/lun_0/link"
rmdir "$CFS/loopback/$OTHER/tpgt_1/lun/lun_0" "$CFS/loopback/$OTHER/tpgt_1" "$CFS/loopback/$OTHER"
unexport_lun 0
wait_gone "/sys/block/$below"
drop_backstore rd_mcp below
rmdir /sys/kernel/config/nullb/plain
storage_end
