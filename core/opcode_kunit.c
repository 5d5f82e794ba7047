// SPDX-License-Identifier: GPL-2.0-only
/*
 * The opcode table against its parser: every row, every bit.
 */
#include <linux/unaligned.h>
#include "../tests/kunit/rig.h"
#include "opcode.h"
#include "sbc.h"

#define OPCODE_SANITIZE_OVERWRITE	0x01

/* Fields that have no default: a mode, a type, lengths that must be in step */
static void opcode_own_rules(const struct tcm_opcode *op, u8 *cdb)
{
	switch (op->opcode) {
	case READ_BUFFER:
	case WRITE_BUFFER:
		cdb[1] = 0x02;		/* data */
		break;
	case PERSISTENT_RESERVE_OUT:
		cdb[8] = 24;
		/* RESERVE, RELEASE and REPLACE LOST RESERVATION have a TYPE */
		if (op->sa == 0x01 || op->sa == 0x02 || op->sa == 0x08)
			cdb[2] = 0x01;
		break;
	case TCM_SANITIZE:
		if (op->sa == OPCODE_SANITIZE_OVERWRITE)
			cdb[8] = 5;
		break;
	case VARIABLE_LENGTH_CMD:
		cdb[7] = op->cdb_len - 8;
		break;
	default:
		break;
	}
}

/* A CDB with nothing but what finds the row, and what each row's own rules ask for */
static void opcode_plain(const struct tcm_opcode *op, u8 *cdb)
{
	memset(cdb, 0, TCM_CDB_MAX);
	cdb[0] = op->opcode;
	if (op->sa_at == TCM_SA_BYTE1)
		cdb[1] = op->sa;
	else if (op->sa_at == TCM_SA_BYTE8)
		put_unaligned_be16(op->sa, cdb + 8);
	/* answers that have a least length */
	if (op->xfer == TCM_XFER_BYTES && op->dir == DMA_FROM_DEVICE)
		cdb[op->len_at + op->len_size - 1] = 0xfc;
	/* zero would be "to the end", which VPD B0h says is not so (WSNZ) */
	if (op->xfer == TCM_XFER_ONE_BLOCK)
		cdb[op->len_at + op->len_size - 1] = 1;
	opcode_own_rules(op, cdb);
}

/* Rows with a twin: one of them is for units whose medium can be taken out. */
static void opcode_offer(struct tcm_rig *rig, const struct tcm_opcode *op)
{
	rig->dev->attr.removable = 0;
	rig->dev->attr.removable = !tcm_opcode_offered(op, rig->dev);
}

/* Take in a CDB and give it back; the outcome of the parser. */
static enum tcm_sense opcode_parse(struct kunit *test, const u8 *cdb, unsigned int len)
{
	struct tcm_rig *rig = test->priv;
	struct scsi_lun lun = { };

	KUNIT_ASSERT_EQ(test, 0, tcm_cmd_init(&rig->cmd, rig->sess, &lun, cdb, len));
	rig->sense = rig->cmd.sense;
	/* nothing was submitted: the fabric may put what it took in */
	if (rig->cmd.flags & TCM_CMD_COUNTED)
		this_cpu_inc(rig->cmd.map->stats->done);
	else if (rig->cmd.flags & TCM_CMD_PINNED)
		atomic_dec(&rig->cmd.map->pinned);
	tcm_cmd_put(&rig->cmd);
	return rig->sense;
}

static bool opcode_is_plain(const struct tcm_opcode *op, void *arg)
{
	struct kunit *test = arg;
	u8 cdb[TCM_CDB_MAX];
	enum tcm_sense sense;

	opcode_offer(test->priv, op);
	opcode_plain(op, cdb);
	sense = opcode_parse(test, cdb, op->cdb_len);
	KUNIT_EXPECT_EQ_MSG(test, sense, TCM_OK, "%s: %05x", op->name, sense);
	KUNIT_EXPECT_EQ_MSG(test, op->usage[0], op->opcode, "%s", op->name);
	/* too short by a byte, which the field pointer names */
	sense = opcode_parse(test, cdb, op->cdb_len - 1);
	KUNIT_EXPECT_NE_MSG(test, sense, TCM_OK, "%s", op->name);
	return true;
}

static void opcode_rows_parse(struct kunit *test)
{
	struct tcm_rig *rig = test->priv;

	rig->dev->attr.emulate_tpu = 1;
	tcm_opcode_for_each(opcode_is_plain, test);
}

/* Each reserved bit alone, then all of them: refused, and the field pointer is right. */
static bool opcode_reserved_bits(const struct tcm_opcode *op, void *arg)
{
	struct kunit *test = arg;
	struct tcm_rig *rig = test->priv;
	u8 cdb[TCM_CDB_MAX];
	int i, bit, first = 0;

	opcode_offer(rig, op);
	for (i = 1; i < op->cdb_len; i++)
		for (bit = 7; bit >= 0; bit--) {
			if (tcm_opcode_usage(op, i) & BIT(bit))
				continue;
			first = first ?: i;
			opcode_plain(op, cdb);
			cdb[i] |= BIT(bit);
			KUNIT_EXPECT_EQ_MSG(test, opcode_parse(test, cdb, op->cdb_len),
					    TCM_INVALID_FIELD_CDB, "%s byte %d bit %d", op->name,
					    i, bit);
			KUNIT_EXPECT_EQ(test, rig->cmd.extra.flags, TCM_SX_FIELD | TCM_SX_BIT);
			KUNIT_EXPECT_EQ_MSG(test, rig->cmd.extra.field, i, "%s", op->name);
			KUNIT_EXPECT_EQ_MSG(test, (int)rig->cmd.extra.bit, bit, "%s", op->name);
		}
	opcode_plain(op, cdb);
	for (i = 1; i < op->cdb_len; i++)
		cdb[i] |= ~tcm_opcode_usage(op, i);
	KUNIT_EXPECT_EQ_MSG(test, opcode_parse(test, cdb, op->cdb_len), TCM_INVALID_FIELD_CDB,
			    "%s", op->name);
	KUNIT_EXPECT_EQ_MSG(test, rig->cmd.extra.field, first, "%s", op->name);
	return true;
}

static void opcode_reserved(struct kunit *test)
{
	struct tcm_rig *rig = test->priv;

	rig->dev->attr.emulate_tpu = 1;
	tcm_opcode_for_each(opcode_reserved_bits, test);
}

/* What the table says of lengths and what the parser makes of them; blocks of 512 bytes */
static void opcode_lengths(struct kunit *test)
{
	static const struct {
		u8 cdb[16];
		u8 len;
		enum tcm_sense sense;
		u64 lba;
		u32 nblocks, data_len;
	} t[] = {
		{ { READ_6, 0, 0, 1, 0 }, 6, TCM_OK, 1, 256, 256 << 9 },
		{ { READ_6, 0x1f, 0xff, 0xff, 1 }, 6, TCM_OK, 0x1fffff, 1, 512 },
		{ { WRITE_6, 0, 0, 0, 255 }, 6, TCM_OK, 0, 255, 255 << 9 },
		{ { READ_10, 0, 1, 2, 3, 4, 0, 0, 0 }, 10, TCM_OK, 0x01020304, 0, 0 },
		{ { READ_10, 0, 0, 0, 0, 0, 0, 8, 0 }, 10, TCM_OK, 0, 2048, 1 << 20 },
		/* 256 pages are the most that this fabric moves: 2048 blocks */
		{ { READ_10, 0, 0, 0, 0, 0, 0, 8, 1 }, 10, TCM_INVALID_FIELD_CDB },
		{ { WRITE_10, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 10, TCM_INVALID_FIELD_CDB },
		{ { READ_12, 0, 0, 0, 0, 9, 0, 0, 0, 2 }, 12, TCM_OK, 9, 2, 1024 },
		{ { READ_12, [6] = 0xff, 0xff, 0xff, 0xff }, 12, TCM_INVALID_FIELD_CDB },
		{ { READ_16, 0, 1, 0, 0, 0, 0, 0, 0, 2, 0, 0, 0, 3 }, 16, TCM_OK,
		  0x0100000000000002ULL, 3, 1536 },
		{ { WRITE_16, 0, [10] = 0xff, 0xff, 0xff, 0xff }, 16, TCM_INVALID_FIELD_CDB },
		{ { WRITE_SAME_16, 0, [10] = 0xff, 0xff, 0xff, 0xff }, 16, TCM_INVALID_FIELD_CDB },
		{ { WRITE_SAME, 0, 0, 0, 0, 0, 0, 0, 7 }, 10, TCM_OK, 0, 7, 512 },
		{ { VERIFY, 0, 0, 0, 0, 0, 0, 0xff, 0xff }, 10, TCM_OK, 0, 65535, 0 },
		{ { VERIFY, 0x02, 0, 0, 0, 0, 0, 0, 4 }, 10, TCM_OK, 0, 4, 2048 },
		{ { VERIFY, 0x06, 0, 0, 0, 0, 0, 0xff, 0xff }, 10, TCM_OK, 0, 65535, 512 },
		{ { VERIFY, 0x04, 0, 0, 0, 0, 0, 0, 4 }, 10, TCM_INVALID_FIELD_CDB },
		{ { COMPARE_AND_WRITE, [13] = 1 }, 16, TCM_OK, 0, 1, 1024 },
		{ { COMPARE_AND_WRITE, [13] = 2 }, 16, TCM_OK, 0, 2, 2048 },
		{ { SYNCHRONIZE_CACHE, 0, 0, 0, 0, 1, 0, 0, 9 }, 10, TCM_OK, 1, 9, 0 },
		{ { INQUIRY, 0, 0, 0xff, 0xff }, 6, TCM_OK, 0, 0, 0xffff },
		{ { INQUIRY, 0, 0, 0, 0 }, 6, TCM_OK, 0, 0, 0 },
		{ { INQUIRY, 0, 0x83, 0, 64 }, 6, TCM_INVALID_FIELD_CDB },
		{ { REPORT_LUNS, [6] = 0xff, 0xff, 0xff, 0xff }, 12, TCM_OK, 0, 0, TCM_ANSWER_MAX },
		{ { REPORT_LUNS, [9] = 15 }, 12, TCM_INVALID_FIELD_CDB },
		/* saved values: the device has a serial number, and so a file */
		{ { MODE_SENSE, 0, 0xff, 0xff, 4 }, 6, TCM_OK, 0, 0, 4 },
		{ { READ_CAPACITY }, 10, TCM_OK, 0, 0, 8 },
	};
	struct tcm_rig *rig = test->priv;
	int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		const u8 *c = t[i].cdb;

		KUNIT_EXPECT_EQ_MSG(test, opcode_parse(test, c, t[i].len), t[i].sense, "%*ph",
				    t[i].len, c);
		if (t[i].sense)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, rig->cmd.data_len, t[i].data_len, "%*ph", t[i].len, c);
		if (rig->cmd.op->lba_at) {
			KUNIT_EXPECT_EQ_MSG(test, rig->cmd.lba, t[i].lba, "%*ph", t[i].len, c);
			KUNIT_EXPECT_EQ_MSG(test, rig->cmd.nblocks, t[i].nblocks, "%*ph",
					    t[i].len, c);
		}
	}
}

static void opcode_unknown(struct kunit *test)
{
	struct tcm_rig *rig = test->priv;
	u8 cdb[TCM_CDB_MAX] = { };
	unsigned int op, sa;

	for (op = 0; op < 256; op++) {
		const struct tcm_opcode_run *run = tcm_opcode_run(op);
		enum tcm_sense sense;

		cdb[0] = op;
		cdb[1] = 0;
		if (!run->n) {
			KUNIT_EXPECT_EQ_MSG(test, opcode_parse(test, cdb, 16), TCM_INVALID_OPCODE,
					    "%02x", op);
			continue;
		}
		if (run->rows->sa_at != TCM_SA_BYTE1)
			continue;
		for (sa = 0; sa < 32; sa++) {
			bool known;

			cdb[1] = sa;
			if (tcm_opcode_find(cdb, 16, &known))
				continue;
			/* SPC-4 4.3.1: the opcode is there, the field is wrong */
			sense = opcode_parse(test, cdb, 16);
			KUNIT_EXPECT_TRUE(test, known);
			KUNIT_EXPECT_EQ_MSG(test, sense, TCM_INVALID_FIELD_CDB, "%02x/%02x", op,
					    sa);
			KUNIT_EXPECT_EQ(test, rig->cmd.extra.field, 1);
		}
	}
	for (op = 0; op < 6; op++)
		KUNIT_EXPECT_EQ(test, opcode_parse(test, cdb, op), TCM_INVALID_OPCODE);
}

/* REPORT SUPPORTED OPERATION CODES lists what the parser takes, and nothing else. */
static void opcode_rsoc(struct kunit *test)
{
	static const u8 all[12] = { MAINTENANCE_IN, 0x0c, 0, [8] = 0x10 };
	struct tcm_rig *rig = test->priv;
	unsigned int len, i;
	u8 *buf = kunit_kzalloc(test, 4096, GFP_KERNEL), cdb[TCM_CDB_MAX];

	KUNIT_ASSERT_NOT_NULL(test, buf);
	tcm_rig_settle(test);
	KUNIT_ASSERT_EQ(test, tcm_rig_run(test, 0, all, 12, DMA_FROM_DEVICE, buf, 4096), TCM_OK);
	len = get_unaligned_be32(buf) + 4;
	KUNIT_ASSERT_EQ(test, len, rig->xfer_len);
	KUNIT_ASSERT_EQ(test, len % 8, 4U);
	for (i = 4; i < len; i += 8) {
		const struct tcm_opcode *op;
		bool known;

		memset(cdb, 0, sizeof(cdb));
		cdb[0] = buf[i];
		if (buf[i] == VARIABLE_LENGTH_CMD)
			memcpy(cdb + 8, buf + i + 2, 2);
		else if (buf[i + 5] & 1)
			cdb[1] = buf[i + 3];
		op = tcm_opcode_find(cdb, 16, &known);
		KUNIT_ASSERT_NOT_NULL_MSG(test, op, "%8ph", buf + i);
		KUNIT_EXPECT_NOT_NULL_MSG(test, tcm_opcode_twin(op, rig->dev), "%s", op->name);
		KUNIT_EXPECT_EQ_MSG(test, get_unaligned_be16(buf + i + 6), op->cdb_len, "%s",
				    op->name);
	}
}

static struct kunit_case opcode_tests[] = {
	KUNIT_CASE(opcode_rows_parse),
	KUNIT_CASE(opcode_reserved),
	KUNIT_CASE(opcode_lengths),
	KUNIT_CASE(opcode_unknown),
	KUNIT_CASE(opcode_rsoc),
	{ }
};

static int opcode_init(struct kunit *test)
{
	int err = tcm_rig_init(test);

	if (!err)
		tcm_rig_map_blocks(test);
	return err;
}

static struct kunit_suite opcode_suite = {
	.name = "tcm_opcode",
	.init = opcode_init,
	.exit = tcm_rig_exit,
	.test_cases = opcode_tests,
};

kunit_test_suites(&opcode_suite);
