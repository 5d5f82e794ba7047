// SPDX-License-Identifier: GPL-2.0-only
/*
 * Answers that the core computes, at every allocation length: what comes back is the beginning
 * of the whole answer, never a byte more, and a shorter buffer is no error (SPC-4 4.3.5.6).
 */
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "../tests/kunit/rig.h"
#include "log.h"
#include "mode.h"
#include "opcode.h"
#include "vpd.h"

#define ANSWER_MAX	2048

/* Service actions of RECEIVE COPY RESULTS that always have an answer (SPC-4 6.16) */
#define ANSWER_COPY_PARAMETERS	0x03
#define ANSWER_ALL_TOKENS	0x08

static void answer_put_len(u8 *cdb, unsigned int len_at, unsigned int len_size, unsigned int len)
{
	for (; len_size--; len >>= 8)
		cdb[len_at + len_size] = len;
}

/* What an answer says of the time is another one each time. */
static bool answer_changes(const u8 *cdb)
{
	return cdb[0] == MAINTENANCE_IN && (cdb[1] & 0x1f) == MI_REPORT_TIMESTAMP;
}

/*
 * @len_at of @len_size bytes in @cdb is ALLOCATION LENGTH, which is to be @least. Up to 64 bytes
 * each length is tried, beyond each @step-th. Return: the sense code, that of every length.
 */
static enum tcm_sense answer_some(struct kunit *test, u8 *cdb, unsigned int cdb_len,
				  unsigned int len_at, unsigned int len_size, unsigned int least,
				  unsigned int step)
{
	unsigned int max = len_size == 1 ? 255 : ANSWER_MAX, whole = 0, len;
	struct tcm_rig *rig = test->priv;
	enum tcm_sense sense, first = TCM_OK;
	u8 *all, *buf;

	all = kunit_kzalloc(test, max, GFP_KERNEL);
	KUNIT_ASSERT_NOT_NULL(test, all);
	for (len = max; len < max + 1 && len >= least; len--) {
		answer_put_len(cdb, len_at, len_size, len);
		buf = kmalloc(len ?: 1, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, buf);
		memset(buf, 0xee, len ?: 1);
		sense = tcm_rig_run(test, 0, cdb, cdb_len, DMA_FROM_DEVICE, buf, len);
		if (len == max) {
			first = sense;
			whole = rig->xfer_len;
			memcpy(all, buf, len);
		}
		KUNIT_EXPECT_EQ_MSG(test, first, sense, "%*ph", cdb_len, cdb);
		KUNIT_EXPECT_EQ_MSG(test, rig->xfer_len, min(len, whole), "%*ph", cdb_len, cdb);
		KUNIT_EXPECT_EQ_MSG(test, rig->residual, len - min(len, whole), "%*ph", cdb_len,
				    cdb);
		if (!answer_changes(cdb))
			KUNIT_EXPECT_EQ_MSG(test, 0, memcmp(all, buf, rig->xfer_len), "%*ph",
					    cdb_len, cdb);
		if (whole < len)
			KUNIT_EXPECT_EQ_MSG(test, buf[whole], 0xee, "%*ph", cdb_len, cdb);
		kfree(buf);
		/* beyond the answer one length is as good as the next */
		if (len > whole + 2)
			len = whole + 3;
		else if (len > 64 + step)
			len -= step - 1;
	}
	return first;
}

static enum tcm_sense answer_each(struct kunit *test, u8 *cdb, unsigned int cdb_len,
				  unsigned int len_at, unsigned int len_size, unsigned int least)
{
	return answer_some(test, cdb, cdb_len, len_at, len_size, least, 1);
}

static void answer_lengths(struct kunit *test, u8 *cdb, unsigned int cdb_len, unsigned int len_at,
			   unsigned int len_size)
{
	KUNIT_EXPECT_EQ_MSG(test, TCM_OK,
			    answer_each(test, cdb, cdb_len, len_at, len_size, 0), "%*ph", cdb_len,
			    cdb);
}

static void answer_inquiry(struct kunit *test)
{
	u8 cdb[6] = { INQUIRY };

	answer_lengths(test, cdb, 6, 3, 2);
}

static void answer_vpd(struct kunit *test)
{
	unsigned int i;

	tcm_rig_map_blocks(test);
	for (i = 0; i < tcm_vpd_page_count; i++) {
		u8 cdb[6] = { INQUIRY, 1, tcm_vpd_pages[i].code };

		answer_lengths(test, cdb, 6, 3, 2);
	}
}

static void answer_vpd_none(struct kunit *test)
{
	unsigned int code, i;
	u8 buf[8];

	for (code = 0; code < 256; code++) {
		u8 cdb[6] = { INQUIRY, 1, code, 0, 8 };
		struct tcm_rig *rig = test->priv;

		for (i = 0; i < tcm_vpd_page_count; i++)
			if (tcm_vpd_pages[i].code == code)
				break;
		if (i < tcm_vpd_page_count)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, tcm_rig_run(test, 0, cdb, 6, DMA_FROM_DEVICE, buf, 8),
				    TCM_INVALID_FIELD_CDB, "%02x", code);
		KUNIT_EXPECT_EQ(test, get_unaligned_be16(rig->sense_data + 16), 2);
	}
}

static void answer_mode(struct kunit *test)
{
	static const u8 pages[] = { 0x01, 0x08, 0x0a, 0x1c, 0x3f };
	unsigned int i, pc, dbd;

	tcm_rig_settle(test);
	for (i = 0; i < ARRAY_SIZE(pages); i++)
		for (pc = 0; pc < 3; pc++)
			for (dbd = 0; dbd < 2; dbd++) {
				u8 six[6] = { MODE_SENSE, dbd << 3, pc << 6 | pages[i] };
				u8 ten[10] = { MODE_SENSE_10, dbd << 3, pc << 6 | pages[i] };

				answer_lengths(test, six, 6, 4, 1);
				answer_lengths(test, ten, 10, 7, 2);
				ten[1] |= 0x10;		/* LLBAA */
				answer_lengths(test, ten, 10, 7, 2);
			}
}

/* All pages with the values of @pc into @buf; returns the length */
static unsigned int answer_all_pages(struct kunit *test, u8 pc, u8 *buf)
{
	u8 sense[10] = { MODE_SENSE_10, 0, pc << 6 | 0x3f, [8] = 255 };
	struct tcm_rig *rig = test->priv;
	unsigned int at;

	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, sense, 10, DMA_FROM_DEVICE, buf, 255), TCM_OK);
	/* Reserved in MODE SELECT: MODE DATA LENGTH, the bits of the medium, PS */
	buf[0] = 0;
	buf[1] = 0;
	buf[3] = 0;
	for (at = 16; at < rig->xfer_len; at += 2 + buf[at + 1])
		buf[at] &= 0x7f;
	return rig->xfer_len;
}

static enum tcm_sense answer_select(struct kunit *test, u8 *list, unsigned int len)
{
	u8 sel[10] = { MODE_SELECT_10, 0x10, [8] = len };

	return tcm_rig_run(test, 0, sel, 10, DMA_TO_DEVICE, list, len);
}

/*
 * The pages of MODE SENSE, sent back as they are, are no change; of their bits those may be
 * changed that MODE SENSE says.
 */
static void answer_mode_select(struct kunit *test)
{
	u8 *mask = kunit_kzalloc(test, 255, GFP_KERNEL);
	u8 *buf = kunit_kzalloc(test, 255, GFP_KERNEL);
	unsigned int len, i, control = 0, changed = 0;
	enum tcm_sense got;

	KUNIT_ASSERT_TRUE(test, buf && mask);
	tcm_rig_settle(test);
	len = answer_all_pages(test, 0, buf);
	KUNIT_ASSERT_EQ(test, len, answer_all_pages(test, 1, mask));
	for (i = 16; i < len; i += 2 + buf[i + 1]) {
		memset(mask + i, 0, 2);
		if (buf[i] == 0x0a)
			control = i;
	}
	KUNIT_ASSERT_EQ(test, answer_select(test, buf, len), TCM_OK);
	for (i = 8 * 16; i < len * 8; i++) {
		u8 bit = 0x80 >> i % 8;

		buf[i / 8] ^= bit;
		got = answer_select(test, buf, len);
		buf[i / 8] ^= bit;
		/* QERR 10b and UA_INTLCK_CTRL 01b are reserved. */
		if (i == control * 8 + 3 * 8 + 5 || i == control * 8 + 4 * 8 + 3)
			KUNIT_EXPECT_EQ(test, got, TCM_INVALID_FIELD_PARAM);
		else
			KUNIT_EXPECT_EQ_MSG(test, !got, !!(mask[i / 8] & bit), "bit %u: %05x", i,
					    got);
		if (got) {
			KUNIT_EXPECT_TRUE_MSG(test, got == TCM_INVALID_FIELD_PARAM ||
					      got == TCM_PARAM_LIST_LENGTH, "bit %u: %05x", i, got);
			continue;
		}
		changed++;
		KUNIT_EXPECT_EQ(test, answer_select(test, buf, len), TCM_OK);
	}
	/* WCE, TST, D_SENSE, QUEUE ALGORITHM MODIFIER, QERR, UA_INTLCK_CTRL, SWP, TAS */
	KUNIT_EXPECT_EQ(test, changed, 8U);
	/* cut anywhere */
	for (i = 1; i < len; i++) {
		got = answer_select(test, buf, i);
		KUNIT_EXPECT_TRUE_MSG(test, !got || got == TCM_PARAM_LIST_LENGTH ||
				      got == TCM_INVALID_FIELD_PARAM, "%u: %05x", i, got);
	}
}

/* IO Advice Hints Grouping: a page that is kept folded */
#define ANSWER_HINTS_LEN	(8 + 16 + 64 * 16)

static enum tcm_sense answer_hints(struct kunit *test, u8 pc, u8 *buf)
{
	u8 sense[10] = { MODE_SENSE_10, 0x08, pc << 6 | 0x0a, 0x05, [7] = 8 };

	return tcm_rig_run(test, 0, sense, 10, DMA_FROM_DEVICE, buf, 2048);
}

static enum tcm_sense answer_hints_select(struct kunit *test, u8 *list)
{
	u8 sel[10] = { MODE_SELECT_10, 0x10, [7] = ANSWER_HINTS_LEN >> 8,
		       ANSWER_HINTS_LEN & 0xff };

	return tcm_rig_run(test, 0, sel, 10, DMA_TO_DEVICE, list, ANSWER_HINTS_LEN);
}

/* Each bit of it by itself: IC_ENABLE of groups 1 to 31 can be changed, and no other. */
static void answer_mode_hints(struct kunit *test)
{
	u8 six[6] = { MODE_SENSE, 0x08, 0x0a, 0x05, 255 };
	u8 *mask = kunit_kzalloc(test, 2048, GFP_KERNEL);
	u8 *now = kunit_kzalloc(test, 2048, GFP_KERNEL);
	u8 *buf = kunit_kzalloc(test, 2048, GFP_KERNEL);
	struct tcm_rig *rig = test->priv;
	unsigned int i, changed = 0;

	KUNIT_ASSERT_TRUE(test, mask && now && buf);
	tcm_rig_settle(test);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, six, 6, DMA_FROM_DEVICE, buf, 255),
			TCM_INVALID_FIELD_CDB);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(rig->sense_data + 16), 3);
	KUNIT_ASSERT_EQ(test, answer_hints(test, 1, mask), TCM_OK);
	KUNIT_ASSERT_EQ(test, answer_hints(test, 0, buf), TCM_OK);
	KUNIT_ASSERT_EQ(test, rig->xfer_len, (unsigned int)ANSWER_HINTS_LEN);
	memset(buf, 0, 8);
	buf[8] &= 0x7f;
	for (i = 8 * 12; i < 8 * ANSWER_HINTS_LEN; i++) {
		unsigned int byte = i / 8, n = (byte - 24) / 16;
		u8 bit = 0x80 >> i % 8;
		bool can = byte >= 24 && byte % 16 == 8 && n && n < 32 && bit == 1;
		enum tcm_sense got;

		KUNIT_EXPECT_EQ_MSG(test, !!(mask[byte] & bit), can, "bit %u", i);
		buf[byte] ^= bit;
		got = answer_hints_select(test, buf);
		KUNIT_EXPECT_EQ_MSG(test, got, can ? TCM_OK : TCM_INVALID_FIELD_PARAM, "bit %u", i);
		if (!got) {
			changed++;
			KUNIT_EXPECT_EQ(test, answer_hints(test, 0, now), TCM_OK);
			KUNIT_EXPECT_EQ_MSG(test, memcmp(now + 12, buf + 12, ANSWER_HINTS_LEN - 12),
					    0, "bit %u", i);
		} else {
			KUNIT_EXPECT_EQ(test, get_unaligned_be16(rig->sense_data + 16), byte);
		}
		buf[byte] ^= bit;
	}
	KUNIT_EXPECT_EQ(test, changed, 31U);
}

static void answer_log(struct kunit *test)
{
	unsigned int i, pc, sub;

	tcm_rig_settle(test);
	for (i = 0; i < tcm_log_page_count; i++)
		for (pc = 0; pc < 4; pc++) {
			const struct tcm_log_page *page = &tcm_log_pages[i];
			u8 cdb[10] = { LOG_SENSE, 0, pc << 6 | page->page, page->subpage };
			struct tcm_rig *rig = test->priv;

			if (!tcm_log_offered(page, rig->dev))
				continue;
			/* Thresholds, current and default: what counts has none. */
			if (page->counters && !(pc & 1))
				KUNIT_EXPECT_EQ_MSG(test, answer_each(test, cdb, 10, 7, 2, 0),
						    TCM_INVALID_FIELD_CDB, "%10ph", cdb);
			else if (page->counters || pc == 1)
				for (sub = page->subpage; sub <= tcm_log_last(page); sub++) {
					cdb[3] = sub;
					answer_lengths(test, cdb, 10, 7, 2);
				}
		}
}

/* What needs another command before it, as a copy or a self-test, or a page to be named */
static bool answer_may_refuse(const struct tcm_opcode *op)
{
	switch (op->opcode) {
	case RECEIVE_COPY_RESULTS:
		return op->sa != ANSWER_COPY_PARAMETERS && op->sa != ANSWER_ALL_TOKENS;
	case RECEIVE_DIAGNOSTIC:
	case READ_BUFFER:
	case MODE_SENSE:
	case MODE_SENSE_10:
		return true;
	default:
		return false;
	}
}

/* REPORT LUNS (SPC-4 6.33) and A3h/0Dh ask for a least length. */
static unsigned int answer_least(const struct tcm_opcode *op)
{
	if (op->opcode == REPORT_LUNS)
		return 16;
	return op->opcode == MAINTENANCE_IN &&
	       op->sa == MI_REPORT_SUPPORTED_TASK_MANAGEMENT_FUNCTIONS ? 4 : 0;
}

struct answer_walk {
	struct kunit	*test;
	unsigned int	rows;
};

static bool answer_row(const struct tcm_opcode *op, void *arg)
{
	struct answer_walk *walk = arg;
	struct tcm_rig *rig = walk->test->priv;
	u8 cdb[TCM_CDB_MAX] = { op->opcode };
	enum tcm_sense sense;

	if (op->xfer != TCM_XFER_BYTES || op->dir != DMA_FROM_DEVICE ||
	    !tcm_opcode_offered(op, rig->dev) || answer_may_refuse(op))
		return true;
	if (op->sa_at == TCM_SA_BYTE1)
		cdb[1] = op->sa;
	if (op->sa_at == TCM_SA_BYTE8) {
		cdb[7] = op->cdb_len - 8;
		put_unaligned_be16(op->sa, cdb + 8);
	}
	sense = answer_some(walk->test, cdb, op->cdb_len, op->len_at, op->len_size,
			    answer_least(op), 13);
	KUNIT_EXPECT_EQ_MSG(walk->test, sense, TCM_OK, "%s", op->name);
	walk->rows++;
	return true;
}

/* Every row that answers without being told more than how much */
static void answer_rows(struct kunit *test)
{
	struct answer_walk walk = { .test = test };

	tcm_rig_map_blocks(test);
	tcm_rig_settle(test);
	tcm_opcode_for_each(answer_row, &walk);
	KUNIT_EXPECT_GE(test, walk.rows, 15U);
}

/* SPC-4 7.8.6.6.5: company, then the hexadecimal digits of the serial number */
static void answer_naa(struct kunit *test)
{
	static const struct {
		const char *serial;
		u8 want[TCM_NAA_LEN];
	} t[] = {
		{ "", { 0x60, 0x01, 0x40, 0x50 } },
		{ "1", { 0x60, 0x01, 0x40, 0x51 } },
		{ "ab-cd:z9", { 0x60, 0x01, 0x40, 0x5a, 0xbc, 0xd9 } },
		{ "0123456789abcdef0123456789abcdef",
		  { 0x60, 0x01, 0x40, 0x50, 0x12, 0x34, 0x56, 0x78, 0x9a, 0xbc, 0xde, 0xf0, 0x12,
		    0x34, 0x56, 0x78 } },
	};
	u8 id[TCM_NAA_LEN];
	int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		tcm_naa_id(0x001405, t[i].serial, id);
		KUNIT_EXPECT_EQ_MSG(test, 0, memcmp(id, t[i].want, sizeof(id)), "%s: %16ph",
				    t[i].serial, id);
	}
}

static struct kunit_case answer_tests[] = {
	KUNIT_CASE(answer_inquiry),
	KUNIT_CASE(answer_vpd),
	KUNIT_CASE(answer_vpd_none),
	KUNIT_CASE(answer_mode),
	KUNIT_CASE(answer_mode_select),
	KUNIT_CASE(answer_mode_hints),
	KUNIT_CASE(answer_log),
	KUNIT_CASE(answer_rows),
	KUNIT_CASE(answer_naa),
	{ }
};

static struct kunit_suite answer_suite = {
	.name = "tcm_answer",
	.init = tcm_rig_init,
	.exit = tcm_rig_exit,
	.test_cases = answer_tests,
};

kunit_test_suites(&answer_suite);
