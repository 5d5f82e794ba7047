// SPDX-License-Identifier: GPL-2.0-only
/*
 * LUN addresses (SAM-5 4.7): eight bytes and a number. Pure.
 */
#include <linux/export.h>
#include <linux/string.h>
#include <linux/unaligned.h>
#include "cmd.h"

u64 tcm_lun_unpack(const struct scsi_lun *lun)
{
	const u8 *b = lun->scsi_lun;

	/* SAM-5 4.7.7: peripheral and flat space methods, single level */
	if (likely(b[0] < 0x80)) {
		if (unlikely(get_unaligned_be64(b) & 0x0000ffffffffffffULL))
			return TCM_LUN_NONE;
		return (b[0] & 0x3f) << 8 | b[1];
	}
	/* 4.7.7.5: extended flat space, three bytes of LUN */
	if (b[0] == 0xd2 && !get_unaligned_be32(b + 4))
		return get_unaligned_be24(b + 1);
	return TCM_LUN_NONE;
}
EXPORT_SYMBOL_GPL(tcm_lun_unpack);

void tcm_lun_pack(u64 number, struct scsi_lun *lun)
{
	u8 *b = lun->scsi_lun;

	memset(b, 0, sizeof(*lun));
	/* Flat space would be the better method from 256 on, but these bytes name paths. */
	if (number < 16384) {
		put_unaligned_be16(number, b);
	} else {
		b[0] = 0xd2;
		put_unaligned_be24(number, b + 1);
	}
}
EXPORT_SYMBOL_GPL(tcm_lun_pack);
