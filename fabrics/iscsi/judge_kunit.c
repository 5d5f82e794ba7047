// SPDX-License-Identifier: GPL-2.0-only
/*
 * What an initiator's headers may say (RFC 7143 sections 4.2.4, 11.2.2, 11.3, 11.7): at the edges
 * of each rule.
 */
#include <kunit/test.h>
#include "judge.h"

#define W	TCM_ISC_W
#define R	TCM_ISC_R
#define F	TCM_ISC_F

/* FirstBurstLength 1000; the two that matter as the case has them */
static void judge_vals(u32 *val, bool initial_r2t, bool immediate)
{
	memset(val, 0, sizeof(*val) * TCM_ISC_K_VALUES);
	val[TCM_ISC_K_FIRST_BURST] = 1000;
	val[TCM_ISC_K_INITIAL_R2T] = initial_r2t;
	val[TCM_ISC_K_IMMEDIATE_DATA] = immediate;
}

static void judge_commands(struct kunit *test)
{
	static const struct {
		bool initial_r2t, immediate;
		u8 flags;
		u32 edtl, dsl;
		bool ok;
	} cases[] = {
		{ true, true, F | R, 512, 0, true },
		{ true, true, F | R, 512, 512, false },		/* a read has no data */
		{ true, true, F, 0, 4, false },
		{ true, true, R, 512, 0, false },		/* nor anything to follow */
		{ true, true, 0, 0, 0, false },
		{ true, true, W, 512, 0, false },
		{ false, true, W, 512, 0, true },
		{ true, true, F | W, 512, 512, true },
		{ true, true, F | W, 512, 513, false },
		{ true, true, F | W, 2000, 1000, true },
		{ true, true, F | W, 2000, 1001, false },
		{ true, false, F | W, 512, 0, true },
		{ true, false, F | W, 512, 4, false },
		{ false, false, W, 2000, 0, true },
		{ false, false, W, 2000, 4, false },
		{ true, true, F | R | W, 512, 512, true },
	};
	u32 val[TCM_ISC_K_VALUES];
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tcm_isc_command hdr = {
			.flags = cases[i].flags,
			.edtl = cpu_to_be32(cases[i].edtl),
		};

		judge_vals(val, cases[i].initial_r2t, cases[i].immediate);
		KUNIT_EXPECT_EQ_MSG(test, tcm_isc_command_ok(val, &hdr, cases[i].dsl), cases[i].ok,
				    "case %d", i);
	}
}

/* Longest data segments: of data what was declared, of the rest what a login may have */
static void judge_segments(struct kunit *test)
{
	struct tcm_isc_nego nego = { };

	nego.offer.val[TCM_ISC_K_MAX_RECV] = 512;
	KUNIT_EXPECT_EQ(test, tcm_isc_dsl_max(&nego, TCM_ISC_COMMAND), 512U);
	KUNIT_EXPECT_EQ(test, tcm_isc_dsl_max(&nego, TCM_ISC_DATA_OUT), 512U);
	KUNIT_EXPECT_EQ(test, tcm_isc_dsl_max(&nego, TCM_ISC_TEXT), 16384U);
	KUNIT_EXPECT_EQ(test, tcm_isc_dsl_max(&nego, TCM_ISC_LOGIN), 16384U);
}

/* 11.2.2: additional headers */
static void judge_ahs(struct kunit *test)
{
	static const struct {
		u8 words;			/* TotalAHSLength */
		u8 ahs[16];
		int cdb;			/* AHSLength of the extended CDB, as it is found */
		unsigned int len;		/* of the CDB; 0: refused */
		u32 bidi;
	} cases[] = {
		{ 0, { }, 0, 16 },
		{ 2, { 0, 5, 1, 0, 0xa1, 0xa2, 0xa3, 0xa4 }, 5, 20 },
		{ 2, { 0, 2, 1, 0, 0xa1 }, 2, 17 },
		{ 1, { 0, 1, 1, 0 }, 1, 16 },
		{ 2, { 0, 5, 2, 0, 0, 1, 2, 3 }, 0, 16, 0x10203 },
		/* both, in either order */
		{ 4, { 0, 5, 2, 0, 0, 0, 2, 0, 0, 5, 1, 0, 1, 2, 3, 4 }, 5, 20, 512 },
		{ 4, { 0, 5, 1, 0, 1, 2, 3, 4, 0, 5, 2, 0, 0, 0, 2, 0 }, 5, 20, 512 },
		/* unknown ones are passed over, with their padding */
		{ 4, { 0, 3, 9, 0, 1, 2, 0, 0, 0, 5, 1, 0, 1, 2, 3, 4 }, 5, 20 },
		/* a length of nothing, and ones that go beyond */
		{ 2, { 0, 0, 1 }, -EINVAL, 0 },
		{ 1, { 0, 2, 1, 0 }, -EINVAL, 0 },
		{ 2, { 0, 6, 1, 0 }, -EINVAL, 0 },
		{ 2, { 0xff, 0xff, 1, 0 }, -EINVAL, 0 },
		{ 2, { 0, 1, 9, 0, 0, 0, 1, 0 }, -EINVAL, 0 },
		/* no length of this type */
		{ 2, { 0, 4, 2, 0, 1, 2, 3 }, 0, 16, 0 },
	};
	struct {
		struct tcm_isc_command hdr;
		u8 ahs[16];
	} __packed pdu;
	const u8 *at, *cdb;
	u8 whole[TCM_CDB_MAX];
	unsigned int len, i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		memset(&pdu, 0, sizeof(pdu));
		memset(pdu.hdr.cdb, 0x7f, sizeof(pdu.hdr.cdb));
		memcpy(pdu.ahs, cases[i].ahs, sizeof(pdu.ahs));
		pdu.hdr.ahs_len = cases[i].words;
		KUNIT_EXPECT_EQ_MSG(test, tcm_isc_command_ahs(&pdu.hdr, TCM_ISC_AHS_CDB, &at),
				    cases[i].cdb, "case %u", i);
		KUNIT_EXPECT_EQ_MSG(test, tcm_isc_command_bidi(&pdu.hdr), cases[i].bidi, "case %u",
				    i);
		cdb = tcm_isc_command_cdb(&pdu.hdr, whole, &len);
		KUNIT_EXPECT_EQ_MSG(test, cdb ? len : 0, cases[i].len, "case %u", i);
		if (!cdb || len == 16)
			continue;
		KUNIT_EXPECT_EQ(test, memcmp(cdb, pdu.hdr.cdb, 16), 0);
		KUNIT_EXPECT_EQ(test, memcmp(cdb + 16, at + 4, len - 16), 0);
	}
}

/* The longest CDB that there is, and one byte more */
static void judge_long_cdb(struct kunit *test)
{
	struct judge_pdu {
		struct tcm_isc_command hdr;
		u8 ahs[TCM_ISC_AHS_MAX];
	} __packed;
	struct judge_pdu *pdu = kunit_kzalloc(test, sizeof(*pdu), GFP_KERNEL);
	u8 *whole = kunit_kzalloc(test, TCM_CDB_MAX, GFP_KERNEL);
	unsigned int len, more;

	KUNIT_ASSERT_NOT_NULL(test, pdu);
	KUNIT_ASSERT_NOT_NULL(test, whole);
	pdu->hdr.ahs_len = sizeof(pdu->ahs) / 4;
	pdu->ahs[2] = TCM_ISC_AHS_CDB;
	for (more = 0; more < 2; more++) {
		put_unaligned_be16(TCM_CDB_MAX - 16 + 1 + more, pdu->ahs);
		if (more)
			KUNIT_EXPECT_NULL(test, tcm_isc_command_cdb(&pdu->hdr, whole, &len));
		else
			KUNIT_EXPECT_PTR_EQ(test, tcm_isc_command_cdb(&pdu->hdr, whole, &len),
					    (const u8 *)whole);
	}
	put_unaligned_be16(TCM_CDB_MAX - 16 + 1, pdu->ahs);
	tcm_isc_command_cdb(&pdu->hdr, whole, &len);
	KUNIT_EXPECT_EQ(test, len, (unsigned int)TCM_CDB_MAX);
}

/* Data without an R2T: FirstBurstLength 1000, of a command of 800 or 4000 bytes */
static void judge_unsolicited(struct kunit *test)
{
	static const struct {
		u32 exp_len, had, had_sn;
		bool lost;
		u32 off, datasn, dsl;
		enum tcm_isc_data_verdict want;
	} cases[] = {
		{ 4000, 0, 0, false, 0, 0, 1000, TCM_ISC_DATA_TAKE },
		{ 4000, 0, 0, false, 0, 0, 1001, TCM_ISC_DATA_WRONG },
		{ 800, 0, 0, false, 0, 0, 800, TCM_ISC_DATA_TAKE },
		{ 800, 0, 0, false, 0, 0, 801, TCM_ISC_DATA_WRONG },
		{ 4000, 512, 1, false, 512, 1, 488, TCM_ISC_DATA_TAKE },
		{ 4000, 512, 1, false, 512, 1, 489, TCM_ISC_DATA_WRONG },
		{ 4000, 512, 1, false, 512, 2, 100, TCM_ISC_DATA_LOST },
		{ 4000, 512, 1, false, 516, 1, 100, TCM_ISC_DATA_LOST },
		{ 4000, 512, 1, false, 0, 0, 100, TCM_ISC_DATA_LOST },
		{ 4000, 512, 1, true, 512, 1, 100, TCM_ISC_DATA_LOST },
		{ 4000, 0, 0, false, U32_MAX, 0, 4, TCM_ISC_DATA_WRONG },
		{ 4000, 0, 0, false, 4, 0, U32_MAX, TCM_ISC_DATA_WRONG },
		{ 4000, 0, 0, false, 0, 0, 0, TCM_ISC_DATA_TAKE },
	};
	u32 val[TCM_ISC_K_VALUES];
	int i;

	judge_vals(val, false, true);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tcm_isc_unsol unsol = {
			.off = cases[i].had, .datasn = cases[i].had_sn, .lost = cases[i].lost,
		};
		struct tcm_isc_data_out hdr = {
			.offset = cpu_to_be32(cases[i].off),
			.datasn = cpu_to_be32(cases[i].datasn),
		};

		KUNIT_EXPECT_EQ_MSG(test,
				    (int)tcm_isc_judge_unsolicited(val, &unsol, cases[i].exp_len,
								   &hdr, cases[i].dsl),
				    (int)cases[i].want, "case %d", i);
	}
}

/* Data for an R2T of 2000 bytes from 1000 on, of which 512 have come in one PDU */
static void judge_solicited(struct kunit *test)
{
	static const struct {
		bool any_order;
		u32 off, datasn, dsl;
		bool lost;
		enum tcm_isc_data_verdict want;
	} cases[] = {
		{ false, 1512, 1, 1488, false, TCM_ISC_DATA_TAKE },
		{ false, 1512, 1, 1489, false, TCM_ISC_DATA_WRONG },
		{ false, 1512, 1, 512, false, TCM_ISC_DATA_TAKE },
		{ false, 1512, 2, 512, false, TCM_ISC_DATA_LOST },
		{ false, 1512, 1, 512, true, TCM_ISC_DATA_LOST },
		{ false, 2024, 1, 512, false, TCM_ISC_DATA_LOST },
		{ true, 2024, 1, 512, false, TCM_ISC_DATA_TAKE },
		{ true, 1000, 1, 1488, false, TCM_ISC_DATA_TAKE },
		{ true, 1000, 1, 1489, false, TCM_ISC_DATA_LOST },	/* more than is left */
		{ true, 999, 1, 4, false, TCM_ISC_DATA_WRONG },
		{ true, 2996, 1, 4, false, TCM_ISC_DATA_TAKE },
		{ true, 2997, 1, 4, false, TCM_ISC_DATA_WRONG },
		{ true, 0, 1, 4, false, TCM_ISC_DATA_WRONG },
		{ true, U32_MAX, 1, 4, false, TCM_ISC_DATA_WRONG },
		{ true, 1512, 1, U32_MAX, false, TCM_ISC_DATA_WRONG },
	};
	u32 val[TCM_ISC_K_VALUES];
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tcm_isc_r2t r2t = {
			.off = 1000, .len = 2000, .got = 512, .datasn = 1, .lost = cases[i].lost,
		};
		struct tcm_isc_data_out hdr = {
			.offset = cpu_to_be32(cases[i].off),
			.datasn = cpu_to_be32(cases[i].datasn),
		};

		judge_vals(val, true, true);
		val[TCM_ISC_K_PDU_IN_ORDER] = !cases[i].any_order;
		KUNIT_EXPECT_EQ_MSG(test,
				    (int)tcm_isc_judge_solicited(val, &r2t, &hdr, cases[i].dsl),
				    (int)cases[i].want, "case %d", i);
	}
}

/* 4.2.2.1: serial numbers wrap; padding fills up words */
static void judge_arithmetic(struct kunit *test)
{
	static const struct {
		u32 a, b;
		bool before;
	} cases[] = {
		{ 0, 1, true }, { 1, 0, false }, { 5, 5, false }, { U32_MAX, 0, true },
		{ 0, U32_MAX, false }, { 0x7fffffff, 0x80000000, true }, { 0, 0x7fffffff, true },
	};
	static const u32 pads[] = { 0, 3, 2, 1, 0, 3 };
	int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++)
		KUNIT_EXPECT_EQ_MSG(test, tcm_isc_sn_before(cases[i].a, cases[i].b),
				    cases[i].before, "%u %u", cases[i].a, cases[i].b);
	for (i = 0; i < ARRAY_SIZE(pads); i++)
		KUNIT_EXPECT_EQ(test, tcm_isc_pad(i), pads[i]);
}

static struct kunit_case judge_tests[] = {
	KUNIT_CASE(judge_commands),
	KUNIT_CASE(judge_segments),
	KUNIT_CASE(judge_ahs),
	KUNIT_CASE(judge_long_cdb),
	KUNIT_CASE(judge_unsolicited),
	KUNIT_CASE(judge_solicited),
	KUNIT_CASE(judge_arithmetic),
	{ }
};

static struct kunit_suite judge_suite = {
	.name = "tcm_isc_judge",
	.test_cases = judge_tests,
};

kunit_test_suites(&judge_suite);
