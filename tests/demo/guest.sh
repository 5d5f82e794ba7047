#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# The guest's part of `make demo`.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh

passed=0
# show COMMAND...: as a person would type it
show() {
	printf '\n# %s\n' "$*"
	"$@"
	passed=$((passed + 1))
}

start_dbus
mkdir -p /etc/rtslib-fb-target /srv /mnt/demo
show targetcli /backstores/fileio create name=disk0 file_or_dev=/srv/disk0.img size=256M sparse=true
show targetcli /loopback create naa.5001405de3000001
show targetcli /loopback/naa.5001405de3000001/luns create /backstores/fileio/disk0
wait_for 20 test -b /dev/sda
show targetcli ls
show lsscsi
show mkfs.ext4 -q /dev/sda
show mount /dev/sda /mnt/demo
show dd if=/dev/urandom of=/mnt/demo/data bs=1M count=64 status=none
sum=$(sha256sum </mnt/demo/data)
show umount /mnt/demo
echo 3 >/proc/sys/vm/drop_caches
show mount /dev/sda /mnt/demo
assert_eq "$sum" "$(sha256sum </mnt/demo/data)" "the file read back"
show umount /mnt/demo
show e2fsck -fn /dev/sda
show targetcli saveconfig
show targetcli clearconfig confirm=True
show targetcli restoreconfig
wait_for 20 test -b /dev/sda
show mount /dev/sda /mnt/demo
assert_eq "$sum" "$(sha256sum </mnt/demo/data)" "the file after clear and restore"
show umount /mnt/demo

# The same disk over the network: a target with one initiator that has to know a secret.
. /tcm/tests/integration/iscsi.inc
iscsi_initiator
show targetcli /iscsi create "$IQN"
show targetcli "/iscsi/$IQN/tpg1/luns" create /backstores/fileio/disk0
show targetcli "/iscsi/$IQN/tpg1/acls" create "$INITIATOR"
show targetcli "/iscsi/$IQN/tpg1" set attribute authentication=1
show targetcli "/iscsi/$IQN/tpg1/acls/$INITIATOR" set auth userid=demo password=DemoSecret1234
show iscsiadm -m discovery -t sendtargets -p $PORTAL
node="iscsiadm -m node -T $IQN -p $PORTAL"
if $node --login; then
	fail "logged in without a secret"
fi
show $node -o update -n node.session.auth.authmethod -v CHAP
show $node -o update -n node.session.auth.username -v demo
show $node -o update -n node.session.auth.password -v DemoSecret1234
show $node --login
wait_for 20 test -b /dev/sdb
show targetcli ls /iscsi
show lsscsi --transport
show mount /dev/sdb /mnt/demo
assert_eq "$sum" "$(sha256sum </mnt/demo/data)" "the file over iSCSI"
show dd if=/dev/urandom of=/mnt/demo/more bs=1M count=64 status=none
sum=$(sha256sum </mnt/demo/more)
show umount /mnt/demo
show $node --logout
show $node --login
wait_for 20 test -b /dev/sdb
show e2fsck -fn /dev/sdb
show mount /dev/sdb /mnt/demo
assert_eq "$sum" "$(sha256sum </mnt/demo/more)" "the file written over iSCSI"
show umount /mnt/demo
show $node --logout

show targetcli clearconfig confirm=True
# targetcli leaves the fabrics' own directories, which hold the modules
show rmdir /sys/kernel/config/target/loopback /sys/kernel/config/target/iscsi
show modprobe -r tcm_loop iscsi_target_mod target_core_file target_core_mod
echo
echo "$passed passed, 0 failed, 0 skipped"
