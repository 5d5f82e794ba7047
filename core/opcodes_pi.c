// SPDX-License-Identifier: GPL-2.0-only
/*
 * The rows of commands whose RDPROTECT, WRPROTECT or VRPROTECT field is not zero. Without
 * protection information the field is reserved, so a CDB that has it fails the row of
 * tcm_ops_sbc[], and the parser looks here for a nexus that sees some. Nobody else sees these rows.
 * And FORMAT UNIT with FMTPINFO, for a device that can have some.
 */
#include "opcode.h"
#include "pi.h"
#include "sbc.h"
#include "sbc_pi.h"

#define TCM_PI_BITS	0xe0		/* the field */
#define TCM_PI_LOOKS	(TCM_OP_MEDIUM | TCM_OP_READY | TCM_OP_PR_WE | TCM_OP_GROUP)
#define TCM_PI_ALTERS	(TCM_OP_MEDIUM | TCM_OP_READY | TCM_OP_WRITES | TCM_OP_GROUP)
#define TCM_PI_IN	.dir = DMA_FROM_DEVICE, .flags = TCM_PI_LOOKS
#define TCM_PI_OUT	.dir = DMA_TO_DEVICE, .flags = TCM_PI_ALTERS
#define TCM_PI_VERIFY	.dir = DMA_TO_DEVICE, .flags = TCM_PI_LOOKS, .xfer = TCM_XFER_EXTENT

#define TCM_PI_RW_BITS		(TCM_PI_BITS | 0x18)	/* DPO, FUA */
#define TCM_PI_VERIFY_BITS	(TCM_PI_BITS | 0x16)	/* DPO, BYTCHK */
#define TCM_PI_SAME10_BITS	(TCM_PI_BITS | 0x08)	/* UNMAP */
#define TCM_PI_SAME_BITS	(TCM_PI_BITS | 0x09)	/* UNMAP, NDOB */

#define TCM_PI_CDB10(op_, bits_) \
	.cdb_len = 10, .lba_at = 2, .lba_size = 4, .len_at = 7, .len_size = 2, \
	.usage = { (op_), (bits_), [2 ... 5] = 0xff, [7 ... 8] = 0xff }
#define TCM_PI_CDB12(op_, bits_) \
	.cdb_len = 12, .lba_at = 2, .lba_size = 4, .len_at = 6, .len_size = 4, \
	.usage = { (op_), (bits_), [2 ... 9] = 0xff }
#define TCM_PI_CDB16(op_, bits_) \
	.cdb_len = 16, .lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4, \
	.usage = { (op_), (bits_), [2 ... 13] = 0xff }
#define TCM_PI_CDB32(sa_, bits_) \
	.opcode = VARIABLE_LENGTH_CMD, .sa_at = TCM_SA_BYTE8, .sa = (sa_), \
	.cdb_len = TCM_LONG_CDB, .lba_at = 12, .lba_size = 8, .len_at = 28, .len_size = 4, \
	.usage = { VARIABLE_LENGTH_CMD, [7 ... 9] = 0xff, [10] = (bits_), [12 ... 31] = 0xff }

#define TCM_PI_READ	TCM_PI_IN, .xfer = TCM_XFER_BLOCKS, \
			.parse = tcm_sbc_pi_rw_parse, .exec = tcm_sbc_pi_read
#define TCM_PI_WRITE	TCM_PI_OUT, .xfer = TCM_XFER_BLOCKS, \
			.parse = tcm_sbc_pi_rw_parse, .exec = tcm_sbc_pi_write
#define TCM_PI_WRITE_VERIFY TCM_PI_OUT, .xfer = TCM_XFER_BLOCKS, \
			.parse = tcm_sbc_pi_write_verify_parse, .exec = tcm_sbc_write_verify
#define TCM_PI_EXCL	.dir = DMA_TO_DEVICE, .flags = TCM_PI_ALTERS | TCM_OP_EXCL
#define TCM_PI_VERIFIES	TCM_PI_VERIFY, \
			.parse = tcm_sbc_pi_verify_parse, .exec = tcm_sbc_verify
#define TCM_PI_SAMES	TCM_PI_OUT, .xfer = TCM_XFER_ONE_BLOCK, \
			.parse = tcm_sbc_pi_write_same_parse, .exec = tcm_sbc_write_same

static const struct tcm_opcode tcm_ops_pi[] = {
	{
		.opcode = FORMAT_UNIT, .cdb_len = 6, .usage = { FORMAT_UNIT, 0xff },
		.name = "FORMAT UNIT", .dir = DMA_TO_DEVICE, .xfer = TCM_XFER_FN,
		.flags = TCM_OP_READY | TCM_OP_WRITES | TCM_OP_WHOLE,
		.parse = tcm_sbc_format_parse, .exec = tcm_sbc_format,
	}, {
		.opcode = READ_10, TCM_PI_CDB10(READ_10, TCM_PI_RW_BITS),
		.name = "READ(10)", TCM_PI_READ
	}, {
		.opcode = READ_12, TCM_PI_CDB12(READ_12, TCM_PI_RW_BITS),
		.name = "READ(12)", TCM_PI_READ
	}, {
		.opcode = READ_16, TCM_PI_CDB16(READ_16, TCM_PI_RW_BITS),
		.name = "READ(16)", TCM_PI_READ
	}, {
		TCM_PI_CDB32(TCM_SA_READ_32, TCM_PI_RW_BITS),
		.name = "READ(32)", TCM_PI_READ
	}, {
		.opcode = WRITE_10, TCM_PI_CDB10(WRITE_10, TCM_PI_RW_BITS),
		.name = "WRITE(10)", TCM_PI_WRITE
	}, {
		.opcode = WRITE_12, TCM_PI_CDB12(WRITE_12, TCM_PI_RW_BITS),
		.name = "WRITE(12)", TCM_PI_WRITE
	}, {
		.opcode = WRITE_16, TCM_PI_CDB16(WRITE_16, TCM_PI_RW_BITS),
		.name = "WRITE(16)", TCM_PI_WRITE
	}, {
		TCM_PI_CDB32(TCM_SA_WRITE_32, TCM_PI_RW_BITS),
		.name = "WRITE(32)", TCM_PI_WRITE
	}, {
		.opcode = COMPARE_AND_WRITE, .name = "COMPARE AND WRITE", .cdb_len = 16,
		TCM_PI_EXCL, .xfer = TCM_XFER_EXTENT,
		.lba_at = 2, .lba_size = 8, .len_at = 13, .len_size = 1,
		.usage = { COMPARE_AND_WRITE, TCM_PI_RW_BITS, [2 ... 9] = 0xff, [13] = 0xff },
		.parse = tcm_sbc_pi_caw_parse, .exec = tcm_sbc_compare_and_write,
		.offered = tcm_sbc_caw_offered,
	}, {
		.opcode = TCM_ORWRITE_16, TCM_PI_CDB16(TCM_ORWRITE_16, TCM_PI_RW_BITS),
		.name = "ORWRITE(16)", TCM_PI_EXCL, .xfer = TCM_XFER_BLOCKS,
		.parse = tcm_sbc_pi_rw_parse, .exec = tcm_sbc_orwrite,
	}, {
		.opcode = TCM_WRITE_ATOMIC_16, .name = "WRITE ATOMIC(16)", .cdb_len = 16,
		TCM_PI_EXCL, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 8, .len_at = 12, .len_size = 2,
		.usage = { TCM_WRITE_ATOMIC_16, TCM_PI_RW_BITS, [2 ... 13] = 0xff },
		.parse = tcm_sbc_pi_write_atomic_parse, .exec = tcm_sbc_write_atomic,
		.offered = tcm_sbc_atomic_offered,
	}, {
		.opcode = WRITE_VERIFY, TCM_PI_CDB10(WRITE_VERIFY, TCM_PI_VERIFY_BITS),
		.name = "WRITE AND VERIFY(10)", TCM_PI_WRITE_VERIFY
	}, {
		.opcode = WRITE_VERIFY_12, TCM_PI_CDB12(WRITE_VERIFY_12, TCM_PI_VERIFY_BITS),
		.name = "WRITE AND VERIFY(12)", TCM_PI_WRITE_VERIFY
	}, {
		.opcode = WRITE_VERIFY_16, TCM_PI_CDB16(WRITE_VERIFY_16, TCM_PI_VERIFY_BITS),
		.name = "WRITE AND VERIFY(16)", TCM_PI_WRITE_VERIFY
	}, {
		TCM_PI_CDB32(TCM_SA_WRITE_VERIFY_32, TCM_PI_VERIFY_BITS),
		.name = "WRITE AND VERIFY(32)", TCM_PI_WRITE_VERIFY
	}, {
		.opcode = VERIFY, TCM_PI_CDB10(VERIFY, TCM_PI_VERIFY_BITS),
		.name = "VERIFY(10)", TCM_PI_VERIFIES
	}, {
		.opcode = VERIFY_12, TCM_PI_CDB12(VERIFY_12, TCM_PI_VERIFY_BITS),
		.name = "VERIFY(12)", TCM_PI_VERIFIES
	}, {
		.opcode = VERIFY_16, TCM_PI_CDB16(VERIFY_16, TCM_PI_VERIFY_BITS),
		.name = "VERIFY(16)", TCM_PI_VERIFIES
	}, {
		TCM_PI_CDB32(TCM_SA_VERIFY_32, TCM_PI_VERIFY_BITS),
		.name = "VERIFY(32)", TCM_PI_VERIFIES
	}, {
		.opcode = WRITE_SAME, TCM_PI_CDB10(WRITE_SAME, TCM_PI_SAME10_BITS),
		.name = "WRITE SAME(10)", TCM_PI_SAMES
	}, {
		.opcode = WRITE_SAME_16, TCM_PI_CDB16(WRITE_SAME_16, TCM_PI_SAME_BITS),
		.name = "WRITE SAME(16)", TCM_PI_SAMES
	}, {
		TCM_PI_CDB32(TCM_SA_WRITE_SAME_32, TCM_PI_SAME_BITS),
		.name = "WRITE SAME(32)", TCM_PI_SAMES
	},
};

const struct tcm_opcode *tcm_opcode_protected(const struct tcm_opcode *op,
					      const struct tcm_device *dev,
					      const struct tcm_session *sess)
{
	const struct tcm_opcode *row;

	if (op->opcode == FORMAT_UNIT ? !tcm_pi_possible(dev) : !tcm_pi_seen(dev, sess))
		return NULL;
	for (row = tcm_ops_pi; row < tcm_ops_pi + ARRAY_SIZE(tcm_ops_pi); row++)
		if (row->opcode == op->opcode && row->sa == op->sa)
			return row;
	return NULL;
}

bool tcm_opcode_has_pi(const struct tcm_opcode *op, const struct tcm_device *dev,
		       const struct tcm_session *sess)
{
	bool type_2 = tcm_pi_seen(dev, sess) == 2;

	return op->opcode == FORMAT_UNIT || type_2 == (op->cdb_len == TCM_LONG_CDB);
}
