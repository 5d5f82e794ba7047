#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# What goes away while commands are in flight: the LUN, the backstore, the device below;
# and a device that stops answering.
# vm: --mem 1G --timeout 300
# kernels: 6.1-long 6.12 debug-long
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/pscsi.inc

DBG=/sys/bus/pseudo/drivers/scsi_debug
CYCLES=${TCM_LONG:+100}
CYCLES=${CYCLES:-3}

# Nothing that configuration does may take longer, whatever the device does.
bounded() {
	took "$@"
	[ "$REPLY" -le $((300 * VM_SLOW)) ] || fail "$* took $REPLY hundredths of a second"
}

load() {
	fio --name=load --filename="$1" --rw=randrw --bs=16k --iodepth=32 --ioengine=libaio --direct=1 \
		--time_based --runtime=60 --continue_on_error=none --output=/tmp/fio.log \
		>/dev/null 2>&1 || :
}

# busy N: the host below has at least so many commands
busy() { [ "$(cat "/sys/class/scsi_host/host${hctl%%:*}/host_busy")" -ge "$1" ]; }

# in_flight DISK N: so many requests of the disk are under way
in_flight() {
	local n r w
	read -r r w <"/sys/class/block/$1/inflight"
	n=$((r + w))
	[ "$n" -ge "$2" ]
}

attach() {
	ps_create 0 "$disk"
	upper=$(ps_link 0 0)
	dev=$(loop_lun_device $PS_WWN 0)
	settle
}

detach() {
	bounded ps_unlink 0
	bounded ps_remove 0
}

free_again() { fuser -s "$disk" || python3 -c "import os; os.open('$disk', os.O_RDWR | os.O_EXCL)"; }

# four commands at a time, each takes 20 ms, more where the processor would not keep up
modprobe scsi_debug dev_size_mb=32 host_max_queue=4 ndelay=$((20000000 * VM_SLOW))
modprobe -a sd_mod sg
use_our_target
modprobe target_core_pscsi
wait_for 30 compgen -G '/sys/bus/pseudo/devices/adapter0/host*/target*/*:0/block/*'
lower_dev=$(basename "$(compgen -G '/sys/bus/pseudo/devices/adapter0/host*/target*/*:0/block/*')")
disk=/dev/$lower_dev
hctl=$(sdev_of "$disk")
settle
ps_port

note "32 commands at a time where four are taken"
attach
quiet_queue "$dev"
(cd /tmp && fio --name=verify --filename="/dev/$dev" --size=4M --rw=randwrite --bsrange=512-64k --iodepth=32 \
	--ioengine=libaio --direct=1 --verify=crc32c --verify_fatal=1 --verify_state_save=0 \
	--output=/tmp/fio.log) || { cat /tmp/fio.log; fail "fio"; }
detach

note "$CYCLES times the LUN and its backstore go under load"
for ((i = 0; i < CYCLES; i++)); do
	wait_for 20 free_again
	attach
	load "/dev/$dev" &
	wait_for 30 in_flight "$dev" 8
	detach
	wait
done

note "the device below is deleted under load"
wait_for 20 free_again
attach
load "/dev/$dev" &
wait_for 30 in_flight "$dev" 8
echo 1 >"/sys/class/scsi_device/$hctl/device/delete" &
wait_for 30 is_gone "/sys/class/scsi_device/$hctl"
assert_eq "02 2/05/00" "$(tur "$upper")" "the device is gone"
detach
wait
echo "0 0 0" >"/sys/class/scsi_host/host${hctl%%:*}/scan"
wait_for 30 test -e "/sys/class/scsi_device/$hctl"
wait_for 30 compgen -G "/sys/class/scsi_device/$hctl/device/block/sd*"
lower_dev=$(basename "$(compgen -G "/sys/class/scsi_device/$hctl/device/block/sd*")")
disk=/dev/$lower_dev
settle

note "the device stops answering"
attach
echo 1 >$DBG/every_nth
echo 4 >$DBG/opts
# six commands through the LUN, four get a tag; with more patience than the target has
python3 - "$upper" >/tmp/hung <<'EOP' &
import sys
from concurrent.futures import ThreadPoolExecutor
sys.path.insert(0, '/tcm/tests/conformance')
from sgio import Device
def ask(n):
    r = Device(sys.argv[1]).cmd([0x28, 0, 0, 0, 0, n, 0, 0, 1, 0], 512, timeout=150)
    return '%02x %s' % (r.status, '%x/%02x/%02x' % r.code if r.code else '')
with ThreadPoolExecutor(6) as pool:
    print('\n'.join(sorted(pool.map(ask, range(6)))))
EOP
hung=$!
wait_for 30 busy 4
bounded ps_unlink 0
bounded ps_remove 0
echo 0 >$DBG/opts
echo 0 >$DBG/every_nth
wait_for 90 is_gone "/proc/$hung"
wait $hung
cat /tmp/hung
# Who had a tag is told of the time-out, who waited for one is served afterwards. Somebody else may have
# had one, as udev.
assert_eq 6 "$(grep -cxE '00 |02 b/2e/02' /tmp/hung)" "what commands in time-out say: $(cat /tmp/hung)"
late=$(grep -cx '02 b/2e/02' /tmp/hung)
[[ $late = [34] ]] || fail "$late commands are told of the time-out: $(cat /tmp/hung)"

note "end"
ps_port_remove
ps_unload
