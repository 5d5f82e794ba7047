// SPDX-License-Identifier: GPL-2.0-only
/*
 * Tuples of protection information over memory: which of their parts are looked at, by type, checks
 * and where they come from.
 */
#include <kunit/test.h>
#include <linux/crc-t10dif.h>
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include "pi_tuple.h"

#define PI_BLOCKS	4
#define PI_SHIFT	9
#define PI_ALL		(TCM_PI_GUARD | TCM_PI_APP | TCM_PI_REF)
#define PI_SKIP		20	/* bytes before the first block */

struct pi_rig {
	u8 data[PI_SKIP + (PI_BLOCKS << PI_SHIFT)];
	struct scatterlist sg[5];
	struct t10_pi_tuple t[PI_BLOCKS];
};

/* Pieces that end nowhere where blocks do */
static int pi_setup(struct kunit *test)
{
	static const unsigned int pieces[] = { 7, 600, 1, 1000 };
	struct pi_rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);
	unsigned int at = 0, i;

	KUNIT_ASSERT_NOT_NULL(test, rig);
	for (i = 0; i < sizeof(rig->data); i++)
		rig->data[i] = i * 31 + (i >> 8);
	sg_init_table(rig->sg, ARRAY_SIZE(rig->sg));
	for (i = 0; i < ARRAY_SIZE(pieces); at += pieces[i++])
		sg_set_buf(&rig->sg[i], rig->data + at, pieces[i]);
	sg_set_buf(&rig->sg[i], rig->data + at, sizeof(rig->data) - at);
	test->priv = rig;
	return 0;
}

static u16 pi_guard_of(const struct pi_rig *rig, unsigned int block)
{
	return crc_t10dif(rig->data + PI_SKIP + (block << PI_SHIFT), 1 << PI_SHIFT);
}

static void pi_generates(struct kunit *test)
{
	static const struct {
		struct tcm_pi_rule rule;
		u16 app;
		u32 ref;
		u32 step;
	} cases[] = {
		{ { .type = 1, .ref = 7 }, 0, 7, 1 },
		{ { .type = 1, .ref = U32_MAX }, 0, U32_MAX, 1 },
		{ { .type = 2, .ref = 7 }, 0xffff, U32_MAX, 0 },
		{ { .type = 2, .ref = 7, .tags = true, .app = 0x1234, .app_mask = 0xff },
		  0x34, 7, 1 },
		{ { .type = 3, .ref = 7, .tags = true, .app = 1, .app_mask = 1 }, 0, U32_MAX, 0 },
	};
	struct pi_rig *rig = test->priv;
	unsigned int i, b;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tcm_pi_rule rule = cases[i].rule;

		rule.shift = PI_SHIFT;
		tcm_pi_generate(rig->t, PI_BLOCKS, rig->sg, PI_SKIP, &rule);
		for (b = 0; b < PI_BLOCKS; b++) {
			KUNIT_EXPECT_EQ(test, be16_to_cpu(rig->t[b].guard_tag),
					pi_guard_of(rig, b));
			KUNIT_EXPECT_EQ(test, be16_to_cpu(rig->t[b].app_tag), cases[i].app);
			KUNIT_EXPECT_EQ(test, be32_to_cpu(rig->t[b].ref_tag),
					cases[i].ref + b * cases[i].step);
		}
		tcm_pi_generate(rig->t, 1, NULL, 0, &rule);
		KUNIT_EXPECT_EQ(test, be16_to_cpu(rig->t[0].guard_tag), 0);
	}
}

/* What is wrong with the third tuple */
enum pi_wrong {
	PI_RIGHT,
	PI_BAD_GUARD,
	PI_BAD_APP,
	PI_BAD_REF,
	PI_ESCAPE_APP,		/* a bad guard, and the application tag of ones */
	PI_ESCAPE_BOTH,		/* the reference tag, too */
};

static void pi_spoil(struct t10_pi_tuple *t, enum pi_wrong wrong)
{
	if (wrong == PI_BAD_GUARD || wrong >= PI_ESCAPE_APP)
		t->guard_tag ^= cpu_to_be16(1);
	if (wrong == PI_BAD_APP)
		t->app_tag ^= cpu_to_be16(0x10);
	if (wrong == PI_BAD_REF)
		t->ref_tag ^= cpu_to_be32(0x80000000);
	if (wrong >= PI_ESCAPE_APP)
		t->app_tag = cpu_to_be16(0xffff);
	/* What is made for type 3 has a reference tag of ones. */
	if (wrong == PI_ESCAPE_APP)
		t->ref_tag = cpu_to_be32(5);
	if (wrong == PI_ESCAPE_BOTH)
		t->ref_tag = cpu_to_be32(0xffffffff);
}

static void pi_verifies(struct kunit *test)
{
	static const struct {
		const char *name;
		enum pi_wrong wrong;
		u8 type, checks;
		bool medium;
		u16 mask;
		enum tcm_sense sense;
	} cases[] = {
		{ "right, 1", PI_RIGHT, 1, PI_ALL, true, 0xffff, TCM_OK },
		{ "right, 2", PI_RIGHT, 2, PI_ALL, true, 0xffff, TCM_OK },
		{ "right, 3", PI_RIGHT, 3, PI_ALL, true, 0xffff, TCM_OK },
		{ "guard", PI_BAD_GUARD, 1, PI_ALL, false, 0, TCM_GUARD_CHECK },
		{ "guard, not checked", PI_BAD_GUARD, 1, PI_ALL & ~TCM_PI_GUARD, false, 0, TCM_OK },
		{ "application tag", PI_BAD_APP, 2, PI_ALL, false, 0xffff, TCM_APP_TAG_CHECK },
		{ "a bit that does not count", PI_BAD_APP, 2, PI_ALL, false, 0xffef, TCM_OK },
		{ "application tag, not checked", PI_BAD_APP, 2, PI_ALL & ~TCM_PI_APP, false,
		  0xffff, TCM_OK },
		{ "reference tag, 1", PI_BAD_REF, 1, PI_ALL, true, 0, TCM_REF_TAG_CHECK },
		{ "reference tag, 2", PI_BAD_REF, 2, PI_ALL, true, 0, TCM_REF_TAG_CHECK },
		{ "reference tag, 3", PI_BAD_REF, 3, PI_ALL, true, 0, TCM_OK },
		{ "reference tag, not checked", PI_BAD_REF, 1, TCM_PI_GUARD, true, 0, TCM_OK },
		{ "escape, 1", PI_ESCAPE_APP, 1, PI_ALL, true, 0, TCM_OK },
		{ "escape, 2", PI_ESCAPE_APP, 2, PI_ALL, true, 0, TCM_OK },
		{ "half an escape, 3", PI_ESCAPE_APP, 3, PI_ALL, true, 0, TCM_GUARD_CHECK },
		{ "escape, 3", PI_ESCAPE_BOTH, 3, PI_ALL, true, 0, TCM_OK },
		{ "escape in data-out", PI_ESCAPE_BOTH, 1, PI_ALL, false, 0, TCM_GUARD_CHECK },
		{ "escape in data-out, 3", PI_ESCAPE_BOTH, 3, PI_ALL, false, 0, TCM_GUARD_CHECK },
	};
	struct pi_rig *rig = test->priv;
	unsigned int i, n;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		struct tcm_pi_rule rule = {
			.type = cases[i].type, .shift = PI_SHIFT, .tags = true, .ref = 99,
			.app = 0, .app_mask = cases[i].mask,
		};
		enum tcm_sense sense;

		tcm_pi_generate(rig->t, PI_BLOCKS, rig->sg, PI_SKIP, &rule);
		pi_spoil(&rig->t[2], cases[i].wrong);
		rule.checks = cases[i].checks;
		rule.medium = cases[i].medium;
		n = tcm_pi_verify(rig->t, PI_BLOCKS, rig->sg, PI_SKIP, &rule, &sense);
		KUNIT_EXPECT_EQ_MSG(test, sense, cases[i].sense, "%s", cases[i].name);
		KUNIT_EXPECT_EQ_MSG(test, n, sense ? 2 : PI_BLOCKS, "%s", cases[i].name);
	}
}

static void pi_repeats(struct kunit *test)
{
	const struct t10_pi_tuple first = {
		.guard_tag = cpu_to_be16(0x1234), .app_tag = cpu_to_be16(0x5678),
		.ref_tag = cpu_to_be32(U32_MAX - 10),
	};
	struct pi_rig *rig = test->priv;
	unsigned int type, b;

	for (type = 1; type <= 3; type++) {
		tcm_pi_repeat(rig->t, PI_BLOCKS, type, &first, 9);
		for (b = 0; b < PI_BLOCKS; b++) {
			KUNIT_EXPECT_EQ(test, be16_to_cpu(rig->t[b].guard_tag), 0x1234);
			KUNIT_EXPECT_EQ(test, be16_to_cpu(rig->t[b].app_tag), 0x5678);
			KUNIT_EXPECT_EQ(test, be32_to_cpu(rig->t[b].ref_tag),
					U32_MAX - 10 + (type == 3 ? 0 : 9 + b));
		}
	}
}

static void pi_compares(struct kunit *test)
{
	struct tcm_pi_rule rule = { .type = 1, .shift = PI_SHIFT };
	struct t10_pi_tuple other[PI_BLOCKS];
	struct pi_rig *rig = test->priv;

	tcm_pi_generate(rig->t, PI_BLOCKS, rig->sg, PI_SKIP, &rule);
	memcpy(other, rig->t, sizeof(other));
	KUNIT_EXPECT_EQ(test, tcm_pi_compare(rig->t, other, PI_BLOCKS, TCM_PI_SAME), PI_BLOCKS);
	pi_spoil(&other[1], PI_BAD_GUARD);
	pi_spoil(&other[3], PI_BAD_REF);
	KUNIT_EXPECT_EQ(test, tcm_pi_compare(rig->t, other, PI_BLOCKS, TCM_PI_SAME), 1);
	KUNIT_EXPECT_EQ(test, tcm_pi_compare(rig->t, other, PI_BLOCKS, TCM_PI_SAME_TAGS), 3);
	KUNIT_EXPECT_EQ(test, tcm_pi_compare(rig->t, other, 3, TCM_PI_SAME_TAGS), 3);
}

static struct kunit_case pi_tests[] = {
	KUNIT_CASE(pi_generates),
	KUNIT_CASE(pi_verifies),
	KUNIT_CASE(pi_repeats),
	KUNIT_CASE(pi_compares),
	{ }
};

static struct kunit_suite pi_suite = {
	.name = "tcm_pi_tuple",
	.init = pi_setup,
	.test_cases = pi_tests,
};

kunit_test_suites(&pi_suite);
