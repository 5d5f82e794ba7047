// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that answer or act without data of the medium.
 */
#include <linux/unaligned.h>
#include "../tests/kunit/rig.h"
#include "attr.h"
#include "opcode.h"
#include "sbc.h"

static void command_capacity(struct kunit *test)
{
	static const u8 rc10[10] = { READ_CAPACITY };
	static const u8 rc16[16] = { SERVICE_ACTION_IN_16, 0x10, [13] = 32 };
	struct tcm_rig *rig = test->priv;
	u8 buf[32] = { };

	tcm_rig_settle(test);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, rc10, 10, DMA_FROM_DEVICE, buf, 8), TCM_OK);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(buf), TCM_RIG_BLOCKS - 1U);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(buf + 4), 512U);
	rig->dev->limits.phys_block_exp = 3;
	rig->dev->limits.align_offset = 7;
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, rc16, 16, DMA_FROM_DEVICE, buf, 32), TCM_OK);
	KUNIT_EXPECT_EQ(test, get_unaligned_be64(buf), TCM_RIG_BLOCKS - 1ULL);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(buf + 8), 512U);
	KUNIT_EXPECT_EQ(test, buf[13], 3);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(buf + 14), 7);
	rig->dev->attr.emulate_tpu = 1;
	rig->dev->attr.unmap_zeroes_data = 1;
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, rc16, 16, DMA_FROM_DEVICE, buf, 32), TCM_OK);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(buf + 14), 0xc007);
}

/* submit_type 2: not in the caller's context, which the rig's could be; nor on a later nexus */
static void command_submit_type(struct kunit *test)
{
	static const u8 tur[6];
	struct tcm_rig *rig = test->priv;
	const char *why = NULL;
	unsigned int type;

	tcm_rig_settle(test);
	for (type = 0; type <= TCM_SUBMIT_QUEUE; type++) {
		KUNIT_EXPECT_EQ(test, 0, tcm_attr_set(rig->dev, TCM_ATTR_submit_type, type, &why));
		KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, tur, 6, DMA_NONE, NULL, 0), TCM_OK);
		KUNIT_EXPECT_EQ(test, !!(rig->cmd.flags & TCM_CMD_HOPPED),
				type == TCM_SUBMIT_QUEUE);
	}
	KUNIT_EXPECT_EQ(test, 0, tcm_attr_set(rig->dev, TCM_ATTR_submit_type, 0, &why));
	KUNIT_EXPECT_FALSE(test, test_bit(TCM_GATE_QUEUE, &tcm_rig_map(rig, 0)->gate));
}

/* START STOP UNIT: what a stopped unit refuses, and that REQUEST SENSE tells why */
static void command_start_stop(struct kunit *test)
{
	static const u8 tur[6], stop[6] = { START_STOP }, start[6] = { START_STOP, 0, 0, 0, 1 };
	static const u8 standby[6] = { START_STOP, 0, 0, 0, 0x30 };
	static const u8 reserved[6] = { START_STOP, 0, 0, 0, 0x40 };
	static const u8 sense[6] = { REQUEST_SENSE, 0, 0, 0, 18 };
	struct tcm_rig *rig = test->priv;
	unsigned int before;
	u8 buf[18] = { };

	tcm_rig_settle(test);
	before = rig->submitted;
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, stop, 6, DMA_NONE, NULL, 0), TCM_OK);
	/* what was in the cache went to the medium */
	KUNIT_EXPECT_EQ(test, rig->submitted, before + 1);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, tur, 6, DMA_NONE, NULL, 0),
			TCM_NOT_READY_INIT_REQUIRED);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, sense, 6, DMA_FROM_DEVICE, buf, 18), TCM_OK);
	KUNIT_EXPECT_EQ(test, buf[2], NOT_READY);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(buf + 12), 0x0402);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, reserved, 6, DMA_NONE, NULL, 0),
			TCM_INVALID_FIELD_CDB);
	/* a power condition starts nothing */
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, standby, 6, DMA_NONE, NULL, 0), TCM_OK);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, tur, 6, DMA_NONE, NULL, 0),
			TCM_NOT_READY_INIT_REQUIRED);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, start, 6, DMA_NONE, NULL, 0), TCM_OK);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, tur, 6, DMA_NONE, NULL, 0), TCM_OK);
}

static void command_sync(struct kunit *test)
{
	static const struct {
		u8 cdb[10];
		enum tcm_sense sense;
		unsigned int flushes;
	} t[] = {
		{ { SYNCHRONIZE_CACHE }, TCM_OK, 1 },
		{ { SYNCHRONIZE_CACHE, 0, 0, 0x1f, 0xff, 0xff, [8] = 1 }, TCM_OK, 1 },
		{ { SYNCHRONIZE_CACHE, 0, 0, 0x20, 0, 0 }, TCM_OK, 0 },
		{ { SYNCHRONIZE_CACHE, 0, 0, 0x20, 0, 0, [8] = 1 }, TCM_LBA_OUT_OF_RANGE, 0 },
		{ { SYNCHRONIZE_CACHE, 0, 0, 0x20, 0, 1 }, TCM_LBA_OUT_OF_RANGE, 0 },
	};
	struct tcm_rig *rig = test->priv;
	unsigned int before;
	int i;

	tcm_rig_settle(test);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		before = rig->submitted;
		KUNIT_EXPECT_EQ_MSG(test, tcm_rig_run(test, 0, t[i].cdb, 10, DMA_NONE, NULL, 0),
				    t[i].sense, "%10ph", t[i].cdb);
		KUNIT_EXPECT_EQ_MSG(test, rig->submitted - before, t[i].flushes, "%10ph",
				    t[i].cdb);
	}
}

/* The bit that a function has in REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS */
static void command_tmf_report(struct kunit *test)
{
	static const u8 basic[12] = { MAINTENANCE_IN, 0x0d, 0, [9] = 16 };
	static const u8 extended[12] = { MAINTENANCE_IN, 0x0d, 0x80, [9] = 16 };
	static const u8 none[12] = { MAINTENANCE_IN, 0x0d, 0, [9] = 3 };
	struct tcm_rig *rig = test->priv;
	u8 buf[16] = { };

	tcm_rig_settle(test);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, basic, 12, DMA_FROM_DEVICE, buf, 16), TCM_OK);
	KUNIT_EXPECT_EQ(test, rig->xfer_len, 4U);
	/* ABORT TASK and ABORT TASK SET: nothing works without */
	KUNIT_EXPECT_EQ(test, buf[0] & 0xc0, 0xc0);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, extended, 12, DMA_FROM_DEVICE, buf, 16), TCM_OK);
	KUNIT_EXPECT_EQ(test, rig->xfer_len, 16U);
	KUNIT_EXPECT_EQ(test, buf[3], 12);
	KUNIT_EXPECT_EQ(test, buf[6], buf[0]);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, none, 12, DMA_FROM_DEVICE, buf, 3),
			TCM_INVALID_FIELD_CDB);
}

/* One row by REPORT SUPPORTED OPERATION CODES, in each of its options */
static void command_rsoc_one(struct kunit *test)
{
	static const struct {
		u8 option, opcode, sa;
		enum tcm_sense sense;
		u8 support, cdb_len;
	} t[] = {
		{ 1, READ_16, 0, TCM_OK, 3, 16 },
		{ 1, 0xff, 0, TCM_OK, 1 },
		{ 2, READ_16, 0, TCM_INVALID_FIELD_CDB },
		{ 1, SERVICE_ACTION_IN_16, 0, TCM_INVALID_FIELD_CDB },
		{ 2, SERVICE_ACTION_IN_16, 0x10, TCM_OK, 3, 16 },
		{ 2, SERVICE_ACTION_IN_16, 0x1f, TCM_OK, 1 },
		{ 3, SERVICE_ACTION_IN_16, 0x10, TCM_OK, 3, 16 },
		{ 3, INQUIRY, 0, TCM_OK, 3, 6 },
		{ 3, INQUIRY, 1, TCM_OK, 1 },
		{ 4, INQUIRY, 0, TCM_INVALID_FIELD_CDB },
		{ 0x80 | 1, READ_10, 0, TCM_OK, 0x83, 10 },
	};
	struct tcm_rig *rig = test->priv;
	enum tcm_sense got;
	u8 buf[64] = { };
	int i;

	tcm_rig_settle(test);
	for (i = 0; i < ARRAY_SIZE(t); i++) {
		u8 cdb[12] = {
			MAINTENANCE_IN, 0x0c, t[i].option, t[i].opcode, 0, t[i].sa, [9] = 64
		};

		got = tcm_rig_run(test, 0, cdb, 12, DMA_FROM_DEVICE, buf, 64);
		KUNIT_EXPECT_EQ_MSG(test, got, t[i].sense, "%12ph", cdb);
		if (got)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, buf[1], t[i].support, "%12ph", cdb);
		KUNIT_EXPECT_EQ_MSG(test, get_unaligned_be16(buf + 2), t[i].cdb_len, "%12ph", cdb);
		KUNIT_EXPECT_EQ_MSG(test, rig->xfer_len,
				    4U + t[i].cdb_len + (t[i].option & 0x80 ? 12 : 0), "%12ph",
				    cdb);
		if (t[i].cdb_len)
			KUNIT_EXPECT_EQ_MSG(test, buf[4], t[i].opcode, "%12ph", cdb);
	}
	rig->dev->attr.emulate_rsoc = 0;
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, (u8[12]) { MAINTENANCE_IN, 0x0c, [9] = 64 }, 12,
					  DMA_FROM_DEVICE, buf, 64), TCM_INVALID_FIELD_CDB);
}

/* The initiator's buffer against what the CDB asks for (SAM-5 5.1) */
static void command_residuals(struct kunit *test)
{
	static const u8 read2[10] = { READ_10, [8] = 2 }, write2[10] = { WRITE_10, [8] = 2 };
	struct tcm_rig *rig = test->priv;
	u8 *buf = kunit_kzalloc(test, 2048, GFP_KERNEL);
	unsigned int before;

	KUNIT_ASSERT_NOT_NULL(test, buf);
	tcm_rig_settle(test);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, read2, 10, DMA_FROM_DEVICE, buf, 2048), TCM_OK);
	KUNIT_EXPECT_EQ(test, rig->residual, 1024U);
	KUNIT_EXPECT_FALSE(test, rig->overflow);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, read2, 10, DMA_FROM_DEVICE, buf, 512), TCM_OK);
	KUNIT_EXPECT_EQ(test, rig->residual, 512U);
	KUNIT_EXPECT_TRUE(test, rig->overflow);
	KUNIT_EXPECT_EQ(test, rig->xfer_len, 512U);
	/* data-out that is not all there, and a buffer for the other direction: nothing moves */
	before = rig->submitted;
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, write2, 10, DMA_TO_DEVICE, buf, 1000),
			TCM_INVALID_FIELD_IU);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, read2, 10, DMA_TO_DEVICE, buf, 1024),
			TCM_INVALID_FIELD_IU);
	KUNIT_EXPECT_EQ(test, rig->xfer_len, 0U);
	KUNIT_EXPECT_EQ(test, rig->submitted, before);
}

static struct kunit_case command_tests[] = {
	KUNIT_CASE(command_capacity),
	KUNIT_CASE(command_submit_type),
	KUNIT_CASE(command_start_stop),
	KUNIT_CASE(command_sync),
	KUNIT_CASE(command_tmf_report),
	KUNIT_CASE(command_rsoc_one),
	KUNIT_CASE(command_residuals),
	{ }
};

static struct kunit_suite command_suite = {
	.name = "tcm_command",
	.init = tcm_rig_init,
	.exit = tcm_rig_exit,
	.test_cases = command_tests,
};

kunit_test_suites(&command_suite);
