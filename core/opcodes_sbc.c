// SPDX-License-Identifier: GPL-2.0-only
/*
 * Rows of the commands of SBC-4.
 */
#include "opcode.h"
#include "sbc.h"

/* Not in <scsi/scsi_proto.h> of every kernel */
#define TCM_PRE_FETCH_10	0x34
#define TCM_PRE_FETCH_16	0x90
#define TCM_SAI_REPORT_REFERRALS	0x13
#define TCM_READ_DEFECT_DATA_12	0xb7

#define TCM_SA_LBA_STATUS_32	0x0012

#define TCM_OP_BLOCKS	(TCM_OP_MEDIUM | TCM_OP_READY | TCM_OP_GROUP)
#define TCM_OP_READS	(TCM_OP_BLOCKS | TCM_OP_INLINE | TCM_OP_PR_WE)
#define TCM_OP_STORES	(TCM_OP_BLOCKS | TCM_OP_INLINE | TCM_OP_WRITES)
/* The same for commands of several accesses, or that allocate */
#define TCM_OP_LOOKS	(TCM_OP_BLOCKS | TCM_OP_PR_WE)
#define TCM_OP_ALTERS	(TCM_OP_BLOCKS | TCM_OP_WRITES)
#define TCM_OP_TELLS	(TCM_OP_INLINE | TCM_OP_PR_WE | TCM_OP_PR_EA | TCM_OP_PR_SPC2)

/*
 * Byte 1. RDPROTECT, WRPROTECT and VRPROTECT are reserved without PI; so are the bits that SBC-4
 * made obsolete, but for SYNC_NV.
 */
#define TCM_RW_BITS		0x18	/* DPO, FUA */
#define TCM_VERIFY_BITS		0x16	/* DPO, BYTCHK */
#define TCM_SYNC_BITS		0x06	/* SYNC_NV (the medium is the medium), IMMED */
#define TCM_SAME10_BITS		0x08	/* UNMAP */
#define TCM_SAME16_BITS		0x09	/* UNMAP, NDOB */
#define TCM_FORMAT_BITS		0x3f	/* LONGLIST, FMTDATA, CMPLST, DEFECT LIST FORMAT */
#define TCM_SANITIZE_BITS	0xbf	/* IMMED, AUSE, SERVICE ACTION */
#define TCM_IMMED_BIT		0x02
#define TCM_DEFECT_BITS		0x1f	/* REQ_PLIST, REQ_GLIST, DEFECT LIST FORMAT */
/*
 * Long CDBs: ADDITIONAL CDB LENGTH, SERVICE ACTION, LBA, then the expected tags, which mean
 * something with protection information only, and the length.
 */
#define TCM_LONG_BITS(bits)	{ VARIABLE_LENGTH_CMD, [7 ... 9] = 0xff, [10] = (bits), \
				  [12 ... 31] = 0xff }
/* POWER CONDITION, NO_FLUSH, LOEJ and START */
#define TCM_START_BITS		0xf7

const struct tcm_opcode tcm_ops_sbc[] = {
	{
		.opcode = REZERO_UNIT, .name = "REZERO UNIT", .cdb_len = 6,
		.dir = DMA_NONE, .flags = TCM_OP_INLINE | TCM_OP_READY | TCM_OP_PR_WE,
		.usage = { REZERO_UNIT },
		.exec = tcm_sbc_seek,
	}, {
		.opcode = FORMAT_UNIT, .name = "FORMAT UNIT", .cdb_len = 6,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_FN,
		.flags = TCM_OP_READY | TCM_OP_WRITES | TCM_OP_WHOLE,
		.usage = { FORMAT_UNIT, TCM_FORMAT_BITS },
		.parse = tcm_sbc_format_parse, .exec = tcm_sbc_format,
	}, {
		.opcode = READ_6, .name = "READ(6)", .cdb_len = 6,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BLOCKS6,
		.lba_at = 1, .lba_size = 3, .len_at = 4, .len_size = 1, .flags = TCM_OP_READS,
		.usage = { READ_6, 0x1f, [2 ... 4] = 0xff },
		.exec = tcm_sbc_read,
	}, {
		.opcode = WRITE_6, .name = "WRITE(6)", .cdb_len = 6,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS6,
		.lba_at = 1, .lba_size = 3, .len_at = 4, .len_size = 1,
		.flags = TCM_OP_STORES | TCM_OP_PARTIAL,
		.usage = { WRITE_6, 0x1f, [2 ... 4] = 0xff },
		.exec = tcm_sbc_write,
	}, {
		.opcode = SEEK_6, .name = "SEEK(6)", .cdb_len = 6,
		.dir = DMA_NONE, .xfer = TCM_XFER_EXTENT, .lba_at = 1, .lba_size = 3,
		.flags = TCM_OP_INLINE | TCM_OP_READY | TCM_OP_PR_WE,
		.usage = { SEEK_6, 0x1f, [2 ... 3] = 0xff },
		.exec = tcm_sbc_seek,
	}, {
		.opcode = START_STOP, .name = "START STOP UNIT", .cdb_len = 6,
		.dir = DMA_NONE,
		.pr_allowed = tcm_sbc_start_allowed,
		.usage = { START_STOP, 0x01, [4] = TCM_START_BITS },
		.parse = tcm_sbc_start_stop_parse, .exec = tcm_sbc_start_stop,
	}, {
		.opcode = ALLOW_MEDIUM_REMOVAL, .name = "PREVENT ALLOW MEDIUM REMOVAL",
		.cdb_len = 6, .dir = DMA_NONE, .pr_allowed = tcm_sbc_allow_allowed,
		.usage = { ALLOW_MEDIUM_REMOVAL, [4] = 0x01 },
		.exec = tcm_sbc_prevent, .offered = tcm_sbc_removable,
	}, {
		/*
		 * In standby, too: an initiator that finds its disk by such a port first never asks
		 * again, and fails over to a path that it takes for empty.
		 */
		.opcode = READ_CAPACITY, .name = "READ CAPACITY(10)", .cdb_len = 10,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_FN,
		.flags = TCM_OP_TELLS | TCM_OP_STANDBY,
		.usage = { READ_CAPACITY },
		.parse = tcm_sbc_capacity10_parse, .exec = tcm_sbc_read_capacity10,
	}, {
		.opcode = READ_10, .name = "READ(10)", .cdb_len = 10,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 4, .len_at = 7, .len_size = 2, .flags = TCM_OP_READS,
		.usage = { READ_10, TCM_RW_BITS, [2 ... 5] = 0xff, [7 ... 8] = 0xff },
		.exec = tcm_sbc_read,
	}, {
		.opcode = WRITE_10, .name = "WRITE(10)", .cdb_len = 10,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 4, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_STORES | TCM_OP_PARTIAL,
		.usage = { WRITE_10, TCM_RW_BITS, [2 ... 5] = 0xff, [7 ... 8] = 0xff },
		.exec = tcm_sbc_write,
	}, {
		.opcode = SEEK_10, .name = "SEEK(10)", .cdb_len = 10,
		.dir = DMA_NONE, .xfer = TCM_XFER_EXTENT, .lba_at = 2, .lba_size = 4,
		.flags = TCM_OP_INLINE | TCM_OP_READY | TCM_OP_PR_WE,
		.usage = { SEEK_10, [2 ... 5] = 0xff },
		.exec = tcm_sbc_seek,
	}, {
		.opcode = WRITE_VERIFY, .name = "WRITE AND VERIFY(10)", .cdb_len = 10,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 4, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_ALTERS | TCM_OP_PARTIAL,
		.usage = { WRITE_VERIFY, TCM_VERIFY_BITS, [2 ... 5] = 0xff, [7 ... 8] = 0xff },
		.parse = tcm_sbc_write_verify_parse, .exec = tcm_sbc_write_verify,
	}, {
		.opcode = VERIFY, .name = "VERIFY(10)", .cdb_len = 10,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_EXTENT,
		.lba_at = 2, .lba_size = 4, .len_at = 7, .len_size = 2, .flags = TCM_OP_LOOKS,
		.usage = { VERIFY, TCM_VERIFY_BITS, [2 ... 5] = 0xff, [7 ... 8] = 0xff },
		.parse = tcm_sbc_verify_parse, .exec = tcm_sbc_verify,
	}, {
		.opcode = SYNCHRONIZE_CACHE, .name = "SYNCHRONIZE CACHE(10)", .cdb_len = 10,
		.dir = DMA_NONE, .xfer = TCM_XFER_EXTENT,
		.lba_at = 2, .lba_size = 4, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_MEDIUM | TCM_OP_READY | TCM_OP_NO_RANGE | TCM_OP_GROUP,
		.usage = { SYNCHRONIZE_CACHE, TCM_SYNC_BITS, [2 ... 5] = 0xff, [7 ... 8] = 0xff },
		.exec = tcm_sbc_sync_cache,
	}, {
		.opcode = WRITE_SAME, .name = "WRITE SAME(10)", .cdb_len = 10,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_ONE_BLOCK,
		.lba_at = 2, .lba_size = 4, .len_at = 7, .len_size = 2, .flags = TCM_OP_ALTERS,
		.usage = { WRITE_SAME, TCM_SAME10_BITS, [2 ... 5] = 0xff, [7 ... 8] = 0xff },
		.parse = tcm_sbc_write_same_parse, .exec = tcm_sbc_write_same,
	}, {
		.opcode = UNMAP, .name = "UNMAP", .cdb_len = 10,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_ALTERS | TCM_OP_EXTENTS,
		.usage = { UNMAP, [7 ... 8] = 0xff },
		.exec = tcm_sbc_unmap, .offered = tcm_sbc_unmap_offered,
	}, {
		.opcode = TCM_SANITIZE, .sa_at = TCM_SA_BYTE1, .sa = 0x01,
		.name = "SANITIZE, OVERWRITE", .cdb_len = 10,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_READY | TCM_OP_WRITES | TCM_OP_WHOLE,
		.usage = { TCM_SANITIZE, TCM_SANITIZE_BITS, [7 ... 8] = 0xff },
		.parse = tcm_sbc_overwrite_parse, .exec = tcm_sbc_overwrite,
	}, {
		.opcode = TCM_SANITIZE, .sa_at = TCM_SA_BYTE1, .sa = 0x02,
		.name = "SANITIZE, BLOCK ERASE", .cdb_len = 10,
		.dir = DMA_NONE,
		.flags = TCM_OP_READY | TCM_OP_WRITES | TCM_OP_WHOLE,
		.usage = { TCM_SANITIZE, TCM_SANITIZE_BITS, [7 ... 8] = 0xff },
		.parse = tcm_sbc_sanitize_parse, .exec = tcm_sbc_block_erase,
	}, {
		.opcode = TCM_SANITIZE, .sa_at = TCM_SA_BYTE1, .sa = 0x1f,
		.name = "SANITIZE, EXIT FAILURE MODE", .cdb_len = 10,
		.dir = DMA_NONE,
		.flags = TCM_OP_READY | TCM_OP_WRITES,
		.usage = { TCM_SANITIZE, TCM_SANITIZE_BITS, [7 ... 8] = 0xff },
		.parse = tcm_sbc_sanitize_parse, .exec = tcm_sbc_exit_failure,
	}, {
		.opcode = READ_16, .name = "READ(16)", .cdb_len = 16,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4, .flags = TCM_OP_READS,
		.usage = { READ_16, TCM_RW_BITS, [2 ... 13] = 0xff },
		.exec = tcm_sbc_read,
	}, {
		.opcode = COMPARE_AND_WRITE, .name = "COMPARE AND WRITE", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_EXTENT,
		.lba_at = 2, .lba_size = 8, .len_at = 13, .len_size = 1,
		.flags = TCM_OP_ALTERS | TCM_OP_EXCL,
		.usage = { COMPARE_AND_WRITE, TCM_RW_BITS, [2 ... 9] = 0xff, [13] = 0xff },
		.parse = tcm_sbc_caw_parse, .exec = tcm_sbc_compare_and_write,
		.offered = tcm_sbc_caw_offered,
	}, {
		.opcode = WRITE_16, .name = "WRITE(16)", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_STORES | TCM_OP_PARTIAL,
		.usage = { WRITE_16, TCM_RW_BITS, [2 ... 13] = 0xff },
		.exec = tcm_sbc_write,
	}, {
		.opcode = TCM_ORWRITE_16, .name = "ORWRITE(16)", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_ALTERS | TCM_OP_EXCL,
		.usage = { TCM_ORWRITE_16, TCM_RW_BITS, [2 ... 13] = 0xff },
		.exec = tcm_sbc_orwrite,
	}, {
		.opcode = TCM_WRITE_ATOMIC_16, .name = "WRITE ATOMIC(16)", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 8, .len_at = 12, .len_size = 2,
		.flags = TCM_OP_ALTERS | TCM_OP_EXCL,
		.usage = { TCM_WRITE_ATOMIC_16, TCM_RW_BITS, [2 ... 13] = 0xff },
		.parse = tcm_sbc_write_atomic_parse, .exec = tcm_sbc_write_atomic,
		.offered = tcm_sbc_atomic_offered,
	}, {
		.opcode = WRITE_VERIFY_16, .name = "WRITE AND VERIFY(16)", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_ALTERS | TCM_OP_PARTIAL,
		.usage = { WRITE_VERIFY_16, TCM_VERIFY_BITS, [2 ... 13] = 0xff },
		.parse = tcm_sbc_write_verify_parse, .exec = tcm_sbc_write_verify,
	}, {
		.opcode = VERIFY_16, .name = "VERIFY(16)", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_EXTENT,
		.lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4, .flags = TCM_OP_LOOKS,
		.usage = { VERIFY_16, TCM_VERIFY_BITS, [2 ... 13] = 0xff },
		.parse = tcm_sbc_verify_parse, .exec = tcm_sbc_verify,
	}, {
		.opcode = SYNCHRONIZE_CACHE_16, .name = "SYNCHRONIZE CACHE(16)", .cdb_len = 16,
		.dir = DMA_NONE, .xfer = TCM_XFER_EXTENT,
		.lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_MEDIUM | TCM_OP_READY | TCM_OP_NO_RANGE | TCM_OP_GROUP,
		.usage = { SYNCHRONIZE_CACHE_16, TCM_SYNC_BITS, [2 ... 13] = 0xff },
		.exec = tcm_sbc_sync_cache,
	}, {
		.opcode = WRITE_SAME_16, .name = "WRITE SAME(16)", .cdb_len = 16,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_ONE_BLOCK,
		.lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4, .flags = TCM_OP_ALTERS,
		.usage = { WRITE_SAME_16, TCM_SAME16_BITS, [2 ... 13] = 0xff },
		.parse = tcm_sbc_write_same_parse, .exec = tcm_sbc_write_same,
	}, {
		.opcode = SERVICE_ACTION_IN_16, .sa_at = TCM_SA_BYTE1, .sa = SAI_READ_CAPACITY_16,
		.name = "READ CAPACITY(16)", .cdb_len = 16,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_TELLS | TCM_OP_STANDBY,
		.usage = { SERVICE_ACTION_IN_16, 0x1f, [10 ... 13] = 0xff },
		.exec = tcm_sbc_read_capacity16,
	}, {
		.opcode = SERVICE_ACTION_IN_16, .sa_at = TCM_SA_BYTE1, .sa = SAI_GET_LBA_STATUS,
		.name = "GET LBA STATUS(16)", .cdb_len = 16,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES,
		.lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_READY | TCM_OP_PR_WE,
		.usage = { SERVICE_ACTION_IN_16, 0x1f, [2 ... 13] = 0xff },
		.parse = tcm_sbc_lba_status_parse, .exec = tcm_sbc_lba_status,
	}, {
		.opcode = SERVICE_ACTION_IN_16, .sa_at = TCM_SA_BYTE1,
		.sa = TCM_SAI_REPORT_REFERRALS,
		.name = "REPORT REFERRALS", .cdb_len = 16,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES,
		.lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_PR_WE | TCM_OP_PR_EA | TCM_OP_STANDBY | TCM_OP_UNAVAIL,
		.usage = { SERVICE_ACTION_IN_16, 0x1f, [2 ... 13] = 0xff, 0x01 },
		.parse = tcm_sbc_referrals_parse, .exec = tcm_sbc_referrals,
		.offered = tcm_sbc_referrals_offered,
	}, {
		.opcode = READ_12, .name = "READ(12)", .cdb_len = 12,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 4, .len_at = 6, .len_size = 4, .flags = TCM_OP_READS,
		.usage = { READ_12, TCM_RW_BITS, [2 ... 9] = 0xff },
		.exec = tcm_sbc_read,
	}, {
		.opcode = WRITE_12, .name = "WRITE(12)", .cdb_len = 12,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 4, .len_at = 6, .len_size = 4,
		.flags = TCM_OP_STORES | TCM_OP_PARTIAL,
		.usage = { WRITE_12, TCM_RW_BITS, [2 ... 9] = 0xff },
		.exec = tcm_sbc_write,
	}, {
		.opcode = WRITE_VERIFY_12, .name = "WRITE AND VERIFY(12)", .cdb_len = 12,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 2, .lba_size = 4, .len_at = 6, .len_size = 4,
		.flags = TCM_OP_ALTERS | TCM_OP_PARTIAL,
		.usage = { WRITE_VERIFY_12, TCM_VERIFY_BITS, [2 ... 9] = 0xff },
		.parse = tcm_sbc_write_verify_parse, .exec = tcm_sbc_write_verify,
	}, {
		.opcode = TCM_PRE_FETCH_10, .name = "PRE-FETCH(10)", .cdb_len = 10,
		.dir = DMA_NONE, .xfer = TCM_XFER_EXTENT,
		.lba_at = 2, .lba_size = 4, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_READY | TCM_OP_PR_WE | TCM_OP_GROUP,
		.usage = { TCM_PRE_FETCH_10, TCM_IMMED_BIT, [2 ... 5] = 0xff, [7 ... 8] = 0xff },
		.exec = tcm_sbc_prefetch,
	}, {
		.opcode = TCM_PRE_FETCH_16, .name = "PRE-FETCH(16)", .cdb_len = 16,
		.dir = DMA_NONE, .xfer = TCM_XFER_EXTENT,
		.lba_at = 2, .lba_size = 8, .len_at = 10, .len_size = 4,
		.flags = TCM_OP_READY | TCM_OP_PR_WE | TCM_OP_GROUP,
		.usage = { TCM_PRE_FETCH_16, TCM_IMMED_BIT, [2 ... 13] = 0xff },
		.exec = tcm_sbc_prefetch,
	}, {
		.opcode = READ_DEFECT_DATA, .name = "READ DEFECT DATA(10)", .cdb_len = 10,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 7, .len_size = 2,
		.flags = TCM_OP_INLINE | TCM_OP_READY | TCM_OP_PR_WE,
		.usage = { READ_DEFECT_DATA, [2] = TCM_DEFECT_BITS, [7 ... 8] = 0xff },
		.parse = tcm_sbc_defect_parse, .exec = tcm_sbc_defect_data,
	}, {
		.opcode = TCM_READ_DEFECT_DATA_12, .name = "READ DEFECT DATA(12)", .cdb_len = 12,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES, .len_at = 6, .len_size = 4,
		.flags = TCM_OP_INLINE | TCM_OP_READY | TCM_OP_PR_WE,
		.usage = { TCM_READ_DEFECT_DATA_12, TCM_DEFECT_BITS, [2 ... 9] = 0xff },
		.parse = tcm_sbc_defect_parse, .exec = tcm_sbc_defect_data,
	}, {
		.opcode = VARIABLE_LENGTH_CMD, .sa_at = TCM_SA_BYTE8, .sa = TCM_SA_READ_32,
		.name = "READ(32)", .cdb_len = TCM_LONG_CDB,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 12, .lba_size = 8, .len_at = 28, .len_size = 4, .flags = TCM_OP_READS,
		.usage = TCM_LONG_BITS(TCM_RW_BITS),
		.parse = tcm_sbc_long_parse,
		.exec = tcm_sbc_read_long,
	}, {
		.opcode = VARIABLE_LENGTH_CMD, .sa_at = TCM_SA_BYTE8, .sa = TCM_SA_VERIFY_32,
		.name = "VERIFY(32)", .cdb_len = TCM_LONG_CDB,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_EXTENT,
		.lba_at = 12, .lba_size = 8, .len_at = 28, .len_size = 4, .flags = TCM_OP_LOOKS,
		.usage = TCM_LONG_BITS(TCM_VERIFY_BITS),
		.parse = tcm_sbc_verify_parse,
		.exec = tcm_sbc_verify,
	}, {
		.opcode = VARIABLE_LENGTH_CMD, .sa_at = TCM_SA_BYTE8, .sa = TCM_SA_WRITE_32,
		.name = "WRITE(32)", .cdb_len = TCM_LONG_CDB,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 12, .lba_size = 8, .len_at = 28, .len_size = 4, .flags = TCM_OP_STORES,
		.usage = TCM_LONG_BITS(TCM_RW_BITS),
		.parse = tcm_sbc_long_parse,
		.exec = tcm_sbc_write_long,
	}, {
		.opcode = VARIABLE_LENGTH_CMD, .sa_at = TCM_SA_BYTE8, .sa = TCM_SA_WRITE_VERIFY_32,
		.name = "WRITE AND VERIFY(32)", .cdb_len = TCM_LONG_CDB,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_BLOCKS,
		.lba_at = 12, .lba_size = 8, .len_at = 28, .len_size = 4, .flags = TCM_OP_ALTERS,
		.usage = TCM_LONG_BITS(TCM_VERIFY_BITS),
		.parse = tcm_sbc_write_verify_parse,
		.exec = tcm_sbc_write_verify,
	}, {
		.opcode = VARIABLE_LENGTH_CMD, .sa_at = TCM_SA_BYTE8, .sa = TCM_SA_WRITE_SAME_32,
		.name = "WRITE SAME(32)", .cdb_len = TCM_LONG_CDB,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_ONE_BLOCK,
		.lba_at = 12, .lba_size = 8, .len_at = 28, .len_size = 4, .flags = TCM_OP_ALTERS,
		.usage = TCM_LONG_BITS(TCM_SAME16_BITS),
		.parse = tcm_sbc_write_same_parse,
		.exec = tcm_sbc_write_same,
	}, {
		.opcode = VARIABLE_LENGTH_CMD, .sa_at = TCM_SA_BYTE8, .sa = TCM_SA_LBA_STATUS_32,
		.name = "GET LBA STATUS(32)", .cdb_len = TCM_LONG_CDB,
		.dir = DMA_FROM_DEVICE, .xfer = TCM_XFER_BYTES,
		.lba_at = 12, .lba_size = 8, .len_at = 28, .len_size = 4,
		.flags = TCM_OP_READY | TCM_OP_PR_WE,
		.usage = { VARIABLE_LENGTH_CMD, [7 ... 9] = 0xff, [12 ... 19] = 0xff,
			   [28 ... 31] = 0xff },
		.parse = tcm_sbc_lba_status_parse, .exec = tcm_sbc_lba_status,
	}, {
		.opcode = VERIFY_12, .name = "VERIFY(12)", .cdb_len = 12,
		.dir = DMA_TO_DEVICE, .xfer = TCM_XFER_EXTENT,
		.lba_at = 2, .lba_size = 4, .len_at = 6, .len_size = 4, .flags = TCM_OP_LOOKS,
		.usage = { VERIFY_12, TCM_VERIFY_BITS, [2 ... 9] = 0xff },
		.parse = tcm_sbc_verify_parse, .exec = tcm_sbc_verify,
	},
};

const unsigned int tcm_ops_sbc_count = ARRAY_SIZE(tcm_ops_sbc);
