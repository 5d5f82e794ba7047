// SPDX-License-Identifier: GPL-2.0-only
/*
 * COMPARE AND WRITE (SBC-4 5.3). Those that overlap run one after the other, in the order
 * in which they came; others do not wait. Plain reads and writes are not
 * held back: who uses the command for a lock uses it for every change of the lock.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include "hop.h"
#include "opcode.h"
#include "sbc.h"

/* cmd->work of a COMPARE AND WRITE */
struct tcm_caw {
	struct list_head	node;	/* in dev->caws; dev->caw_lock */
	struct tcm_cmd		*cmd;
	bool			runs;	/* dev->caw_lock */
	u8			flags;	/* TCM_IO_* of the write */
	u32			len;	/* bytes of each half of data-out */
	struct scatterlist	*sg;	/* what was read */
};

bool tcm_sbc_caw_offered(const struct tcm_device *dev)
{
	return dev->attr.emulate_caw;
}

/* Data-out is what is expected, then what is written. */
enum tcm_sense tcm_sbc_caw_parse(struct tcm_cmd *cmd)
{
	if (cmd->nblocks > TCM_CAW_MAX_BLOCKS)
		return tcm_bad_cdb(cmd, cmd->op->len_at, -1);
	cmd->data_len = 2 * cmd->nblocks << cmd->dev->block_shift;
	return TCM_OK;
}

/* Does nothing before it in the list overlap? */
static bool tcm_caw_free(const struct tcm_device *dev, const struct tcm_caw *caw)
{
	const struct tcm_cmd *cmd = caw->cmd;
	const struct tcm_caw *other;

	lockdep_assert_held(&dev->caw_lock);
	list_for_each_entry(other, &dev->caws, node) {
		if (other == caw)
			break;
		if (other->cmd->lba < cmd->lba + cmd->nblocks &&
		    cmd->lba < other->cmd->lba + other->cmd->nblocks)
			return false;
	}
	return true;
}

static bool tcm_caw_lock(struct tcm_caw *caw)
{
	struct tcm_device *dev = caw->cmd->dev;
	unsigned long flags;

	spin_lock_irqsave(&dev->caw_lock, flags);
	list_add_tail(&caw->node, &dev->caws);
	caw->runs = tcm_caw_free(dev, caw);
	spin_unlock_irqrestore(&dev->caw_lock, flags);
	return caw->runs;
}

static void tcm_caw_start(struct tcm_cmd *cmd);

static void tcm_caw_unlock(struct tcm_caw *caw)
{
	struct tcm_device *dev = caw->cmd->dev;
	struct tcm_caw *next;
	unsigned long flags;

	spin_lock_irqsave(&dev->caw_lock, flags);
	list_del(&caw->node);
	list_for_each_entry(next, &dev->caws, node) {
		if (next->runs || !tcm_caw_free(dev, next))
			continue;
		next->runs = true;
		tcm_hop_queue(next->cmd, tcm_caw_start);
	}
	spin_unlock_irqrestore(&dev->caw_lock, flags);
}

static void tcm_caw_end(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	struct tcm_caw *caw = cmd->work;

	tcm_caw_unlock(caw);
	sgl_free(caw->sg);
	kfree(caw);
	cmd->work = NULL;
	tcm_cmd_complete(cmd, sense);
}

static void tcm_caw_written(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	tcm_caw_end(cmd, tcm_sbc_io_sense(cmd, sense));
}

static void tcm_caw_compare(struct tcm_cmd *cmd)
{
	struct tcm_caw *caw = cmd->work;
	u64 same = tcm_sg_compare(caw->sg, cmd->sg, 0, caw->len);
	struct tcm_io *io;

	if (same != caw->len) {
		tcm_caw_end(cmd, tcm_sense_info(cmd, TCM_MISCOMPARE, same));
		return;
	}
	if (tcm_sbc_aborted(cmd)) {
		tcm_caw_end(cmd, TCM_OK);
		return;
	}
	io = tcm_sbc_io(cmd, cmd->lba << cmd->dev->block_shift, caw->len, cmd->sg, true, caw->flags,
			tcm_caw_written);
	io->skip = caw->len;
	cmd->dev->ops->submit(io);
}

static void tcm_caw_read(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	if (sense)
		tcm_caw_end(cmd, tcm_sbc_io_sense(cmd, sense));
	else
		tcm_hop_queue(cmd, tcm_caw_compare);
}

static void tcm_caw_start(struct tcm_cmd *cmd)
{
	struct tcm_caw *caw = cmd->work;

	if (tcm_sbc_aborted(cmd)) {
		tcm_caw_end(cmd, TCM_OK);
		return;
	}
	cmd->dev->ops->submit(tcm_sbc_io(cmd, cmd->lba << cmd->dev->block_shift, caw->len, caw->sg,
					 false, 0, tcm_caw_read));
}

enum tcm_sense tcm_sbc_compare_and_write(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = tcm_sbc_range(cmd);
	struct tcm_caw *caw;
	u8 flags;

	if (!sense)
		sense = tcm_sbc_rw_flags(cmd, &flags);
	if (sense || !cmd->nblocks)
		return sense;
	caw = kmalloc(sizeof(*caw), GFP_NOIO);
	if (!caw)
		return TCM_BUSY;
	caw->cmd = cmd;
	caw->flags = flags | tcm_sbc_write_through(cmd->dev);
	caw->len = cmd->nblocks << cmd->dev->block_shift;
	caw->sg = sgl_alloc(caw->len, GFP_NOIO, NULL);
	if (!caw->sg) {
		kfree(caw);
		return TCM_BUSY;
	}
	cmd->work = caw;
	if (tcm_caw_lock(caw))
		tcm_caw_start(cmd);
	return TCM_PENDING;
}
