// SPDX-License-Identifier: GPL-2.0-only
/*
 * SYNCHRONIZE CACHE and START STOP UNIT (SBC-4 5.33, 5.32): what is in a cache, and whether the
 * unit runs.
 */
#include <linux/slab.h>
#include "device.h"
#include "gate.h"
#include "lu.h"
#include "opcode.h"
#include "sbc.h"

/* Byte 1 of both commands */
#define TCM_SYNC_IMMED	0x02
#define TCM_START_IMMED	0x01

/* START STOP UNIT, byte 4 */
#define TCM_START_START		0x01
#define TCM_START_NO_FLUSH	0x04
#define TCM_POWER_START_VALID	0	/* START says what to do */
#define TCM_POWER_ACTIVE	1

/* Flushes with nobody waiting, per device; whoever asks for more waits for his own. */
#define TCM_FLUSH_BEHIND_MAX	16

/* A flush that outlives the command that asked for it; holds the device. */
struct tcm_flush_behind {
	struct tcm_io io;
};

static void tcm_flush_behind_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_flush_behind *fb = container_of(io, struct tcm_flush_behind, io);
	struct tcm_device *dev = io->dev;

	/* Kept for the next SYNCHRONIZE CACHE: the data is not where it was believed to be. */
	if (sense)
		atomic_set(&dev->flush_error, sense);
	atomic_dec(&dev->flushes_behind);
	kfree(fb);
	tcm_device_put(dev);
}

bool tcm_sbc_flush_behind(struct tcm_device *dev, u64 pos, u64 len)
{
	struct tcm_flush_behind *fb;

	if (!atomic_add_unless(&dev->flushes_behind, 1, TCM_FLUSH_BEHIND_MAX))
		return false;
	fb = kzalloc(sizeof(*fb), GFP_NOIO);
	if (!fb) {
		atomic_dec(&dev->flushes_behind);
		return false;
	}
	tcm_device_get(dev);
	fb->io.dev = dev;
	fb->io.pos = pos;
	fb->io.len = len;
	fb->io.write = true;
	fb->io.bad_pos = U64_MAX;
	fb->io.done = tcm_flush_behind_done;
	dev->ops->flush(&fb->io);
	return true;
}

static void tcm_sync_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);
	enum tcm_sense late = atomic_xchg(&cmd->dev->flush_error, TCM_OK);

	tcm_cmd_complete(cmd, sense ? tcm_sbc_io_sense(cmd, sense) : late);
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

void tcm_sbc_set_stopped(struct tcm_device *dev, bool stopped)
{
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	if (test_bit(TCM_DEV_STOPPED, &dev->flags) != stopped) {
		if (stopped)
			atomic_inc(&dev->lu->log.stops);
		assign_bit(TCM_DEV_STOPPED, &dev->flags, stopped);
		tcm_gate_device(dev, TCM_GATE_STOPPED, stopped);
	}
	spin_unlock_irqrestore(&dev->lun_lock, flags);
}

static void tcm_stop_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	/* What could not be written stays reachable. */
	if (sense)
		tcm_sbc_set_stopped(cmd->dev, false);
	tcm_cmd_complete(cmd, tcm_sbc_io_sense(cmd, sense));
}

static enum tcm_sense tcm_sbc_stop(struct tcm_cmd *cmd)
{
	struct tcm_device *dev = cmd->dev;

	/* Who may not write may not take the unit from those who do. */
	if (test_bit(TCM_GATE_WP, &cmd->map->gate))
		return TCM_WRITE_PROTECTED;
	tcm_sbc_set_stopped(dev, true);
	if ((cmd->cdb[4] & TCM_START_NO_FLUSH) || !dev->ops->flush)
		return TCM_OK;
	if ((cmd->cdb[1] & TCM_START_IMMED) && tcm_sbc_flush_behind(dev, 0, 0))
		return TCM_OK;
	dev->ops->flush(tcm_sbc_io(cmd, 0, 0, NULL, true, 0, tcm_stop_done));
	return TCM_PENDING;
}

/* To start it takes nothing from anybody (SBC-4 table 13). */
bool tcm_sbc_start_allowed(const struct tcm_cmd *cmd)
{
	return cmd->cdb[4] >> 4 == TCM_POWER_START_VALID && (cmd->cdb[4] & TCM_START_START);
}

enum tcm_sense tcm_sbc_start_stop(struct tcm_cmd *cmd)
{
	switch (cmd->cdb[4] >> 4) {
	case TCM_POWER_START_VALID:
		if (!(cmd->cdb[4] & TCM_START_START))
			return tcm_sbc_stop(cmd);
		break;
	case TCM_POWER_ACTIVE:
		break;
	default:
		/* Idle and standby would be claims: there is nothing that rests. */
		return tcm_bad_cdb(cmd, 4, 7);
	}
	tcm_sbc_set_stopped(cmd->dev, false);
	return TCM_OK;
}
