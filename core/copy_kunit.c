// SPDX-License-Identifier: GPL-2.0-only
/*
 * Copies whose command is no more when they begin.
 */
#include "../tests/kunit/rig.h"
#include "copy.h"
#include "range.h"

struct copy_one {
	struct tcm_range	all;	/* keeps the backend out of it, which knows commands only */
	struct completion	ended;
	enum tcm_sense		sense;
};

static void copy_nothing(struct tcm_range *r)
{
}

static void copy_ended(struct tcm_copy *copy, enum tcm_sense sense)
{
	struct copy_one *one = copy->priv;

	one->sense = sense;
	tcm_copy_free(copy);
	complete(&one->ended);
}

static const struct {
	const char *name;
	int marks;
	bool ends;
} copy_marks[] = {
	{ "not aborted", 0, false },
	{ "aborted", TCM_ST_ABORTED | TCM_ST_ORPHAN, true },
	{ "nexus gone", TCM_ST_ORPHAN, true },
};

static void copy_background(struct kunit *test)
{
	struct copy_one *one = kunit_kzalloc(test, sizeof(*one), GFP_KERNEL);
	struct tcm_rig *rig = test->priv;
	struct tcm_cmd *cmd = &rig->cmd;
	struct tcm_copy *copy;
	unsigned int i;
	bool ends;

	KUNIT_ASSERT_NOT_NULL(test, one);
	cmd->sess = rig->sess;
	cmd->lun = rig->lun;
	cmd->dev = rig->dev;
	cmd->map = tcm_rig_map(rig, 0);
	one->all.run = copy_nothing;
	for (i = 0; i < ARRAY_SIZE(copy_marks); i++) {
		copy = tcm_copy_alloc(cmd, 1, 1);
		KUNIT_ASSERT_NOT_NULL(test, copy);
		init_completion(&one->ended);
		copy->priv = one;
		copy->ended = copy_ended;
		tcm_copy_add_own(copy, cmd);
		copy->segments[copy->nsegments++] = (struct tcm_copy_segment) {
			.to = copy->units,
			.len = SZ_1M,
		};
		/* Nobody is on the blocks: it has them when this returns, whatever it returns. */
		tcm_range_add(rig->dev, &one->all, 0, U64_MAX, true);
		KUNIT_EXPECT_TRUE(test, one->all.runs);
		atomic_set(&cmd->state, TCM_ST_EXEC | copy_marks[i].marks);
		KUNIT_EXPECT_EQ(test, tcm_copy_run(copy, true), TCM_OK);
		ends = wait_for_completion_timeout(&one->ended, HZ / 5);
		KUNIT_EXPECT_EQ_MSG(test, ends, copy_marks[i].ends, "%s", copy_marks[i].name);
		if (!ends)
			WRITE_ONCE(copy->stop, true);
		tcm_range_drop(rig->dev, &one->all);
		if (!ends)
			KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&one->ended, 10 * HZ));
		KUNIT_EXPECT_EQ(test, one->sense, TCM_COPY_ABORTED);
	}
}

static struct kunit_case copy_tests[] = {
	KUNIT_CASE(copy_background),
	{ }
};

static struct kunit_suite copy_suite = {
	.name = "tcm_copy",
	.init = tcm_rig_init,
	.exit = tcm_rig_exit,
	.test_cases = copy_tests,
};

kunit_test_suites(&copy_suite);
