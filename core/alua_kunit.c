// SPDX-License-Identifier: GPL-2.0-only
/*
 * Access states: what each lets through, who may change them, what is told, changes that take time.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include <linux/workqueue.h>
#include "../tests/kunit/rig.h"
#include "alua.h"
#include "ua.h"

static const u8 tur[6];
static const u8 read1[10] = { READ_10, [8] = 1 };

static enum tcm_sense run(struct kunit *test, const u8 *cdb, unsigned int len)
{
	static u8 buf[512];
	bool in = cdb[0] == READ_10 || cdb[0] == INQUIRY || cdb[0] == REQUEST_SENSE ||
		  cdb[0] == MODE_SENSE || cdb[0] == READ_CAPACITY || cdb[0] == LOG_SENSE ||
		  cdb[0] == MAINTENANCE_IN || cdb[0] == PERSISTENT_RESERVE_IN ||
		  cdb[0] == REPORT_LUNS;
	bool out = cdb[0] == WRITE_10;

	return tcm_rig_run(test, 0, cdb, len, in ? DMA_FROM_DEVICE : DMA_TO_DEVICE, buf,
			   in || out ? sizeof(buf) : 0);
}

static enum tcm_sense stpg(struct kunit *test, u8 state, u16 group)
{
	u8 cdb[12] = { MAINTENANCE_OUT, MO_SET_TARGET_PGS, [9] = 8 };
	u8 list[8] = { [4] = state };

	put_unaligned_be16(group, list + 6);
	return tcm_rig_run(test, 0, cdb, sizeof(cdb), DMA_TO_DEVICE, list, sizeof(list));
}

static struct tcm_tg_pt_gp *def(struct kunit *test)
{
	struct tcm_rig *rig = test->priv;

	return rig->dev->alua->def;
}

/* By an administrator; 0 or an errno */
static int set(struct kunit *test, u32 state)
{
	const char *why = "";

	return tcm_tg_pt_gp_set_state(def(test), state, &why);
}

static void field(struct kunit *test, enum tcm_alua_field field, u32 value)
{
	const char *why = "";

	KUNIT_ASSERT_EQ(test, 0, tcm_tg_pt_gp_set(def(test), field, value, &why));
}

/* The unit attention that waits, taken */
static u32 told(struct kunit *test)
{
	struct tcm_sense_extra x = { };

	return tcm_ua_take(tcm_rig_map(test->priv, 0), &x);
}

#define CHANGED	tcm_ua_sense(TCM_UA_ALUA_CHANGED)

/* SPC-4 5.15.2.4: active, standby, and the states in which a port hardly answers */
static void alua_table(struct kunit *test)
{
	static const struct {
		u8 state;
		enum tcm_sense sense;	/* of what it stops; TCM_OK: nothing */
		bool standby;
	} states[] = {
		{ TCM_ALUA_OPTIMIZED, TCM_OK },
		{ TCM_ALUA_NONOPTIMIZED, TCM_OK },
		{ TCM_ALUA_STANDBY_STATE, TCM_ALUA_STANDBY, true },
		{ TCM_ALUA_UNAVAILABLE_STATE, TCM_ALUA_UNAVAILABLE },
		{ TCM_ALUA_OFFLINE_STATE, TCM_ALUA_OFFLINE },
		{ TCM_ALUA_TRANSITIONING, TCM_ALUA_TRANSITION },
	};
	static const struct {
		u8 cdb[12], len;
		bool standby, always;
	} commands[] = {
		{ { TEST_UNIT_READY }, 6 },
		{ { READ_10, [8] = 1 }, 10 },
		{ { WRITE_10, [8] = 1 }, 10 },
		{ { SYNCHRONIZE_CACHE }, 10 },
		{ { READ_CAPACITY }, 10, true },
		{ { MODE_SENSE, [2] = 0x0a, [4] = 255 }, 6, true },
		{ { LOG_SENSE, [2] = 0x40, [7] = 2 }, 10, true },
		{ { PERSISTENT_RESERVE_IN, [8] = 24 }, 10, true },
		{ { INQUIRY, [4] = 36 }, 6, true, true },
		{ { REQUEST_SENSE, [4] = 18 }, 6, true, true },
		{ { REPORT_LUNS, [9] = 16 }, 12, true, true },
		{ { MAINTENANCE_IN, MI_REPORT_TARGET_PGS, [8] = 2 }, 12, true, true },
	};
	unsigned int i, j;

	field(test, TCM_ALUA_nonop_delay_msecs, 0);
	tcm_rig_settle(test);
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		KUNIT_EXPECT_EQ(test, 0, set(test, states[i].state));
		while (told(test))
			;
		for (j = 0; j < ARRAY_SIZE(commands); j++) {
			bool may = !states[i].sense || commands[j].always ||
				   (states[i].standby && commands[j].standby);

			KUNIT_EXPECT_EQ_MSG(test, may ? TCM_OK : states[i].sense,
					    run(test, commands[j].cdb, commands[j].len),
					    "state %u, opcode %02x", states[i].state,
					    commands[j].cdb[0]);
		}
	}
}

/* alua_access_type, and the states that the group supports (SPC-4 5.15.2.5) */
static void alua_types(struct kunit *test)
{
	struct tcm_tg_pt_gp *gp = def(test);

	tcm_rig_settle(test);
	/* By itself: everybody is told. */
	KUNIT_EXPECT_EQ(test, 0, set(test, TCM_ALUA_STANDBY_STATE));
	KUNIT_EXPECT_EQ(test, CHANGED, told(test));
	KUNIT_EXPECT_EQ(test, gp->field[TCM_ALUA_alua_access_status], 2);
	/* By command: not who sent it. */
	KUNIT_EXPECT_EQ(test, TCM_OK, stpg(test, TCM_ALUA_OPTIMIZED, 0));
	KUNIT_EXPECT_EQ(test, 0, told(test));
	KUNIT_EXPECT_EQ(test, gp->state, TCM_ALUA_OPTIMIZED);
	KUNIT_EXPECT_EQ(test, gp->field[TCM_ALUA_alua_access_status], 1);

	field(test, TCM_ALUA_alua_access_type, TCM_ALUA_EXPLICIT);
	KUNIT_EXPECT_EQ(test, -EINVAL, set(test, TCM_ALUA_STANDBY_STATE));
	KUNIT_EXPECT_EQ(test, TCM_OK, stpg(test, TCM_ALUA_STANDBY_STATE, 0));
	KUNIT_EXPECT_EQ(test, TCM_OK, stpg(test, TCM_ALUA_OPTIMIZED, 0));
	field(test, TCM_ALUA_alua_access_type, TCM_ALUA_IMPLICIT);
	KUNIT_EXPECT_EQ(test, TCM_INVALID_FIELD_CDB, stpg(test, TCM_ALUA_STANDBY_STATE, 0));
	KUNIT_EXPECT_EQ(test, 0, set(test, TCM_ALUA_STANDBY_STATE));
	KUNIT_EXPECT_EQ(test, 0, set(test, TCM_ALUA_OPTIMIZED));
	field(test, TCM_ALUA_alua_access_type, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, set(test, TCM_ALUA_STANDBY_STATE));
	KUNIT_EXPECT_EQ(test, TCM_INVALID_FIELD_CDB, stpg(test, TCM_ALUA_STANDBY_STATE, 0));
	/* What it is already is no change. */
	KUNIT_EXPECT_EQ(test, 0, set(test, TCM_ALUA_OPTIMIZED));

	field(test, TCM_ALUA_alua_access_type, TCM_ALUA_IMPLICIT | TCM_ALUA_EXPLICIT);
	field(test, TCM_ALUA_alua_support_standby, 0);
	KUNIT_EXPECT_EQ(test, -EINVAL, set(test, TCM_ALUA_STANDBY_STATE));
	while (told(test))
		;
	KUNIT_EXPECT_EQ(test, TCM_INVALID_FIELD_PARAM, stpg(test, TCM_ALUA_STANDBY_STATE, 0));
	/* No state, no such group, states that cannot be asked for (SPC-4 6.47) */
	KUNIT_EXPECT_EQ(test, -EINVAL, set(test, 5));
	KUNIT_EXPECT_EQ(test, TCM_INVALID_FIELD_PARAM, stpg(test, 5, 0));
	KUNIT_EXPECT_EQ(test, TCM_INVALID_FIELD_PARAM, stpg(test, TCM_ALUA_UNAVAILABLE_STATE, 9));
	KUNIT_EXPECT_EQ(test, TCM_INVALID_FIELD_PARAM, stpg(test, TCM_ALUA_TRANSITIONING, 0));
	KUNIT_EXPECT_EQ(test, TCM_INVALID_FIELD_PARAM, stpg(test, TCM_ALUA_LBA_DEPENDENT, 0));
	/* Of a group with a port in it the administrator is held to the rules, too. */
	KUNIT_EXPECT_EQ(test, -EINVAL, set(test, TCM_ALUA_LBA_DEPENDENT));
	KUNIT_EXPECT_EQ(test, gp->state, TCM_ALUA_OPTIMIZED);
}

/* REPORT TARGET PORT GROUPS (SPC-4 6.39): PREF, states, who supports what */
static void alua_report(struct kunit *test)
{
	u8 cdb[12] = { MAINTENANCE_IN, MI_REPORT_TARGET_PGS, [9] = 64 }, buf[64];
	unsigned int pref;

	tcm_rig_settle(test);
	KUNIT_EXPECT_EQ(test, 0, set(test, TCM_ALUA_UNAVAILABLE_STATE));
	KUNIT_EXPECT_EQ(test, CHANGED, told(test));
	field(test, TCM_ALUA_alua_support_offline, 0);
	for (pref = 0; pref < 2; pref++) {
		field(test, TCM_ALUA_preferred, pref);
		memset(buf, 0xee, sizeof(buf));
		KUNIT_EXPECT_EQ(test, TCM_OK,
				tcm_rig_run(test, 0, cdb, 12, DMA_FROM_DEVICE, buf, sizeof(buf)));
		KUNIT_EXPECT_EQ(test, get_unaligned_be32(buf), 12);
		KUNIT_EXPECT_EQ(test, buf[4], pref << 7 | TCM_ALUA_UNAVAILABLE_STATE);
		KUNIT_EXPECT_EQ(test, buf[5], 0x8f);
		KUNIT_EXPECT_EQ(test, buf[11], 1);	/* one port */
	}
}

struct alua_slow {
	struct work_struct	work;
	struct kunit		*test;
	u32			state;
	int			err;
};

static void alua_slow_work(struct work_struct *work)
{
	struct alua_slow *slow = container_of(work, struct alua_slow, work);

	slow->err = set(slow->test, slow->state);
}

/* Wait for a state; false: it did not come */
static bool becomes(struct kunit *test, u8 state)
{
	unsigned long end = jiffies + 10 * HZ;

	while (READ_ONCE(def(test)->state) != state && time_before(jiffies, end))
		schedule_timeout_uninterruptible(1);
	return READ_ONCE(def(test)->state) == state;
}

/* A change with a delay: in transition meanwhile, told twice, one at a time (SPC-4 5.15.2.5) */
static void alua_delay(struct kunit *test)
{
	struct alua_slow slow = { .test = test, .state = TCM_ALUA_STANDBY_STATE };
	unsigned long begin;

	field(test, TCM_ALUA_trans_delay_msecs, 1000);
	tcm_rig_settle(test);
	INIT_WORK_ONSTACK(&slow.work, alua_slow_work);
	begin = jiffies;
	schedule_work(&slow.work);
	KUNIT_EXPECT_TRUE(test, becomes(test, TCM_ALUA_TRANSITIONING));
	KUNIT_EXPECT_EQ(test, CHANGED, told(test));
	KUNIT_EXPECT_EQ(test, TCM_ALUA_TRANSITION, run(test, read1, 10));
	KUNIT_EXPECT_EQ(test, TCM_ALUA_TRANSITION, run(test, tur, 6));
	KUNIT_EXPECT_EQ(test, TCM_ALUA_TRANSITION, stpg(test, TCM_ALUA_OPTIMIZED, 0));
	KUNIT_EXPECT_EQ(test, -EAGAIN, set(test, TCM_ALUA_OPTIMIZED));
	flush_work(&slow.work);
	KUNIT_EXPECT_EQ(test, 0, slow.err);
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, begin + HZ));
	KUNIT_EXPECT_EQ(test, def(test)->state, TCM_ALUA_STANDBY_STATE);
	KUNIT_EXPECT_EQ(test, CHANGED, told(test));
	KUNIT_EXPECT_EQ(test, TCM_ALUA_STANDBY, run(test, read1, 10));
	/* By command: it ends when the state is there. */
	begin = jiffies;
	KUNIT_EXPECT_EQ(test, TCM_OK, stpg(test, TCM_ALUA_OPTIMIZED, 0));
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, begin + HZ));
	KUNIT_EXPECT_EQ(test, def(test)->state, TCM_ALUA_OPTIMIZED);
	/* Where that state is not supported there is no delay. */
	field(test, TCM_ALUA_alua_support_transitioning, 0);
	begin = jiffies;
	KUNIT_EXPECT_EQ(test, 0, set(test, TCM_ALUA_STANDBY_STATE));
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, begin + HZ));
	destroy_work_on_stack(&slow.work);
}

/* Active/non-optimized: the medium is slow, once for each command; nothing else is */
static void alua_nonoptimized(struct kunit *test)
{
	struct tcm_rig *rig = test->priv;
	unsigned long begin;

	field(test, TCM_ALUA_nonop_delay_msecs, 500);
	KUNIT_EXPECT_EQ(test, 0, set(test, TCM_ALUA_NONOPTIMIZED));
	tcm_rig_settle(test);
	rig->submitted = 0;
	begin = jiffies;
	KUNIT_EXPECT_EQ(test, TCM_OK, run(test, read1, 10));
	KUNIT_EXPECT_TRUE(test, time_after_eq(jiffies, begin + HZ / 2));
	KUNIT_EXPECT_EQ(test, rig->submitted, 1);
	begin = jiffies;
	KUNIT_EXPECT_EQ(test, TCM_OK, run(test, tur, 6));
	KUNIT_EXPECT_TRUE(test, time_before(jiffies, begin + HZ / 2));
}

/* A group that no port is in, as who restores meets it; and while another one changes */
static void alua_restored(struct kunit *test)
{
	static const u8 states[] = {
		TCM_ALUA_NONOPTIMIZED, TCM_ALUA_STANDBY_STATE, TCM_ALUA_UNAVAILABLE_STATE,
		TCM_ALUA_LBA_DEPENDENT, TCM_ALUA_OFFLINE_STATE, TCM_ALUA_OPTIMIZED,
		TCM_ALUA_TRANSITIONING,
	};
	struct alua_slow slow = { .test = test, .state = TCM_ALUA_STANDBY_STATE };
	struct tcm_rig *rig = test->priv;
	struct tcm_tg_pt_gp *gp;
	const char *why = "";
	unsigned int i;

	gp = tcm_tg_pt_gp_create(rig->dev, "restored");
	KUNIT_ASSERT_FALSE(test, IS_ERR(gp));
	KUNIT_EXPECT_EQ(test, -EINVAL, tcm_tg_pt_gp_set_state(gp, 1, &why));
	KUNIT_EXPECT_EQ(test, 0, tcm_tg_pt_gp_set_id(gp, 7, &why));
	KUNIT_EXPECT_EQ(test, -EINVAL, tcm_tg_pt_gp_set_state(gp, 5, &why));
	for (i = 0; i < ARRAY_SIZE(states); i++) {
		KUNIT_EXPECT_EQ(test, 0, tcm_tg_pt_gp_set_state(gp, states[i], &why));
		KUNIT_EXPECT_EQ(test, gp->state, states[i]);
	}
	KUNIT_EXPECT_EQ(test, 0, tcm_tg_pt_gp_set_state(gp, TCM_ALUA_OPTIMIZED, &why));
	field(test, TCM_ALUA_trans_delay_msecs, 1000);
	INIT_WORK_ONSTACK(&slow.work, alua_slow_work);
	schedule_work(&slow.work);
	KUNIT_EXPECT_TRUE(test, becomes(test, TCM_ALUA_TRANSITIONING));
	for (i = 0; i < ARRAY_SIZE(states); i++)
		KUNIT_EXPECT_EQ(test, 0, tcm_tg_pt_gp_set_state(gp, states[i], &why));
	KUNIT_EXPECT_EQ(test, def(test)->state, TCM_ALUA_TRANSITIONING);
	flush_work(&slow.work);
	KUNIT_EXPECT_EQ(test, 0, slow.err);
	destroy_work_on_stack(&slow.work);
	tcm_tg_pt_gp_destroy(gp);
}

/* LBA dependent: with descriptors, sense data say who reaches the block (SBC-4 4.28.3). */
static void alua_referral(struct kunit *test)
{
	struct tcm_lba_range *range = tcm_lba_range_alloc(3);
	struct tcm_rig *rig = test->priv;
	struct tcm_tg_pt_gp *gp = def(test);
	LIST_HEAD(map);

	KUNIT_ASSERT_NOT_NULL(test, range);
	range->last = 0x1000;
	range->members[0] = (struct tcm_lba_member){ 0, TCM_ALUA_STANDBY_STATE };
	range->members[1] = (struct tcm_lba_member){ 2, TCM_ALUA_UNAVAILABLE_STATE };
	range->members[2] = (struct tcm_lba_member){ 3, TCM_ALUA_NONOPTIMIZED };
	list_add(&range->node, &map);
	field(test, TCM_ALUA_alua_access_type, TCM_ALUA_IMPLICIT);
	tcm_lba_map_set(rig->dev, 0, 0, &map);
	KUNIT_EXPECT_EQ(test, 0, set(test, TCM_ALUA_LBA_DEPENDENT));
	tcm_rig_settle(test);
	KUNIT_EXPECT_EQ(test, TCM_ALUA_STANDBY, run(test, read1, 10));
	set_bit(TCM_DEV_D_SENSE, &rig->dev->flags);
	KUNIT_EXPECT_EQ(test, TCM_INSPECT_REFERRALS, run(test, read1, 10));
	KUNIT_EXPECT_EQ(test, rig->sense_len, 8 + 28);
	KUNIT_EXPECT_EQ(test, rig->sense_data[7], 28);
	KUNIT_EXPECT_EQ(test, rig->sense_data[8], 0x0b);
	KUNIT_EXPECT_EQ(test, rig->sense_data[9], 26);
	KUNIT_EXPECT_EQ(test, rig->sense_data[10], 0);	/* all referrals */
	KUNIT_EXPECT_EQ(test, rig->sense_data[15], 1);	/* groups */
	KUNIT_EXPECT_EQ(test, get_unaligned_be64(rig->sense_data + 16), 0);
	KUNIT_EXPECT_EQ(test, get_unaligned_be64(rig->sense_data + 24), 0x1000);
	KUNIT_EXPECT_EQ(test, rig->sense_data[32], TCM_ALUA_NONOPTIMIZED);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(rig->sense_data + 34), 3);
	/* Nobody reaches it: then its state is what there is to say. */
	range->members[2].state = TCM_ALUA_STANDBY_STATE;
	KUNIT_EXPECT_EQ(test, TCM_ALUA_STANDBY, run(test, read1, 10));
	/* And without a map nothing depends on the block. */
	tcm_lba_map_set(rig->dev, 0, 0, &map);
	KUNIT_EXPECT_EQ(test, gp->state, TCM_ALUA_LBA_DEPENDENT);
	KUNIT_EXPECT_EQ(test, TCM_OK, run(test, read1, 10));
}

static struct kunit_case alua_tests[] = {
	KUNIT_CASE(alua_table),
	KUNIT_CASE(alua_types),
	KUNIT_CASE(alua_report),
	KUNIT_CASE(alua_delay),
	KUNIT_CASE(alua_nonoptimized),
	KUNIT_CASE(alua_restored),
	KUNIT_CASE(alua_referral),
	{ }
};

static struct kunit_suite alua_suite = {
	.name = "tcm_alua",
	.init = tcm_rig_init,
	.exit = tcm_rig_exit,
	.test_cases = alua_tests,
};

kunit_test_suites(&alua_suite);
