// SPDX-License-Identifier: GPL-2.0-only
/*
 * WRITE SAME (SBC-4 5.50 ff): by the backend's means where it has some, else the block is
 * written over and over.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "cmd.h"
#include "hop.h"
#include "opcode.h"
#include "pi_tuple.h"
#include "sbc.h"
#include "sbc_pi.h"

/* Byte 1, of a long CDB byte 10 */
#define TCM_SAME_UNMAP	0x08
#define TCM_SAME_NDOB	0x01	/* not in the 10 byte CDB: no data-out, the block is zeros */

/* Written at once where the block is repeated: one page, so many times in a scatterlist. */
#define TCM_SAME_CHUNK	SZ_1M

/* cmd->work of a WRITE SAME */
struct tcm_same {
	struct page		*page;		/* the block; repeated to fill it if need be */
	u64			done, total;	/* bytes */
	u32			chunk;
	u8			flags;		/* TCM_IO_* */
	bool			pi_given;	/* @pi goes with every block */
	struct tcm_pi_req	pi;
	struct scatterlist	sg[];
};

static bool tcm_same_ndob(const struct tcm_cmd *cmd)
{
	return cmd->cdb[0] != WRITE_SAME && (cmd->cdb[tcm_sbc_bits_at(cmd)] & TCM_SAME_NDOB);
}

enum tcm_sense tcm_sbc_write_same_parse(struct tcm_cmd *cmd)
{
	const struct tcm_dev_attr *attr = &cmd->dev->attr;
	u32 max = READ_ONCE(attr->max_write_same_len);
	unsigned int at = tcm_sbc_bits_at(cmd);
	enum tcm_sense sense = TCM_OK;

	if (cmd->op->cdb_len == TCM_LONG_CDB)
		sense = tcm_sbc_long_parse(cmd);
	if (sense)
		return sense;
	if ((cmd->cdb[at] & TCM_SAME_UNMAP) && !attr->emulate_tpws)
		return tcm_bad_cdb(cmd, at, 3);
	/* WSNZ is one in VPD B0h: "to the last block" cannot be asked for with zero. */
	if (!cmd->nblocks)
		return tcm_bad_cdb(cmd, cmd->op->len_at, -1);
	/* MAXIMUM WRITE SAME LENGTH zero states no limit. */
	if (max && cmd->nblocks > max)
		return tcm_bad_cdb(cmd, cmd->op->len_at, -1);
	if (tcm_same_ndob(cmd))
		cmd->data_len = 0;
	return TCM_OK;
}

static void tcm_same_free(struct tcm_cmd *cmd)
{
	struct tcm_same *same = cmd->work;

	__free_page(same->page);
	kfree(same);
	cmd->work = NULL;
}

static void tcm_same_end(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	tcm_same_free(cmd);
	tcm_sbc_wrote(cmd, sense);
}

static void tcm_same_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	tcm_same_end(cmd, sense);
}

static void tcm_same_repeat(struct tcm_cmd *cmd);

static void tcm_same_repeat_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);
	struct tcm_same *same = cmd->work;

	same->done += io->len;
	if (sense || same->done == same->total)
		tcm_same_end(cmd, sense);
	else
		tcm_hop_queue(cmd, tcm_same_repeat);
}

static void tcm_same_repeat(struct tcm_cmd *cmd)
{
	struct tcm_same *same = cmd->work;
	u64 pos = (cmd->lba << cmd->dev->block_shift) + same->done;
	u64 len = min_t(u64, same->chunk, same->total - same->done);

	if (tcm_cmd_is_unwanted(cmd)) {
		tcm_same_end(cmd, TCM_TASK_ABORTED);
		return;
	}
	tcm_sbc_io(cmd, pos, len, same->sg, true, same->flags, tcm_same_repeat_done);
	if (same->pi_given)
		tcm_sbc_pi_submit(cmd, &same->pi);
	else
		cmd->dev->ops->submit(&cmd->io);
}

/* Fill the page with copies of the block at its start, and the scatterlist with the page. */
static void tcm_same_fill(struct tcm_same *same, u32 block)
{
	unsigned int n = DIV_ROUND_UP(same->chunk, PAGE_SIZE), i;
	u8 *mem = page_address(same->page);
	u32 off;

	for (off = block; off < PAGE_SIZE; off += block)
		memcpy(mem + off, mem, block);
	sg_init_table(same->sg, n);
	for (i = 0; i < n; i++)
		sg_set_page(&same->sg[i], same->page, PAGE_SIZE, 0);
}

static struct tcm_same *tcm_same_alloc(const struct tcm_cmd *cmd)
{
	u8 shift = cmd->dev->block_shift;
	u64 total = (u64)cmd->nblocks << shift;
	u32 chunk = min3((u64)TCM_SAME_CHUNK, total, (u64)cmd->dev->max_blocks << shift);
	struct tcm_same *same;

	same = kmalloc(struct_size(same, sg, DIV_ROUND_UP(chunk, PAGE_SIZE)), GFP_NOIO);
	if (!same)
		return NULL;
	same->page = alloc_page(GFP_NOIO | __GFP_ZERO);
	if (!same->page) {
		kfree(same);
		return NULL;
	}
	same->done = 0;
	same->total = total;
	same->chunk = chunk;
	same->flags = tcm_sbc_write_through(cmd->dev);
	same->pi_given = false;
	return same;
}

/* The tuple of data-out, which is to be that of the first block (SBC-4 5.50) */
static enum tcm_sense tcm_same_pi(struct tcm_cmd *cmd)
{
	struct tcm_pi_rule rule = {
		.type = cmd->pi.type, .checks = cmd->pi.checks, .shift = cmd->dev->block_shift,
		.ref = cmd->pi.ref, .app = cmd->pi.app, .app_mask = cmd->pi.app_mask,
	};
	struct tcm_same *same = cmd->work;
	enum tcm_sense sense;

	same->pi = cmd->pi;
	same->pi_given = true;
	if (!cmd->pi.sg)
		return TCM_OK;
	same->pi.checks = TCM_PI_REPEAT | TCM_PI_STABLE;
	sg_pcopy_to_buffer(cmd->pi.sg, 1, &same->pi.tuple, TCM_PI_LEN, 0);
	tcm_pi_verify(&same->pi.tuple, 1, cmd->sg, 0, &rule, &sense);
	return sense ? tcm_sense_info(cmd, sense, cmd->lba) : TCM_OK;
}

/* Data-out, of which the page gets the block */
static enum tcm_sense tcm_same_fetch(struct tcm_cmd *cmd)
{
	struct tcm_same *same = cmd->work;
	bool pi = cmd->flags & TCM_CMD_PI;
	enum tcm_sense sense = pi ? tcm_sbc_pi_split(cmd) : TCM_OK;

	if (sense)
		return sense;
	tcm_cmd_get_data(cmd, page_address(same->page), 1U << cmd->dev->block_shift);
	return pi ? tcm_same_pi(cmd) : TCM_OK;
}

/* Is it what deallocated blocks are? */
static bool tcm_same_is_nothing(const struct tcm_cmd *cmd)
{
	const struct tcm_same *same = cmd->work;

	if (memchr_inv(page_address(same->page), 0, 1U << cmd->dev->block_shift))
		return false;
	return !same->pi_given || !same->pi.sg ||
	       !memchr_inv(&same->pi.tuple, 0xff, sizeof(same->pi.tuple));
}

enum tcm_sense tcm_sbc_write_same(struct tcm_cmd *cmd)
{
	const struct tcm_backend_ops *ops = cmd->dev->ops;
	u32 block = 1U << cmd->dev->block_shift;
	enum tcm_sense sense = tcm_sbc_range(cmd);
	struct tcm_same *same;
	struct tcm_io *io;

	if (sense)
		return sense;
	same = tcm_same_alloc(cmd);
	if (!same)
		return TCM_BUSY;
	cmd->work = same;
	if (!tcm_same_ndob(cmd))
		sense = tcm_same_fetch(cmd);
	if (sense) {
		tcm_same_free(cmd);
		return sense;
	}

	sg_init_table(same->sg, 1);
	sg_set_page(same->sg, same->page, block, 0);
	io = tcm_sbc_io(cmd, cmd->lba << cmd->dev->block_shift, same->total, same->sg, true,
			same->flags, tcm_same_done);
	if (ops->write_zeroes && tcm_same_is_nothing(cmd)) {
		/* No data-out: no protection information either (SBC-4 5.50). */
		if (tcm_same_ndob(cmd) || (same->pi_given && same->pi.sg))
			io->flags |= TCM_IO_NO_PI;
		/* Blocks may go only where reading them gives what was to be written. */
		if (cmd->cdb[tcm_sbc_bits_at(cmd)] & TCM_SAME_UNMAP)
			io->flags |= TCM_IO_MAY_UNMAP;
		ops->write_zeroes(io);
	} else if (ops->write_same) {
		ops->write_same(io);
	} else {
		tcm_same_fill(same, block);
		tcm_same_repeat(cmd);
	}
	return TCM_PENDING;
}
