// SPDX-License-Identifier: GPL-2.0-only
/*
 * LUN addresses, and sense data of any content.
 */
#include "../../core/cmd.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct fuzz_in in = { data, size };
	struct tcm_sense_extra x = { };
	struct scsi_lun lun, back;
	enum tcm_sense sense;
	u64 n;

	n = fuzz_take(&in, 8);
	put_unaligned_be64(n, &lun);
	n = tcm_lun_unpack(&lun);
	if (n != TCM_LUN_NONE) {
		fuzz_check(n <= TCM_LUN_MAX);
		tcm_lun_pack(n, &back);
		fuzz_check(tcm_lun_unpack(&back) == n);
	}
	sense = fuzz_take(&in, 3) & 0x0fffff;
	x.flags = fuzz_take(&in, 1);
	x.bit = fuzz_take(&in, 1);
	x.field = fuzz_take(&in, 2);
	x.info = fuzz_take(&in, 8);
	fuzz_sense(sense, &x, U16_MAX);
	fuzz_sense(sense, NULL, 0);
	fuzz_check(tcm_sense_status(tcm_sense_from_errno(-(int)fuzz_take(&in, 2), x.bit & 1)) <= 0x40);
	fuzz_check(tcm_sense_status(tcm_sense_from_blk(fuzz_take(&in, 1), x.bit & 1)) <= 0x40);
	return 0;
}
