// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of the commands of SBC-4.
 */
#include "opcode.h"
#include "sbc.h"

#define TCM_OP_READS	(TCM_OP_INLINE | TCM_OP_MEDIUM | TCM_OP_PR_WE)
#define TCM_OP_STORES	(TCM_OP_INLINE | TCM_OP_MEDIUM | TCM_OP_WRITES)

/* Byte 1 of READ and WRITE: DPO and FUA. RDPROTECT and WRPROTECT are reserved without PI. */
#define TCM_RW_FLAGS	0x18

const struct tcm_opcode tcm_ops_sbc[] = {
	{
		.opcode = READ_6, .name = "READ(6)", .cdb_len = 6,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BLOCKS6,
		.lba_at = 1, .lba_size = 3, .len_at = 4, .len_size = 1, .flags = TCM_OP_READS,
		.usage = { READ_6, 0x1f, 0xff, 0xff, 0xff },
		.exec = tcm_sbc_read,
	}, {
		.opcode = WRITE_6, .name = "WRITE(6)", .cdb_len = 6,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS6,
		.lba_at = 1, .lba_size = 3, .len_at = 4, .len_size = 1, .flags = TCM_OP_STORES,
		.usage = { WRITE_6, 0x1f, 0xff, 0xff, 0xff },
		.exec = tcm_sbc_write,
	}, {
		.opcode = READ_CAPACITY, .name = "READ CAPACITY(10)", .cdb_len = 10,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES,
		.flags = TCM_OP_PR_WE | TCM_OP_PR_EA,
		.usage = { READ_CAPACITY },
		.exec = tcm_sbc_read_capacity10,
	}, {
		.opcode = READ_10, .name = "READ(10)", .cdb_len = 10,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 4, .len_at = 7, .len_size = 2, .flags = TCM_OP_READS,
		.usage = { READ_10, TCM_RW_FLAGS, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff },
		.exec = tcm_sbc_read,
	}, {
		.opcode = WRITE_10, .name = "WRITE(10)", .cdb_len = 10,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 4, .len_at = 7, .len_size = 2, .flags = TCM_OP_STORES,
		.usage = { WRITE_10, TCM_RW_FLAGS, 0xff, 0xff, 0xff, 0xff, 0, 0xff, 0xff },
		.exec = tcm_sbc_write,
	}, {
		.opcode = READ_16, .name = "READ(16)", .cdb_len = 16,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4, .flags = TCM_OP_READS,
		.usage = { READ_16, TCM_RW_FLAGS, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			   0xff, 0xff, 0xff, 0xff },
		.exec = tcm_sbc_read,
	}, {
		.opcode = WRITE_16, .name = "WRITE(16)", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4, .flags = TCM_OP_STORES,
		.usage = { WRITE_16, TCM_RW_FLAGS, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
			   0xff, 0xff, 0xff, 0xff },
		.exec = tcm_sbc_write,
	}, {
		.opcode = SERVICE_ACTION_IN_16, .sa_at = TCM_SA_BYTE1, .sa = SAI_READ_CAPACITY_16,
		.name = "READ CAPACITY(16)", .cdb_len = 16,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_PR_WE | TCM_OP_PR_EA,
		.usage = { SERVICE_ACTION_IN_16, 0x1f, 0, 0, 0, 0, 0, 0, 0, 0,
			   0xff, 0xff, 0xff, 0xff },
		.exec = tcm_sbc_read_capacity16,
	}, {
		.opcode = READ_12, .name = "READ(12)", .cdb_len = 12,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 4, .len_at = 6, .len_size = 4, .flags = TCM_OP_READS,
		.usage = { READ_12, TCM_RW_FLAGS, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		.exec = tcm_sbc_read,
	}, {
		.opcode = WRITE_12, .name = "WRITE(12)", .cdb_len = 12,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 4, .len_at = 6, .len_size = 4, .flags = TCM_OP_STORES,
		.usage = { WRITE_12, TCM_RW_FLAGS, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff },
		.exec = tcm_sbc_write,
	},
};

const unsigned int tcm_ops_sbc_count = ARRAY_SIZE(tcm_ops_sbc);
