// SPDX-License-Identifier: GPL-2.0-only
/*
 * LUN addresses and tables, the gate, unit attentions.
 */
#include <linux/unaligned.h>
#include "../tests/kunit/rig.h"
#include "alua.h"
#include "attr.h"
#include "cmd.h"
#include "sbc.h"
#include "session.h"
#include "target.h"
#include "thin.h"
#include "ua.h"

static const u8 tur[6];
static const u8 read1[10] = { READ_10, [8] = 1 };
static const u8 write1[10] = { WRITE_10, [8] = 1 };

static enum tcm_sense run(struct kunit *test, u64 lun, const u8 *cdb)
{
	static u8 block[512];

	if (cdb == tur)
		return tcm_rig_run(test, lun, cdb, 6, DMA_NONE, NULL, 0);
	return tcm_rig_run(test, lun, cdb, 10, cdb[0] == READ_10 ? DMA_FROM_DEVICE : DMA_TO_DEVICE,
			   block, sizeof(block));
}

static void lun_addresses(struct kunit *test)
{
	static const struct {
		u8 wire[8];
		u64 lun;
	} t[] = {
		{ { 0 }, 0 },
		{ { 0, 255 }, 255 },
		{ { 0x40, 0 }, 0 },			/* flat space */
		{ { 0x41, 0x02 }, 258 },
		{ { 0x7f, 0xff }, 16383 },
		{ { 0, 1, 0, 1 }, TCM_LUN_NONE },	/* a second level */
		{ { 0, 0, 0, 0, 0, 0, 0, 1 }, TCM_LUN_NONE },
		{ { 0xc1, 1 }, TCM_LUN_NONE },		/* well known */
		{ { 0x80, 1 }, TCM_LUN_NONE },		/* logical unit method */
		{ { 0xd2, 1, 0, 0 }, 0x010000 },	/* extended flat space, three bytes */
		{ { 0xd2, 0xff, 0xff, 0xff }, 0xffffff },
		{ { 0xd2, 0, 0, 1, 0, 1 }, TCM_LUN_NONE },
		{ { 0xff, 0xff, 0xff, 0xff }, TCM_LUN_NONE },
	};
	struct scsi_lun lun;
	u64 n;
	int i;

	for (i = 0; i < ARRAY_SIZE(t); i++) {
		memcpy(&lun, t[i].wire, 8);
		KUNIT_EXPECT_EQ_MSG(test, tcm_lun_unpack(&lun), t[i].lun, "%8ph", t[i].wire);
	}
	for (n = 0; n <= TCM_LUN_MAX; n = n * 2 + 1) {
		tcm_lun_pack(n, &lun);
		KUNIT_EXPECT_EQ(test, tcm_lun_unpack(&lun), n);
	}
}

/* Numbers in the array, beyond it, at both ends of it; and gone again. */
static void lun_tables(struct kunit *test)
{
	static const u64 numbers[] = { 1, 255, 256, 257, 16383, 16384, TCM_LUN_MAX };
	struct tcm_lun *lun[ARRAY_SIZE(numbers)];
	struct tcm_rig *rig = test->priv;
	const char *why;
	int i;

	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		KUNIT_EXPECT_EQ_MSG(test, run(test, numbers[i], tur), TCM_LUN_NOT_SUPPORTED, "%llu",
				    numbers[i]);
		lun[i] = tcm_lun_link(rig->tpg, numbers[i], rig->dev, &why);
		KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(lun[i]), "%llu", numbers[i]);
		KUNIT_EXPECT_PTR_EQ(test, tcm_lun_link(rig->tpg, numbers[i], rig->dev, &why),
				    ERR_PTR(-EEXIST));
	}
	KUNIT_EXPECT_PTR_EQ(test, tcm_lun_link(rig->tpg, TCM_LUN_MAX + 1ULL, rig->dev, &why),
			    ERR_PTR(-EINVAL));
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		struct tcm_mapping *map = tcm_rig_map(rig, numbers[i]);

		KUNIT_ASSERT_NOT_NULL(test, map);
		KUNIT_EXPECT_PTR_EQ(test, map->lun, lun[i]);
		KUNIT_EXPECT_NE(test, run(test, numbers[i], tur), TCM_LUN_NOT_SUPPORTED);
	}
	for (i = 0; i < ARRAY_SIZE(numbers); i++) {
		tcm_lun_unlink(lun[i]);
		KUNIT_EXPECT_NULL(test, tcm_rig_map(rig, numbers[i]));
		KUNIT_EXPECT_EQ(test, run(test, numbers[i], tur), TCM_LUN_NOT_SUPPORTED);
	}
	KUNIT_EXPECT_NE(test, run(test, 0, tur), TCM_LUN_NOT_SUPPORTED);
}

/* REPORT LUNS: in ascending order, told to have changed once, not again */
static void lun_report(struct kunit *test)
{
	static const u8 report[12] = { REPORT_LUNS, [9] = 64 };
	struct tcm_rig *rig = test->priv;
	struct tcm_lun *lun;
	const char *why;
	u8 buf[64] = { };

	tcm_rig_settle(test);
	lun = tcm_lun_link(rig->tpg, 300, rig->dev, &why);
	KUNIT_ASSERT_FALSE(test, IS_ERR(lun));
	KUNIT_EXPECT_TRUE(test, test_bit(TCM_UA_LUNS_CHANGED, &tcm_rig_map(rig, 0)->ua));
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, report, 12, DMA_FROM_DEVICE, buf, 64), TCM_OK);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(buf), 16U);
	KUNIT_EXPECT_EQ(test, get_unaligned_be64(buf + 8), 0ULL);
	KUNIT_EXPECT_EQ(test, get_unaligned_be64(buf + 16), 300ULL << 48);
	KUNIT_EXPECT_FALSE(test, test_bit(TCM_UA_LUNS_CHANGED, &tcm_rig_map(rig, 0)->ua));
	tcm_lun_unlink(lun);
	KUNIT_EXPECT_EQ(test, run(test, 0, tur), tcm_ua_sense(TCM_UA_LUNS_CHANGED));
	KUNIT_EXPECT_EQ(test, run(test, 0, tur), TCM_OK);
}

/* The first command gives the nexus its counters; then the word is zero. */
static void gate_opens(struct kunit *test)
{
	struct tcm_mapping *map = tcm_rig_map(test->priv, 0);

	KUNIT_EXPECT_TRUE(test, test_bit(TCM_GATE_STATS, &map->gate));
	KUNIT_EXPECT_NULL(test, (__force void *)map->stats);
	tcm_rig_settle(test);
	KUNIT_EXPECT_EQ(test, map->gate, 0UL);
	KUNIT_EXPECT_NOT_NULL(test, (__force void *)map->stats);
	KUNIT_EXPECT_EQ(test, atomic_read(&map->pinned), 0);
	KUNIT_EXPECT_EQ(test, run(test, 0, read1), TCM_OK);
	KUNIT_EXPECT_EQ(test, ((struct tcm_rig *)test->priv)->submitted, 1U);
}

static void gate_states(struct kunit *test)
{
	struct tcm_rig *rig = test->priv;
	struct tcm_mapping *map = tcm_rig_map(rig, 0);
	unsigned int before;

	tcm_rig_settle(test);
	set_bit(TCM_GATE_WP, &map->gate);
	before = rig->submitted;
	KUNIT_EXPECT_EQ(test, run(test, 0, write1), TCM_WRITE_PROTECTED);
	KUNIT_EXPECT_EQ(test, rig->submitted, before);
	KUNIT_EXPECT_EQ(test, run(test, 0, read1), TCM_OK);
	clear_bit(TCM_GATE_WP, &map->gate);
	KUNIT_EXPECT_EQ(test, run(test, 0, write1), TCM_OK);

	tcm_sbc_set_stopped(rig->dev, true);
	KUNIT_EXPECT_TRUE(test, test_bit(TCM_GATE_STOPPED, &map->gate));
	KUNIT_EXPECT_EQ(test, run(test, 0, read1), TCM_NOT_READY_INIT_REQUIRED);
	KUNIT_EXPECT_EQ(test, run(test, 0, tur), TCM_NOT_READY_INIT_REQUIRED);
	tcm_sbc_set_stopped(rig->dev, false);
	KUNIT_EXPECT_EQ(test, map->gate, 0UL);
	KUNIT_EXPECT_EQ(test, run(test, 0, read1), TCM_OK);

	before = rig->submitted;
	tcm_device_event(rig->dev, TCM_DEV_GONE);
	KUNIT_EXPECT_EQ(test, run(test, 0, read1), TCM_LUN_FAILURE);
	KUNIT_EXPECT_EQ(test, run(test, 0, write1), TCM_LUN_FAILURE);
	KUNIT_EXPECT_EQ(test, run(test, 0, tur), TCM_LUN_FAILURE);
	KUNIT_EXPECT_EQ(test, rig->submitted, before);
}

/* A LUN that is linked later knows what the device went through before. */
static void gate_inherits(struct kunit *test)
{
	struct tcm_rig *rig = test->priv;
	struct tcm_lun *lun;
	const char *why;

	tcm_sbc_set_stopped(rig->dev, true);
	lun = tcm_lun_link(rig->tpg, 1, rig->dev, &why);
	KUNIT_ASSERT_FALSE(test, IS_ERR(lun));
	KUNIT_EXPECT_TRUE(test, test_bit(TCM_GATE_STOPPED, &tcm_rig_map(rig, 1)->gate));
	tcm_lun_unlink(lun);
	tcm_sbc_set_stopped(rig->dev, false);
}

/* All of them raised, in reverse: told in the order of precedence, each once. */
static void ua_order(struct kunit *test)
{
	struct tcm_mapping *map = tcm_rig_map(test->priv, 0);
	int ua;

	tcm_rig_settle(test);
	for (ua = TCM_UA_COUNT - 1; ua >= 0; ua--) {
		tcm_ua_raise(map, ua);
		tcm_ua_raise(map, ua);
	}
	for (ua = 0; ua < TCM_UA_COUNT; ua++) {
		KUNIT_EXPECT_NE(test, tcm_ua_sense(ua), TCM_OK);
		KUNIT_EXPECT_EQ(test, TCM_SENSE_KEY(tcm_ua_sense(ua)), UNIT_ATTENTION);
		KUNIT_EXPECT_TRUE(test, test_bit(TCM_GATE_UA, &map->gate));
		KUNIT_EXPECT_EQ_MSG(test, run(test, 0, tur), tcm_ua_sense(ua), "%d", ua);
	}
	KUNIT_EXPECT_EQ(test, map->gate, 0UL);
	KUNIT_EXPECT_EQ(test, run(test, 0, tur), TCM_OK);
}

/* SPC-4 5.14.2: INQUIRY, REPORT LUNS and REQUEST SENSE run in spite of it */
static void ua_passed_over(struct kunit *test)
{
	static const u8 sense[6] = { REQUEST_SENSE, 0, 0, 0, 18 };
	static const u8 inquiry[6] = { INQUIRY, 0, 0, 0, 36 };
	struct tcm_mapping *map = tcm_rig_map(test->priv, 0);
	u8 buf[36] = { };

	tcm_rig_settle(test);
	tcm_ua_raise(map, TCM_UA_CAPACITY_CHANGED);
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, inquiry, 6, DMA_FROM_DEVICE, buf, 36), TCM_OK);
	KUNIT_EXPECT_TRUE(test, test_bit(TCM_UA_CAPACITY_CHANGED, &map->ua));
	/* REQUEST SENSE tells it, as data, and it is told */
	KUNIT_EXPECT_EQ(test, tcm_rig_run(test, 0, sense, 6, DMA_FROM_DEVICE, buf, 18), TCM_OK);
	KUNIT_EXPECT_EQ(test, buf[2], UNIT_ATTENTION);
	KUNIT_EXPECT_EQ(test, get_unaligned_be16(buf + 12), 0x2a09);
	KUNIT_EXPECT_EQ(test, run(test, 0, tur), TCM_OK);
}

/* Raised while another CPU takes: none is lost, and none told twice. */
struct ua_race {
	struct work_struct work;
	struct tcm_mapping *map;
	unsigned int rounds;
};

static void ua_race_raise(struct work_struct *work)
{
	struct ua_race *race = container_of(work, struct ua_race, work);
	unsigned int i;

	for (i = 0; i < race->rounds; i++) {
		tcm_ua_raise(race->map, TCM_UA_MODE_CHANGED);
		while (test_bit(TCM_UA_MODE_CHANGED, &race->map->ua))
			cond_resched();
	}
}

static void ua_loss(struct kunit *test)
{
	struct ua_race race = { .map = tcm_rig_map(test->priv, 0), .rounds = 2000 };
	struct tcm_sense_extra x = { };
	unsigned long end = jiffies + 60 * HZ;
	unsigned int told = 0;

	tcm_rig_settle(test);
	INIT_WORK_ONSTACK(&race.work, ua_race_raise);
	queue_work(system_unbound_wq, &race.work);
	while (told < race.rounds && time_before(jiffies, end)) {
		/* as tcm_cmd_run() does: without the gate's bit nobody looks */
		if (!test_bit(TCM_GATE_UA, &race.map->gate)) {
			cond_resched();
			continue;
		}
		told += tcm_ua_take(race.map, &x) == tcm_ua_sense(TCM_UA_MODE_CHANGED);
	}
	KUNIT_EXPECT_EQ(test, told, race.rounds);
	/* or the raiser would wait for ever */
	WRITE_ONCE(race.rounds, 0);
	clear_bit(TCM_UA_MODE_CHANGED, &race.map->ua);
	flush_work(&race.work);
	destroy_work_on_stack(&race.work);
	KUNIT_EXPECT_EQ(test, tcm_ua_take(race.map, &x), TCM_OK);
}

/* It was taken to refuse a command with, and the command was aborted before anybody was told. */
static void ua_aborted(struct kunit *test)
{
	static const enum tcm_ua told[] = { TCM_UA_MODE_CHANGED, TCM_UA_THIN_USED };
	struct tcm_rig *rig = test->priv;
	struct tcm_mapping *map = tcm_rig_map(rig, 0);
	struct tcm_cmd *cmd = &rig->cmd;
	struct scsi_lun lun;
	unsigned int i;

	tcm_rig_settle(test);
	tcm_lun_pack(0, &lun);
	for (i = 0; i < ARRAY_SIZE(told); i++) {
		tcm_ua_raise(map, told[i]);
		KUNIT_ASSERT_EQ(test, 0, tcm_cmd_init(cmd, rig->sess, &lun, tur, 6));
		atomic_add(TCM_ST_EXEC - TCM_ST_NEW + TCM_ST_ABORTED, &cmd->state);
		tcm_cmd_complete(cmd, tcm_ua_take(map, &cmd->extra));
		KUNIT_ASSERT_TRUE(test, wait_for_completion_timeout(&rig->responded, 10 * HZ));
		KUNIT_EXPECT_EQ(test, rig->sense, TCM_TASK_ABORTED);
		KUNIT_EXPECT_EQ(test, map->ua, BIT(told[i]));
		KUNIT_EXPECT_TRUE(test, test_bit(TCM_GATE_UA, &map->gate));
		clear_bit(told[i], &map->ua);
	}
	tcm_rig_settle(test);
}

/* Two segments of eight blocks that repeat; the second one's state is @second. */
static void map_segments(struct kunit *test, u8 second)
{
	struct tcm_rig *rig = test->priv;
	struct tcm_lba_range *range;
	LIST_HEAD(map);
	int i;

	for (i = 0; i < 2; i++) {
		range = tcm_lba_range_alloc(1);
		KUNIT_ASSERT_NOT_NULL(test, range);
		range->first = 8 * i;
		range->last = 8 * i + 7;
		range->members[0].state = i ? second : TCM_ALUA_OPTIMIZED;
		list_add_tail(&range->node, &map);
	}
	tcm_lba_map_set(rig->dev, 8, 2, &map);
}

/* LBA dependent: each block that is asked for counts, and nobody looks at billions of them. */
static void alua_blocks(struct kunit *test)
{
	static const struct {
		u64 lba;
		u32 nblocks;
		enum tcm_sense all, half;	/* both segments are there, or the first one */
	} cases[] = {
		{ 0, 8, TCM_OK, TCM_OK },
		{ 7, 2, TCM_OK, TCM_ALUA_UNAVAILABLE },
		{ 8, 1, TCM_OK, TCM_ALUA_UNAVAILABLE },
		{ 16, 8, TCM_OK, TCM_OK },
		{ 16, 9, TCM_OK, TCM_ALUA_UNAVAILABLE },
		{ 0, U32_MAX, TCM_LBA_OUT_OF_RANGE, TCM_ALUA_UNAVAILABLE },
		{ 1, U32_MAX, TCM_LBA_OUT_OF_RANGE, TCM_ALUA_UNAVAILABLE },
		{ U64_MAX - 7, 8, TCM_LBA_OUT_OF_RANGE, TCM_ALUA_UNAVAILABLE },
		{ U64_MAX - 3, 8, TCM_LBA_OUT_OF_RANGE, TCM_ALUA_UNAVAILABLE },
		{ U64_MAX, U32_MAX, TCM_LBA_OUT_OF_RANGE, TCM_ALUA_UNAVAILABLE },
		{ U64_MAX - 99, 50, TCM_LBA_OUT_OF_RANGE, TCM_ALUA_UNAVAILABLE },
	};
	struct tcm_rig *rig = test->priv;
	struct tcm_mapping *map = tcm_rig_map(rig, 0);
	u8 verify[16] = { VERIFY_16 };
	unsigned int i;

	tcm_rig_settle(test);
	rig->dev->alua->def->state = TCM_ALUA_LBA_DEPENDENT;
	set_bit(TCM_GATE_ALUA, &map->gate);
	for (i = 0; i < ARRAY_SIZE(cases); i++) {
		put_unaligned_be64(cases[i].lba, verify + 2);
		put_unaligned_be32(cases[i].nblocks, verify + 10);
		map_segments(test, TCM_ALUA_OPTIMIZED);
		KUNIT_EXPECT_EQ_MSG(test, cases[i].all,
				    tcm_rig_run(test, 0, verify, 16, DMA_NONE, NULL, 0), "%u", i);
		map_segments(test, TCM_ALUA_UNAVAILABLE_STATE);
		KUNIT_EXPECT_EQ_MSG(test, cases[i].half,
				    tcm_rig_run(test, 0, verify, 16, DMA_NONE, NULL, 0), "%u", i);
	}
}

/* What a backend says of itself becomes attributes, and commands are held to it. */
static void device_limits(struct kunit *test)
{
	struct tcm_rig *rig = test->priv;
	const struct tcm_dev_attr *attr = &rig->dev->attr;
	u8 far[10] = { READ_10, 0, 0, 0x20, 0, 0, [8] = 1 };
	const char *why;

	KUNIT_EXPECT_EQ(test, attr->hw_block_size, 512U);
	KUNIT_EXPECT_EQ(test, attr->hw_max_sectors, 65536U);
	KUNIT_EXPECT_EQ(test, attr->hw_queue_depth, 128U);
	KUNIT_EXPECT_EQ(test, attr->max_unmap_lba_count, 4096U);
	KUNIT_EXPECT_EQ(test, attr->max_unmap_block_desc_count, 8U);
	KUNIT_EXPECT_EQ(test, attr->unmap_granularity, 8U);
	KUNIT_EXPECT_EQ(test, attr->max_write_same_len, 65536U);
	KUNIT_EXPECT_EQ(test, rig->dev->nblocks, (u64)TCM_RIG_BLOCKS);
	KUNIT_EXPECT_EQ(test, rig->dev->max_blocks, 65536U);
	tcm_rig_settle(test);
	KUNIT_EXPECT_EQ(test, run(test, 0, far), TCM_LBA_OUT_OF_RANGE);
	KUNIT_EXPECT_EQ(test, get_unaligned_be32(rig->sense_data + 3), TCM_RIG_BLOCKS);
	far[3] = 0x1f;
	far[4] = 0xff;
	far[5] = 0xff;
	KUNIT_EXPECT_EQ(test, run(test, 0, far), TCM_OK);
	/* a LUN links to it: no other block size now */
	KUNIT_EXPECT_EQ(test, tcm_attr_set(rig->dev, TCM_ATTR_block_size, 4096, &why), -EINVAL);
	KUNIT_EXPECT_EQ(test, tcm_attr_set(rig->dev, TCM_ATTR_block_size, 512, &why), 0);
}

static void device_block_size(struct kunit *test)
{
	static const u32 bad[] = { 0, 1, 256, 511, 513, 1000, 8192, U32_MAX };
	struct tcm_rig *rig = test->priv;
	const char *why;
	u32 size;
	int i;

	tcm_lun_unlink(rig->lun);
	rig->lun = NULL;
	for (i = 0; i < ARRAY_SIZE(bad); i++)
		KUNIT_EXPECT_EQ_MSG(test, tcm_attr_set(rig->dev, TCM_ATTR_block_size, bad[i], &why),
				    -EINVAL, "%u", bad[i]);
	for (size = 4096; size >= 512; size /= 2) {
		KUNIT_EXPECT_EQ(test, tcm_attr_set(rig->dev, TCM_ATTR_block_size, size, &why), 0);
		KUNIT_EXPECT_EQ(test, rig->dev->nblocks, ((u64)TCM_RIG_BLOCKS << 9) / size);
		KUNIT_EXPECT_EQ(test, rig->dev->max_blocks, (65536U << 9) / size);
		KUNIT_EXPECT_EQ(test, rig->dev->attr.unmap_granularity, 4096 / size);
	}
}

/* Each attribute: what it has can be written again, what is beyond its range cannot. */
static void device_attributes(struct kunit *test)
{
	struct tcm_rig *rig = test->priv;
	const char *why;
	int id;

	for (id = 0; id < TCM_ATTR_COUNT; id++) {
		const struct tcm_attr_row *row = &tcm_attr_rows[id];
		u32 now = *tcm_attr_at(rig->dev, id);

		if (row->kind == TCM_ATTR_RO || row->kind == TCM_ATTR_IGNORED)
			continue;
		KUNIT_EXPECT_EQ_MSG(test, tcm_attr_set(rig->dev, id, now, &why), 0, "row %d", id);
		if (row->max != U32_MAX)
			KUNIT_EXPECT_EQ_MSG(test, tcm_attr_set(rig->dev, id, row->max + 1, &why),
					    -EINVAL, "row %d", id);
		KUNIT_EXPECT_EQ_MSG(test, *tcm_attr_at(rig->dev, id), now, "row %d", id);
	}
}

static struct kunit_case nexus_tests[] = {
	KUNIT_CASE(lun_addresses),
	KUNIT_CASE(lun_tables),
	KUNIT_CASE(lun_report),
	KUNIT_CASE(gate_opens),
	KUNIT_CASE(gate_states),
	KUNIT_CASE(gate_inherits),
	KUNIT_CASE(ua_order),
	KUNIT_CASE(ua_passed_over),
	KUNIT_CASE(ua_loss),
	KUNIT_CASE(ua_aborted),
	KUNIT_CASE(alua_blocks),
	KUNIT_CASE(device_limits),
	KUNIT_CASE(device_block_size),
	KUNIT_CASE(device_attributes),
	{ }
};

static struct kunit_suite nexus_suite = {
	.name = "tcm_nexus",
	.init = tcm_rig_init,
	.exit = tcm_rig_exit,
	.test_cases = nexus_tests,
};

kunit_test_suites(&nexus_suite);
