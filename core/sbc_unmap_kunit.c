// SPDX-License-Identifier: GPL-2.0-only
#include <kunit/test.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "sbc_unmap.h"

#define ILLEGAL(field_)	TCM_INVALID_FIELD_PARAM, .field = field_

/* A medium of 1000 blocks; two descriptors and 100 blocks at most */
static const struct tcm_unmap_limits limits = { .nblocks = 1000, .max_desc = 2, .max_lba = 100 };

static const struct {
	const char *name;
	unsigned int len;			/* of the list; what is beyond @data is zero */
	u16 data_len, desc_len;
	struct { u64 lba; u32 n; } d[3];
	enum tcm_sense sense;
	unsigned int field, n;
	u64 info;
} unmap_cases[] = {
	{ "no header", 7, 0, 0, { }, TCM_PARAM_LIST_LENGTH },
	{ "no descriptor", 8, 6, 0, { }, TCM_OK },
	{ "one", 24, 22, 16, { { 10, 90 } }, TCM_OK, .n = 1 },
	{ "two", 40, 38, 32, { { 0, 50 }, { 950, 50 } }, TCM_OK, .n = 2 },
	{ "three", 56, 54, 48, { { 0, 1 }, { 1, 1 }, { 2, 1 } }, ILLEGAL(2) },
	{ "the last block", 24, 22, 16, { { 999, 1 } }, TCM_OK, .n = 1 },
	{ "nothing behind the end", 24, 22, 16, { { 1000, 0 } }, TCM_OK, .n = 1 },
	{ "one behind the end", 24, 22, 16, { { 1000, 1 } }, TCM_LBA_OUT_OF_RANGE, .info = 1000 },
	{ "across the end", 24, 22, 16, { { 999, 2 } }, TCM_LBA_OUT_OF_RANGE, .info = 1000 },
	{ "far", 24, 22, 16, { { U64_MAX, 1 } }, TCM_LBA_OUT_OF_RANGE, .info = U64_MAX },
	{ "wraps around", 24, 22, 16, { { U64_MAX - 50, 100 } }, TCM_LBA_OUT_OF_RANGE,
	  .info = U64_MAX - 50 },
	{ "the second is bad", 40, 38, 32, { { 0, 1 }, { 2000, 1 } }, TCM_LBA_OUT_OF_RANGE,
	  .info = 2000 },
	{ "too many blocks", 24, 22, 16, { { 0, 101 } }, ILLEGAL(16) },
	{ "too many in all", 40, 38, 32, { { 0, 60 }, { 60, 41 } }, ILLEGAL(32) },
	{ "announces more than came", 24, 38, 32, { { 0, 1 } }, TCM_PARAM_LIST_LENGTH },
	{ "descriptors beyond the data", 24, 8, 16, { { 0, 1 } }, ILLEGAL(0) },
	{ "a cut descriptor", 30, 28, 22, { { 0, 1 } }, TCM_OK, .n = 1 },
};

static void unmap_lists(struct kunit *test)
{
	int i, j;

	for (i = 0; i < ARRAY_SIZE(unmap_cases); i++) {
		unsigned int len = unmap_cases[i].len;
		struct tcm_sense_extra x = { };
		enum tcm_sense sense;
		struct tcm_unmap *u;
		u8 list[64] = { };

		put_unaligned_be16(unmap_cases[i].data_len, list);
		put_unaligned_be16(unmap_cases[i].desc_len, list + 2);
		for (j = 0; j < 3; j++) {
			put_unaligned_be64(unmap_cases[i].d[j].lba, list + 8 + 16 * j);
			put_unaligned_be32(unmap_cases[i].d[j].n, list + 16 + 16 * j);
		}
		/* of exactly that size: KASAN watches */
		u = kmalloc(offsetof(struct tcm_unmap, header) + max(len, 8U), GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, u);
		/* header and descriptors, which follow it */
		memcpy((u8 *)u + offsetof(struct tcm_unmap, header), list, len);
		sense = tcm_unmap_parse(u, len, &limits, &x);
		KUNIT_EXPECT_EQ_MSG(test, sense, unmap_cases[i].sense, "%s", unmap_cases[i].name);
		if (sense == TCM_INVALID_FIELD_PARAM)
			KUNIT_EXPECT_EQ_MSG(test, x.field, unmap_cases[i].field, "%s",
					    unmap_cases[i].name);
		if (sense == TCM_LBA_OUT_OF_RANGE)
			KUNIT_EXPECT_EQ_MSG(test, x.info, unmap_cases[i].info, "%s",
					    unmap_cases[i].name);
		for (j = 0; !sense && j < u->n; j++)
			KUNIT_EXPECT_EQ(test, u->ext[j].host.lba, unmap_cases[i].d[j].lba);
		if (!sense)
			KUNIT_EXPECT_EQ_MSG(test, u->n, unmap_cases[i].n, "%s",
					    unmap_cases[i].name);
		kfree(u);
	}
}

static struct kunit_case unmap_tests[] = {
	KUNIT_CASE(unmap_lists),
	{ }
};

static struct kunit_suite unmap_suite = {
	.name = "tcm_unmap",
	.test_cases = unmap_tests,
};

kunit_test_suites(&unmap_suite);
