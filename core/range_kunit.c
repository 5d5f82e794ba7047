// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks on ranges of blocks: who runs beside whom, in which order, and what a watch notices.
 */
#include <linux/slab.h>
#include "../tests/kunit/rig.h"
#include "range.h"

#define RANGE_ALL	4

struct range_one {
	struct tcm_range	r;
	struct completion	ran;
	bool			in;	/* in the tree */
};

static void range_ran(struct tcm_range *r)
{
	complete_all(&container_of(r, struct range_one, r)->ran);
}

static void range_add(struct tcm_rig *rig, struct range_one *one, u64 first, u64 last, bool excl)
{
	one->r.run = range_ran;
	init_completion(&one->ran);
	one->in = true;
	if (tcm_range_add(rig->dev, &one->r, first, last, excl))
		complete_all(&one->ran);
}

static void range_drop(struct tcm_rig *rig, struct range_one *one)
{
	one->in = false;
	tcm_range_drop(rig->dev, &one->r);
}

static struct range_one *range_ones(struct kunit *test)
{
	struct range_one *ones = kunit_kcalloc(test, RANGE_ALL, sizeof(*ones), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, ones);
	return ones;
}

/* An access begins, or one that is there ends; @runs: the letters of those that may run then */
struct range_step {
	char		who;
	u64		first, last;
	bool		excl;
	const char	*runs;
};

static const struct {
	const char *name;
	struct range_step step[7];
} range_scripts[] = {
	{ "shared ones beside each other", {
		{ 'a', 0, 9, false, "a" }, { 'b', 0, 9, false, "ab" }, { 'c', 5, 20, false, "abc" },
	} },
	{ "exclusive ones beside each other", {
		{ 'a', 0, 9, true, "a" }, { 'b', 10, 19, true, "ab" }, { 'c', 9, 10, true, "ab" },
		{ 'a', .runs = "b" }, { 'b', .runs = "c" },
	} },
	{ "an exclusive one waits for shared ones before it", {
		{ 'a', 0, 9, false, "a" }, { 'b', 9, 9, true, "a" }, { 'a', .runs = "b" },
	} },
	{ "and keeps those back that come after it", {
		{ 'a', 0, 9, false, "a" }, { 'b', 5, 9, true, "a" }, { 'c', 9, 9, false, "a" },
		{ 'd', 4, 4, false, "ad" }, { 'a', .runs = "bd" }, { 'b', .runs = "cd" },
	} },
	{ "the last block is one of them", {
		{ 'a', U64_MAX, U64_MAX, true, "a" }, { 'b', 0, U64_MAX, false, "a" },
		{ 'c', 0, 0, false, "ac" }, { 'a', .runs = "bc" },
	} },
	{ "both ends are part of a range", {
		{ 'a', 10, 20, true, "a" }, { 'b', 20, 30, false, "a" }, { 'c', 1, 10, false, "a" },
		{ 'd', 21, 21, true, "a" }, { 'a', .runs = "bc" }, { 'b', .runs = "cd" },
	} },
};

static void range_runs(struct range_one *ones, char *buf)
{
	unsigned int i;

	for (i = 0; i < RANGE_ALL; i++)
		if (ones[i].in && completion_done(&ones[i].ran))
			*buf++ = 'a' + i;
	*buf = '\0';
}

static void range_order(struct kunit *test)
{
	struct range_one *ones = range_ones(test), *one;
	struct tcm_rig *rig = test->priv;
	char runs[RANGE_ALL + 1];
	unsigned int i, s;

	for (i = 0; i < ARRAY_SIZE(range_scripts); i++) {
		for (s = 0; s < ARRAY_SIZE(range_scripts[i].step); s++) {
			const struct range_step *step = &range_scripts[i].step[s];

			if (!step->who)
				break;
			one = &ones[step->who - 'a'];
			if (one->in)
				range_drop(rig, one);
			else
				range_add(rig, one, step->first, step->last, step->excl);
			range_runs(ones, runs);
			KUNIT_EXPECT_STREQ_MSG(test, runs, step->runs, "%s, step %u",
					       range_scripts[i].name, s);
		}
		for (s = 0; s < RANGE_ALL; s++)
			if (ones[s].in)
				range_drop(rig, &ones[s]);
	}
}

/* While there are exclusive ones every nexus says so to its commands, and then no more. */
static void range_gate(struct kunit *test)
{
	struct range_one *ones = range_ones(test);
	struct tcm_rig *rig = test->priv;
	struct tcm_mapping *map = tcm_rig_map(rig, 0);
	unsigned long end;

	KUNIT_EXPECT_FALSE(test, test_bit(TCM_GATE_RANGE, &map->gate));
	range_add(rig, &ones[0], 0, 9, true);
	KUNIT_EXPECT_TRUE(test, completion_done(&ones[0].ran));
	KUNIT_EXPECT_TRUE(test, test_bit(TCM_GATE_RANGE, &map->gate));
	range_drop(rig, &ones[0]);
	end = jiffies + 10 * HZ;
	while (test_bit(TCM_GATE_RANGE, &map->gate) && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	KUNIT_EXPECT_FALSE(test, test_bit(TCM_GATE_RANGE, &map->gate));
}

/* One that waits and is aborted does not wait for what it conflicts with. */
static void range_abort(struct kunit *test)
{
	struct tcm_cmd *cmd = kunit_kzalloc(test, sizeof(*cmd), GFP_KERNEL);
	struct range_one *ones = range_ones(test);
	struct tcm_rig *rig = test->priv;

	KUNIT_ASSERT_NOT_NULL(test, cmd);
	range_add(rig, &ones[0], 0, 9, true);
	ones[1].r.cmd = cmd;
	atomic_set(&cmd->state, TCM_ST_EXEC);
	range_add(rig, &ones[1], 5, 5, false);
	KUNIT_EXPECT_EQ(test, wait_for_completion_timeout(&ones[1].ran, HZ / 5), 0UL);
	atomic_or(TCM_ST_ABORTED, &cmd->state);
	KUNIT_EXPECT_NE(test, wait_for_completion_timeout(&ones[1].ran, 10 * HZ), 0UL);
	range_drop(rig, &ones[1]);
	range_drop(rig, &ones[0]);
}

/* Who does not wait: beside shared ones, before exclusive ones that come later, or not at all. */
static void range_try(struct kunit *test)
{
	struct range_one *ones = range_ones(test);
	struct tcm_rig *rig = test->priv;

	range_add(rig, &ones[0], 0, 9, false);
	KUNIT_EXPECT_TRUE(test, tcm_range_try(rig->dev, &ones[1].r, 5, 9));
	range_add(rig, &ones[2], 9, 20, true);
	range_drop(rig, &ones[0]);
	KUNIT_EXPECT_FALSE(test, completion_done(&ones[2].ran));
	KUNIT_EXPECT_FALSE(test, tcm_range_try(rig->dev, &ones[3].r, 20, 29));
	range_drop(rig, &ones[1]);
	KUNIT_EXPECT_TRUE(test, completion_done(&ones[2].ran));
	KUNIT_EXPECT_FALSE(test, tcm_range_try(rig->dev, &ones[3].r, 20, 29));
	KUNIT_EXPECT_TRUE(test, tcm_range_try(rig->dev, &ones[3].r, 21, 29));
	range_drop(rig, &ones[3]);
	range_drop(rig, &ones[2]);
}

static void range_watch(struct kunit *test)
{
	static const struct {
		u64 first, last;
		bool writes, kept;
	} cases[] = {
		{ 0, 9, true, true },
		{ 20, 29, true, true },
		{ 40, 50, true, true },
		{ 12, 12, false, true },
		{ 0, U64_MAX, false, true },
		{ 10, 10, true, false },
		{ 0, 10, true, false },
		{ 19, 25, true, false },
		{ 29, 30, true, false },
		{ 39, 39, true, false },
		{ 0, U64_MAX, true, false },
	};
	struct tcm_watch_span spans[2] = { { .node = { .start = 10, .last = 19 } },
					   { .node = { .start = 30, .last = 39 } } };
	struct range_one *ones = range_ones(test);
	struct tcm_watch watch = { .n = 2, .spans = spans };
	struct tcm_rig *rig = test->priv;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		tcm_watch_add(rig->dev, &watch);
		ones[0].r.writes = cases[i].writes;
		range_add(rig, &ones[0], cases[i].first, cases[i].last, false);
		KUNIT_EXPECT_EQ_MSG(test, watch.on, cases[i].kept, "%u", i);
		range_drop(rig, &ones[0]);
		tcm_watch_del(rig->dev, &watch);
		KUNIT_EXPECT_FALSE(test, watch.on);
		if (!cases[i].writes)
			continue;
		tcm_watch_add(rig->dev, &watch);
		tcm_watch_hit(rig->dev, cases[i].first, cases[i].last);
		KUNIT_EXPECT_EQ_MSG(test, watch.on, cases[i].kept, "%u", i);
		tcm_watch_del(rig->dev, &watch);
	}
}

/* A write that waits changes nothing yet. */
static void range_watch_late(struct kunit *test)
{
	struct tcm_watch_span span = { .node = { .start = 10, .last = 19 } };
	struct tcm_watch watch = { .n = 1, .spans = &span };
	struct range_one *ones = range_ones(test);
	struct tcm_rig *rig = test->priv;

	range_add(rig, &ones[0], 10, 19, true);
	tcm_watch_add(rig->dev, &watch);
	ones[1].r.writes = true;
	range_add(rig, &ones[1], 15, 15, false);
	KUNIT_EXPECT_FALSE(test, completion_done(&ones[1].ran));
	KUNIT_EXPECT_TRUE(test, watch.on);
	range_drop(rig, &ones[0]);
	KUNIT_EXPECT_TRUE(test, completion_done(&ones[1].ran));
	KUNIT_EXPECT_FALSE(test, watch.on);
	range_drop(rig, &ones[1]);
}

static struct kunit_case range_tests[] = {
	KUNIT_CASE(range_order),
	KUNIT_CASE(range_gate),
	KUNIT_CASE(range_abort),
	KUNIT_CASE(range_try),
	KUNIT_CASE(range_watch),
	KUNIT_CASE(range_watch_late),
	{ }
};

static struct kunit_suite range_suite = {
	.name = "tcm_range",
	.init = tcm_rig_init,
	.exit = tcm_rig_exit,
	.test_cases = range_tests,
};

kunit_test_suites(&range_suite);
