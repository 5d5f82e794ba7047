#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
# vm: --timeout 200
# kernels: 6.1 6.12-long
#
# libiscsi's conformance suite over iSCSI, against a file: the family iSCSI, of the family SCSI what
# loopback cannot show (two nexuses, residuals); all of it with full counts.
set -euo pipefail
. /tcm/tests/vm/guest-lib.sh
. /tcm/tests/integration/iscsi.inc

ip link set lo up
use_our_target
modprobe iscsi_target_mod
mkdir "$CFS/iscsi" "$CFS/core/fileio_0" "$CFS/core/fileio_0/f0"
truncate -s 100M /tmp/f0
cfs_write core/fileio_0/f0/control fd_dev_name=/tmp/f0,fd_dev_size=104857600
cfs_write core/fileio_0/f0/enable 1
cfs_write core/fileio_0/f0/attrib/emulate_tpu 1
cfs_write core/fileio_0/f0/attrib/emulate_tpws 1
iscsi_target_raw $IQN core/fileio_0/f0
url=iscsi://$PORTAL/$IQN/0
suites=PrinReadKeys,PrinServiceactionRange,PrinReportCapabilities,ProutRegister,ProutReserve,ProutClear,ProutPreempt
suites=$suites,Reserve6,Read10,Write10
[ -z "${TCM_LONG:-}" ] || suites=$suites,$(iscsi-test-cu -l "$url" | sed -n 's/^SCSI\.\([A-Za-z0-9]*\)$/\1/p' | paste -sd,)

rc=0
python3 /tcm/tests/conformance/libiscsi.py "$url" --family iSCSI --name iSCSI \
	--suites iSCSIcmdsn,iSCSIdatasn,iSCSIResiduals,iSCSITMF || rc=1
# CompareAndWrite: 256 blocks do not fit the field, what the suite sends asks for none and succeeds.
# ExtendedCopy: it expects a logical unit identifier of an unknown type to be taken.
# ReportSupportedOpcodes: it has room for 16 bytes of CDB usage data, as in sbc.sh.
python3 /tcm/tests/conformance/libiscsi.py "$url" --limit 300 --suites "$suites" \
	--known CompareAndWrite.Simple,CompareAndWrite.Miscompare,ExtendedCopy.ValidTgtDescr,ReportSupportedOpcodes.OneCommand || rc=1
iscsi_target_del $IQN
rmdir "$CFS/core/fileio_0/f0" "$CFS/core/fileio_0"
unload_target
exit $rc
