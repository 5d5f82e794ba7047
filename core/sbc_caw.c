// SPDX-License-Identifier: GPL-2.0-only
/*
 * The commands that have their blocks for themselves: COMPARE AND WRITE (SBC-4 5.3), ORWRITE(16)
 * (5.10), which read, then write; and WRITE ATOMIC(16), of which nobody sees a part. What
 * keeps everybody else off is in core/range.c.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "gate.h"
#include "hop.h"
#include "opcode.h"
#include "range.h"
#include "sbc.h"
#include "sbc_pi.h"

/* What ORWRITE handles at once: bounds the memory of one command whatever its length. */
#define TCM_ORWRITE_CHUNK	SZ_256K
/* MAXIMUM ATOMIC TRANSFER LENGTH, in bytes */
#define TCM_ATOMIC_MAX		SZ_1M

/* cmd->work of a command that reads, then writes */
struct tcm_caw {
	struct scatterlist	*sg;	/* what was read */
	u64			done;	/* bytes */
	u64			total;
	u32			chunk;
	u8			flags;	/* TCM_IO_* of the write */
	struct tcm_pi_req	pi;	/* of a command with TCM_CMD_PI */
};

bool tcm_sbc_caw_offered(const struct tcm_device *dev)
{
	return dev->attr.emulate_caw;
}

/*
 * Nobody sees a part of it while the target runs: that is a lock's doing. What a power cut leaves
 * is the medium's: who has initiators that rely on all or nothing then turns it off.
 */
bool tcm_sbc_atomic_offered(const struct tcm_device *dev)
{
	return dev->attr.emulate_atomic_write;
}

u32 tcm_sbc_caw_max(const struct tcm_device *dev, const struct tcm_fabric_ops *ops)
{
	u32 max = min_t(u32, U8_MAX, READ_ONCE(dev->max_blocks));

	/* NUMBER OF LOGICAL BLOCKS is one byte; data-out holds them twice. */
	if (ops->max_data_sg)
		max = min_t(u64, max, tcm_sbc_max_blocks(dev, ops) / 2);
	return max;
}

u32 tcm_sbc_atomic_max(const struct tcm_device *dev, const struct tcm_fabric_ops *ops)
{
	return min_t(u32, TCM_ATOMIC_MAX >> dev->block_shift, tcm_sbc_max_blocks(dev, ops));
}

/* Data-out is what is expected, then what is written. */
enum tcm_sense tcm_sbc_caw_parse(struct tcm_cmd *cmd)
{
	if (cmd->nblocks > tcm_sbc_caw_max(cmd->dev, cmd->sess->ops))
		return tcm_bad_cdb(cmd, cmd->op->len_at, -1);
	cmd->data_len = 2 * cmd->nblocks << cmd->dev->block_shift;
	return TCM_OK;
}

static void tcm_caw_free(struct tcm_cmd *cmd)
{
	struct tcm_caw *caw = cmd->work;

	sgl_free(caw->sg);
	kfree(caw);
	cmd->work = NULL;
}

static void tcm_caw_end(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	tcm_caw_free(cmd);
	tcm_cmd_complete(cmd, sense);
}

/* The last of what was to be written has been, or not. */
static void tcm_caw_wrote(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	tcm_caw_free(cmd);
	tcm_sbc_wrote(cmd, sense);
}

static enum tcm_sense tcm_caw_alloc(struct tcm_cmd *cmd, u32 chunk, u8 flags)
{
	struct tcm_caw *caw = kmalloc(sizeof(*caw), GFP_NOIO);

	if (!caw)
		return TCM_BUSY;
	caw->flags = flags | tcm_sbc_write_through(cmd->dev);
	caw->done = 0;
	caw->total = (u64)cmd->nblocks << cmd->dev->block_shift;
	caw->chunk = min_t(u64, chunk, caw->total);
	caw->sg = sgl_alloc(caw->chunk, GFP_NOIO, NULL);
	if (!caw->sg) {
		kfree(caw);
		return TCM_BUSY;
	}
	cmd->work = caw;
	return TCM_OK;
}

/* Set up cmd->io for the part that is due. */
static struct tcm_io *tcm_caw_io(struct tcm_cmd *cmd, struct scatterlist *sg, bool write,
				 void (*done)(struct tcm_io *io, enum tcm_sense sense))
{
	struct tcm_caw *caw = cmd->work;

	return tcm_sbc_io(cmd, (cmd->lba << cmd->dev->block_shift) + caw->done,
			  min_t(u64, caw->chunk, caw->total - caw->done), sg, write,
			  write ? caw->flags : 0, done);
}

/*
 * cmd->io goes to the backend. Of protection information that which is on the medium is checked and
 * goes no further; what is written gets the tuples that came with it, and where data of ours are
 * written, their guards.
 */
static void tcm_caw_submit(struct tcm_cmd *cmd)
{
	struct tcm_caw *caw = cmd->work;
	struct tcm_io *io = &cmd->io;

	if (!(cmd->flags & TCM_CMD_PI)) {
		cmd->dev->ops->submit(io);
		return;
	}
	caw->pi = cmd->pi;
	caw->pi.pos -= io->skip;
	caw->pi.ref -= io->skip >> cmd->dev->block_shift;
	if (!io->write)
		caw->pi.sg = NULL;
	else if (io->sg == caw->sg)
		caw->pi.checks |= TCM_PI_REGUARD | TCM_PI_STABLE;
	tcm_sbc_pi_submit(cmd, &caw->pi);
}

/* What all of them begin with. TCM_PENDING: it may go on. */
static enum tcm_sense tcm_caw_begin(struct tcm_cmd *cmd, u8 *flags)
{
	enum tcm_sense sense = tcm_sbc_range(cmd);

	if (!sense)
		sense = tcm_sbc_rw_flags(cmd, flags);
	if (sense || !cmd->nblocks)
		return sense;
	if (cmd->flags & TCM_CMD_PI)
		sense = tcm_sbc_pi_take(cmd);
	return sense ?: TCM_PENDING;
}

static void tcm_caw_written(struct tcm_io *io, enum tcm_sense sense)
{
	tcm_caw_wrote(tcm_sbc_cmd(io), sense);
}

static void tcm_caw_compare(struct tcm_cmd *cmd)
{
	struct tcm_caw *caw = cmd->work;
	u64 same = tcm_sg_compare(caw->sg, cmd->sg, 0, caw->total);
	struct tcm_io *io;

	if (same != caw->total) {
		same = tcm_sbc_pi_offset(cmd, same);
		tcm_caw_end(cmd, tcm_sense_info(cmd, TCM_MISCOMPARE, same));
		return;
	}
	if (tcm_cmd_is_unwanted(cmd)) {
		tcm_caw_end(cmd, TCM_TASK_ABORTED);
		return;
	}
	io = tcm_caw_io(cmd, cmd->sg, true, tcm_caw_written);
	io->skip = caw->total;
	tcm_caw_submit(cmd);
}

static void tcm_caw_read(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	if (sense)
		tcm_caw_end(cmd, tcm_sbc_io_sense(cmd, sense));
	else
		tcm_hop_queue(cmd, tcm_caw_compare);
}

/* The blocks are there. False: it has ended, nothing of it has begun. */
static bool tcm_caw_granted(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = tcm_gate_granted(cmd);

	if (!sense)
		return true;
	tcm_caw_end(cmd, sense);
	return false;
}

static void tcm_caw_start(struct tcm_cmd *cmd)
{
	struct tcm_caw *caw = cmd->work;

	if (!tcm_caw_granted(cmd))
		return;
	tcm_caw_io(cmd, caw->sg, false, tcm_caw_read);
	tcm_caw_submit(cmd);
}

enum tcm_sense tcm_sbc_compare_and_write(struct tcm_cmd *cmd)
{
	enum tcm_sense sense;
	u8 flags;

	sense = tcm_caw_begin(cmd, &flags);
	if (sense != TCM_PENDING)
		return sense;
	sense = tcm_caw_alloc(cmd, U32_MAX, flags);
	if (sense)
		return sense;
	if (tcm_range_lock(cmd, tcm_caw_start))
		tcm_caw_start(cmd);
	return TCM_PENDING;
}

static void tcm_orwrite_next(struct tcm_cmd *cmd);

static void tcm_orwrite_written(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);
	struct tcm_caw *caw = cmd->work;

	caw->done += io->len;
	if (sense || caw->done == caw->total)
		tcm_caw_wrote(cmd, sense);
	else
		tcm_hop_queue(cmd, tcm_orwrite_next);
}

static void tcm_orwrite_merge(struct tcm_cmd *cmd)
{
	struct tcm_caw *caw = cmd->work;

	if (tcm_cmd_is_unwanted(cmd)) {
		tcm_caw_end(cmd, TCM_TASK_ABORTED);
		return;
	}
	/* The initiator's memory is not ours to change. */
	tcm_sg_or(caw->sg, cmd->sg, caw->done, cmd->io.len);
	tcm_caw_io(cmd, caw->sg, true, tcm_orwrite_written);
	tcm_caw_submit(cmd);
}

static void tcm_orwrite_read(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	if (sense)
		tcm_caw_end(cmd, tcm_sbc_io_sense(cmd, sense));
	else
		tcm_hop_queue(cmd, tcm_orwrite_merge);
}

static void tcm_orwrite_next(struct tcm_cmd *cmd)
{
	struct tcm_caw *caw = cmd->work;

	if (tcm_cmd_is_unwanted(cmd)) {
		tcm_caw_end(cmd, TCM_TASK_ABORTED);
		return;
	}
	tcm_caw_io(cmd, caw->sg, false, tcm_orwrite_read);
	tcm_caw_submit(cmd);
}

static void tcm_orwrite_start(struct tcm_cmd *cmd)
{
	if (tcm_caw_granted(cmd))
		tcm_orwrite_next(cmd);
}

enum tcm_sense tcm_sbc_orwrite(struct tcm_cmd *cmd)
{
	enum tcm_sense sense;
	u8 flags;

	sense = tcm_caw_begin(cmd, &flags);
	if (sense != TCM_PENDING)
		return sense;
	sense = tcm_caw_alloc(cmd, TCM_ORWRITE_CHUNK, flags);
	if (sense)
		return sense;
	if (tcm_range_lock(cmd, tcm_orwrite_start))
		tcm_orwrite_start(cmd);
	return TCM_PENDING;
}

#define TCM_ATOMIC_BOUNDARY_AT	10	/* ATOMIC BOUNDARY, two bytes */

enum tcm_sense tcm_sbc_write_atomic_parse(struct tcm_cmd *cmd)
{
	/* MAXIMUM ATOMIC BOUNDARY SIZE is zero: writes in several atomic parts are not offered. */
	if (get_unaligned_be16(cmd->cdb + TCM_ATOMIC_BOUNDARY_AT))
		return tcm_bad_cdb(cmd, TCM_ATOMIC_BOUNDARY_AT, -1);
	if (cmd->nblocks > tcm_sbc_atomic_max(cmd->dev, cmd->sess->ops))
		return tcm_bad_cdb(cmd, cmd->op->len_at, -1);
	return TCM_OK;
}

static void tcm_write_atomic_start(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = tcm_gate_granted(cmd);
	u8 shift = cmd->dev->block_shift, flags;

	if (sense) {
		tcm_cmd_complete(cmd, sense);
		return;
	}
	tcm_sbc_rw_flags(cmd, &flags);
	tcm_sbc_io(cmd, cmd->lba << shift, (u64)cmd->nblocks << shift, cmd->sg, true,
		   flags | tcm_sbc_write_through(cmd->dev), tcm_sbc_io_done);
	tcm_sbc_submit(cmd, NULL);
}

enum tcm_sense tcm_sbc_write_atomic(struct tcm_cmd *cmd)
{
	enum tcm_sense sense;
	u8 flags;

	sense = tcm_caw_begin(cmd, &flags);
	if (sense != TCM_PENDING)
		return sense;
	if (tcm_range_lock(cmd, tcm_write_atomic_start))
		tcm_write_atomic_start(cmd);
	return TCM_PENDING;
}
