// SPDX-License-Identifier: GPL-2.0-only
/*
 * SYNCHRONIZE CACHE (SBC-4 5.33), and flushes that nobody waits for.
 */
#include <linux/module.h>
#include <linux/slab.h>
#include "device.h"
#include "hop.h"
#include "lu.h"
#include "opcode.h"
#include "sbc.h"

#define TCM_SYNC_IMMED	0x02	/* byte 1 */

/* Flushes with nobody waiting, per device; whoever asks for more waits for his own. */
#define TCM_FLUSH_BEHIND_MAX	16

/* A flush that outlives the command that asked for it; holds the device. */
struct tcm_flush_behind {
	struct tcm_io		io;
	struct work_struct	work;
};

/*
 * Not where it was believed to be is all data that was not flushed before, whoever wrote it: what
 * is below us says so once, to one who asks.
 */
void tcm_device_flush_failed(struct tcm_device *dev, enum tcm_sense sense)
{
	if (tcm_sense_status(sense) != SAM_STAT_CHECK_CONDITION)
		return;
	WRITE_ONCE(dev->flush_error, sense);
	errseq_set(&dev->flush_seq, -EIO);
}
EXPORT_SYMBOL_GPL(tcm_device_flush_failed);

enum tcm_sense tcm_sbc_flush_sense(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	if (likely(!sense))
		return TCM_OK;
	tcm_device_flush_failed(cmd->dev, sense);
	return tcm_sbc_io_sense(cmd, sense);
}

static void tcm_flush_behind_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_flush_behind *fb = container_of(io, struct tcm_flush_behind, io);
	struct tcm_device *dev = io->dev;

	if (sense)
		tcm_device_flush_failed(dev, sense);
	atomic_dec(&dev->flushes_behind);
	kfree(fb);
	tcm_device_put(dev);
}

static struct tcm_flush_behind *tcm_flush_behind_alloc(struct tcm_device *dev, u64 pos, u64 len)
{
	struct tcm_flush_behind *fb;

	if (!atomic_add_unless(&dev->flushes_behind, 1, TCM_FLUSH_BEHIND_MAX))
		return NULL;
	fb = kzalloc(sizeof(*fb), GFP_NOIO);
	if (!fb) {
		atomic_dec(&dev->flushes_behind);
		return NULL;
	}
	tcm_device_get(dev);
	fb->io.dev = dev;
	fb->io.pos = pos;
	fb->io.len = len;
	fb->io.write = true;
	fb->io.bad_pos = U64_MAX;
	fb->io.done = tcm_flush_behind_done;
	return fb;
}

bool tcm_sbc_flush_behind(struct tcm_device *dev, u64 pos, u64 len)
{
	struct tcm_flush_behind *fb = tcm_flush_behind_alloc(dev, pos, len);

	if (fb)
		dev->ops->flush(&fb->io);
	return fb;
}

static void tcm_cache_off_work(struct work_struct *work)
{
	struct tcm_flush_behind *fb = container_of(work, struct tcm_flush_behind, work);

	fb->io.dev->ops->flush(&fb->io);
}

void tcm_sbc_cache_off(struct tcm_device *dev)
{
	struct tcm_flush_behind *fb;

	if (!dev->limits.write_cache || !dev->ops->flush)
		return;
	fb = tcm_flush_behind_alloc(dev, 0, 0);
	if (!fb) {
		/* Nobody is there to wait instead. */
		tcm_device_flush_failed(dev, TCM_INTERNAL_TARGET_FAILURE);
		return;
	}
	INIT_WORK(&fb->work, tcm_cache_off_work);
	tcm_lu_queue(&fb->work);
}

static void tcm_left_behind_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	tcm_cmd_complete(cmd, tcm_sbc_flush_sense(cmd, sense));
}

static void tcm_left_behind(struct tcm_cmd *cmd)
{
	if (tcm_cmd_is_unwanted(cmd))
		tcm_cmd_complete(cmd, TCM_TASK_ABORTED);
	else
		cmd->dev->ops->flush(tcm_sbc_io(cmd, 0, 0, NULL, true, 0, tcm_left_behind_done));
}

void tcm_sbc_wrote(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	if (likely(sense || !tcm_sbc_left_behind(&cmd->io) || !cmd->dev->ops->flush))
		tcm_cmd_complete(cmd, tcm_sbc_io_sense(cmd, sense));
	else
		tcm_hop_queue(cmd, tcm_left_behind);
}

static void tcm_sync_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);
	struct tcm_device *dev = cmd->dev;
	enum tcm_sense late = TCM_OK;

	sense = tcm_sbc_flush_sense(cmd, sense);
	/* Two of one nexus at the same time are both told. */
	if (unlikely(errseq_check_and_advance(&dev->flush_seq, &cmd->map->flush_seq)))
		late = READ_ONCE(dev->flush_error);
	tcm_cmd_complete(cmd, sense ?: late);
}

enum tcm_sense tcm_sbc_sync_cache(struct tcm_cmd *cmd)
{
	struct tcm_device *dev = cmd->dev;
	u64 pos = cmd->lba << dev->block_shift, len = (u64)cmd->nblocks << dev->block_shift;
	enum tcm_sense sense = tcm_sbc_range(cmd);

	if (sense || !dev->ops->flush)
		return sense;
	if (cmd->lba == READ_ONCE(dev->nblocks))
		return TCM_OK;
	/*
	 * IMMED: the flush takes the device along, not the command, so that the command can
	 * be answered while it runs. The order (first begun, then answered) is what lets it
	 * fall back to waiting when too many run already.
	 */
	if ((cmd->cdb[1] & TCM_SYNC_IMMED) && tcm_sbc_flush_behind(dev, pos, len))
		return TCM_OK;
	dev->ops->flush(tcm_sbc_io(cmd, pos, len, NULL, true, 0, tcm_sync_done));
	return TCM_PENDING;
}
