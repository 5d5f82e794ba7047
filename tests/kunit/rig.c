// SPDX-License-Identifier: GPL-2.0-only
#include <linux/module.h>
#include <linux/slab.h>
#include "../../core/alua.h"
#include "../../core/device.h"
#include "../../core/session.h"
#include "../../core/target.h"
#include "rig.h"

static int rig_create(struct tcm_device *dev)
{
	return 0;
}

static void rig_destroy(struct tcm_device *dev)
{
}

static int rig_parse(struct tcm_device *dev, const char *key, char *value)
{
	return -ENOENT;
}

static int rig_open(struct tcm_device *dev)
{
	dev->limits = (struct tcm_limits) {
		.block_size		= 512,
		.max_sectors		= 65536,
		.queue_depth		= 128,
		.max_unmap_lba		= 4096,
		.max_unmap_desc		= 8,
		.unmap_granularity	= 8,
		.unmap_zeroes		= true,
		.max_write_same		= 65536,
		.write_cache		= true,
	};
	return 0;
}

static ssize_t rig_info(struct tcm_device *dev, char *buf, size_t size)
{
	return 0;
}

static u64 rig_capacity(struct tcm_device *dev)
{
	return (u64)TCM_RIG_BLOCKS << 9;
}

/* Every access succeeds at once and moves nothing: suites look at commands, not at data. */
static void rig_io(struct tcm_io *io)
{
	struct tcm_cmd *cmd = container_of(io, struct tcm_cmd, io);
	struct tcm_rig *rig = container_of(cmd, struct tcm_rig, cmd);

	rig->submitted++;
	tcm_io_done(io, TCM_OK);
}

static struct tcm_backend_ops rig_backend = {
	.name		= "kunit",
	.product	= "KUNIT",
	.owner		= THIS_MODULE,
	.create		= rig_create,
	.destroy	= rig_destroy,
	.parse		= rig_parse,
	.open		= rig_open,
	.close		= rig_destroy,
	.info		= rig_info,
	.capacity	= rig_capacity,
	.submit		= rig_io,
	.flush		= rig_io,
	.unmap		= rig_io,
};

static int rig_add_wwn(struct tcm_wwn *wwn)
{
	wwn->proto = TCM_PROTO_SAS;
	return 0;
}

static int rig_add_tpg(struct tcm_tpg *tpg)
{
	return 0;
}

static void rig_respond(struct tcm_cmd *cmd)
{
	struct tcm_rig *rig = container_of(cmd, struct tcm_rig, cmd);

	rig->sense = cmd->sense;
	rig->xfer_len = cmd->xfer_len;
	rig->residual = tcm_cmd_residual(cmd, &rig->overflow);
	rig->sense_len = tcm_cmd_sense(cmd, rig->sense_data);
	tcm_cmd_put(cmd);
	complete(&rig->responded);
}

static void rig_tmf_done(struct tcm_tmf *tmf)
{
}

static void rig_for_each_cmd(struct tcm_session *sess, const struct tcm_lun *lun, tcm_cmd_fn fn,
			     void *arg)
{
}

static void rig_close_session(struct tcm_session *sess)
{
}

static struct tcm_fabric_ops rig_fabric = {
	.name		= "kunit",
	.owner		= THIS_MODULE,
	.max_data_sg	= 256,
	.add_wwn	= rig_add_wwn,
	.add_tpg	= rig_add_tpg,
	.respond	= rig_respond,
	.tmf_done	= rig_tmf_done,
	.for_each_cmd	= rig_for_each_cmd,
	.close_session	= rig_close_session,
};

static void rig_released(struct tcm_session *sess)
{
	struct tcm_rig *rig = sess->priv;

	complete(&rig->released);
}

static void rig_build(struct kunit *test, struct tcm_rig *rig)
{
	const char *why = "";

	rig->hba = tcm_hba_create("kunit", 0);
	KUNIT_ASSERT_FALSE(test, IS_ERR_OR_NULL(rig->hba));
	rig->dev = tcm_device_create(rig->hba, "disk");
	KUNIT_ASSERT_FALSE(test, IS_ERR(rig->dev));
	strscpy(rig->dev->serial, "0123456789abcdef", sizeof(rig->dev->serial));
	KUNIT_ASSERT_EQ_MSG(test, 0, tcm_device_enable(rig->dev, &why), "%s", why);
	rig->wwn = tcm_wwn_create(&rig_fabric, "naa.5001405000000001");
	KUNIT_ASSERT_FALSE(test, IS_ERR(rig->wwn));
	rig->tpg = tcm_tpg_create(rig->wwn, 1);
	KUNIT_ASSERT_FALSE(test, IS_ERR(rig->tpg));
	rig->lun = tcm_lun_link(rig->tpg, 0, rig->dev, &why);
	KUNIT_ASSERT_FALSE_MSG(test, IS_ERR(rig->lun), "%s", why);
	rig->sess = tcm_session_create(rig->tpg, "naa.5001405000000002", NULL,
				       TCM_DEMO_READ_WRITE, rig);
	KUNIT_ASSERT_FALSE(test, IS_ERR(rig->sess));
}

int tcm_rig_init(struct kunit *test)
{
	struct tcm_rig *rig = kunit_kzalloc(test, sizeof(*rig), GFP_KERNEL);

	KUNIT_ASSERT_NOT_NULL(test, rig);
	init_completion(&rig->responded);
	init_completion(&rig->released);
	KUNIT_ASSERT_EQ(test, 0, tcm_backend_register(&rig_backend));
	test->priv = rig;
	rig_build(test, rig);
	return 0;
}

void tcm_rig_map_blocks(struct kunit *test)
{
	struct tcm_lba_range *range = tcm_lba_range_alloc(1);
	struct tcm_rig *rig = test->priv;
	LIST_HEAD(map);

	KUNIT_ASSERT_NOT_NULL(test, range);
	range->last = U64_MAX;
	list_add(&range->node, &map);
	tcm_lba_map_set(rig->dev, 0, 0, &map);
}

void tcm_rig_exit(struct kunit *test)
{
	struct tcm_rig *rig = test->priv;

	if (!rig)
		return;
	if (!IS_ERR_OR_NULL(rig->sess)) {
		tcm_session_close(rig->sess, rig_released);
		KUNIT_EXPECT_TRUE(test, wait_for_completion_timeout(&rig->released, 60 * HZ));
	}
	if (!IS_ERR_OR_NULL(rig->lun))
		tcm_lun_unlink(rig->lun);
	if (!IS_ERR_OR_NULL(rig->tpg))
		tcm_tpg_destroy(rig->tpg);
	if (!IS_ERR_OR_NULL(rig->wwn))
		tcm_wwn_destroy(rig->wwn);
	if (!IS_ERR_OR_NULL(rig->dev))
		tcm_device_destroy(rig->dev);
	if (!IS_ERR_OR_NULL(rig->hba))
		tcm_hba_destroy(rig->hba);
	tcm_target_drain(&rig_fabric);
	tcm_backend_unregister(&rig_backend);
}

enum tcm_sense tcm_rig_run(struct kunit *test, u64 lun, const u8 *cdb, unsigned int cdb_len,
			   enum dma_data_direction dir, void *buf, unsigned int len)
{
	struct tcm_rig *rig = test->priv;
	struct tcm_cmd *cmd = &rig->cmd;
	struct scsi_lun address;
	struct scatterlist sg;
	u8 wire[32] = { }, *data = NULL;

	memcpy(wire, cdb, cdb_len);
	if (len) {
		/* of exactly that size: KASAN watches the byte behind it; the caller's may be a stack's */
		data = kmemdup(buf, len, GFP_KERNEL);
		KUNIT_ASSERT_NOT_NULL(test, data);
		sg_init_one(&sg, data, len);
	}
	tcm_lun_pack(lun, &address);
	KUNIT_ASSERT_EQ(test, 0, tcm_cmd_init(cmd, rig->sess, &address, wire, cdb_len));
	cmd->exp_len = len;
	cmd->exp_dir = len ? dir : DMA_NONE;
	if (len) {
		cmd->sg = &sg;
		cmd->sg_nents = 1;
	}
	tcm_cmd_submit(cmd, TCM_CTX_SLEEPABLE);
	KUNIT_ASSERT_TRUE(test, wait_for_completion_timeout(&rig->responded, 10 * HZ));
	if (len)
		memcpy(buf, data, len);
	kfree(data);
	return rig->sense;
}

void tcm_rig_settle(struct kunit *test)
{
	static const u8 tur[6];
	int i;

	for (i = 0; i < TCM_UA_COUNT + 1; i++)
		if (!tcm_rig_run(test, 0, tur, 6, DMA_NONE, NULL, 0))
			return;
	KUNIT_FAIL(test, "unit attentions without end");
}

struct tcm_mapping *tcm_rig_map(struct tcm_rig *rig, u64 lun)
{
	struct tcm_mapping *map;

	rcu_read_lock();
	map = tcm_session_map(rig->sess, lun);
	rcu_read_unlock();
	return map;
}

MODULE_DESCRIPTION("TCM KUnit suites");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
