// SPDX-License-Identifier: GPL-2.0-only
/*
 * VERIFY and WRITE AND VERIFY (SBC-4 5.36 ff, 5.45 ff): the medium is read, a chunk at a
 * time, and compared with data-out where BYTCHK asks for it.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include "cmd.h"
#include "hop.h"
#include "opcode.h"
#include "sbc.h"
#include "sbc_pi.h"

/* What is read at once: bounds the memory of one command whatever its length. */
#define TCM_VERIFY_CHUNK	SZ_256K

/* BYTCHK */
#define TCM_VERIFY_MEDIUM	0	/* read only */
#define TCM_VERIFY_DATA		1	/* compare with as many blocks of data-out */
#define TCM_VERIFY_RESERVED	2
#define TCM_VERIFY_BLOCK	3	/* compare each with the one block of data-out */

/* cmd->work of a command that verifies */
struct tcm_verify {
	struct scatterlist	*sg;		/* what was read */
	u32			chunk;		/* bytes of it */
	u8			bytchk;
	u64			done, total;	/* bytes */
	struct tcm_pi_req	pi;		/* of a command with TCM_CMD_PI */
	u8			block[];	/* BYTCHK 11b: the block */
};

static u8 tcm_verify_bytchk(const struct tcm_cmd *cmd)
{
	return (cmd->cdb[tcm_sbc_bits_at(cmd)] >> 1) & 3;
}

enum tcm_sense tcm_sbc_verify_parse(struct tcm_cmd *cmd)
{
	u8 shift = cmd->dev->block_shift;
	enum tcm_sense sense = TCM_OK;

	if (cmd->op->cdb_len == TCM_LONG_CDB)
		sense = tcm_sbc_long_parse(cmd);
	if (sense)
		return sense;
	switch (tcm_verify_bytchk(cmd)) {
	case TCM_VERIFY_MEDIUM:
		break;
	case TCM_VERIFY_DATA:
		if (cmd->nblocks > tcm_sbc_max_blocks(cmd->dev, cmd->sess->ops))
			return tcm_bad_cdb(cmd, cmd->op->len_at, -1);
		cmd->data_len = cmd->nblocks << shift;
		break;
	case TCM_VERIFY_BLOCK:
		cmd->data_len = cmd->nblocks ? 1U << shift : 0;
		break;
	default:
		return tcm_bad_cdb(cmd, tcm_sbc_bits_at(cmd), 2);
	}
	return TCM_OK;
}

/* Only 00b and 01b mean something here. */
enum tcm_sense tcm_sbc_write_verify_parse(struct tcm_cmd *cmd)
{
	if (tcm_verify_bytchk(cmd) > TCM_VERIFY_DATA)
		return tcm_bad_cdb(cmd, tcm_sbc_bits_at(cmd), 2);
	return cmd->op->cdb_len == TCM_LONG_CDB ? tcm_sbc_long_parse(cmd) : TCM_OK;
}

static void tcm_verify_end(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	struct tcm_verify *v = cmd->work;

	sgl_free(v->sg);
	kfree(v);
	cmd->work = NULL;
	tcm_cmd_complete(cmd, sense);
}

/* How many of the @len bytes that were read are as they should be. */
static u64 tcm_verify_compare(struct tcm_cmd *cmd, u64 len)
{
	struct tcm_verify *v = cmd->work;

	switch (v->bytchk) {
	case TCM_VERIFY_DATA:
		return tcm_sg_compare(v->sg, cmd->sg, v->done, len);
	case TCM_VERIFY_BLOCK:
		return tcm_sg_compare_block(v->sg, v->block, 1U << cmd->dev->block_shift, len);
	default:
		return len;
	}
}

static void tcm_verify_read(struct tcm_cmd *cmd);

/* INFORMATION is the offset in data-out, as COMPARE AND WRITE defines it (SBC-4 5.3). */
static void tcm_verify_differs(struct tcm_cmd *cmd, u64 at)
{
	tcm_verify_end(cmd, tcm_sense_info(cmd, TCM_MISCOMPARE, at));
}

static void tcm_verify_resume(struct tcm_cmd *cmd)
{
	struct tcm_verify *v = cmd->work;
	u64 len = cmd->io.len, same;

	/* The first tuple that is not as it was sent; the data before it may not be either. */
	if (cmd->io.bad_pos != U64_MAX)
		len = cmd->io.bad_pos - cmd->io.pos + (1U << cmd->dev->block_shift);
	same = tcm_verify_compare(cmd, len);
	v->done += same;
	if (same != len)
		tcm_verify_differs(cmd, tcm_sbc_pi_offset(cmd, v->done));
	else if (cmd->io.bad_pos != U64_MAX)
		tcm_verify_differs(cmd, tcm_sbc_pi_offset(cmd, v->done) - TCM_PI_LEN);
	else if (v->done == v->total)
		tcm_verify_end(cmd, TCM_OK);
	else if (tcm_cmd_is_unwanted(cmd))
		tcm_verify_end(cmd, TCM_TASK_ABORTED);
	else
		tcm_verify_read(cmd);
}

static void tcm_verify_read_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	if (sense && sense != TCM_MISCOMPARE)
		tcm_verify_end(cmd, tcm_sbc_io_sense(cmd, sense));
	else
		tcm_hop_queue(cmd, tcm_verify_resume);
}

static void tcm_verify_read(struct tcm_cmd *cmd)
{
	struct tcm_verify *v = cmd->work;
	u64 pos = (cmd->lba << cmd->dev->block_shift) + v->done;

	tcm_sbc_io(cmd, pos, min_t(u64, v->chunk, v->total - v->done), v->sg, false, 0,
		   tcm_verify_read_done);
	tcm_sbc_submit(cmd, &v->pi);
}

/* What is checked is what is on the medium; data-out has tuples to compare with, or has not. */
static void tcm_verify_pi(struct tcm_cmd *cmd)
{
	struct tcm_verify *v = cmd->work;

	v->pi = cmd->pi;
	if (v->bytchk == TCM_VERIFY_MEDIUM || !v->pi.sg) {
		v->pi.sg = NULL;
		return;
	}
	v->pi.checks |= tcm_sbc_pi_same(cmd);
	if (v->bytchk == TCM_VERIFY_DATA)
		return;
	v->pi.checks |= TCM_PI_REPEAT;
	sg_pcopy_to_buffer(v->pi.sg, sg_nents(v->pi.sg), &v->pi.tuple, TCM_PI_LEN, 0);
}

static enum tcm_sense tcm_verify_start(struct tcm_cmd *cmd)
{
	u8 shift = cmd->dev->block_shift;
	struct tcm_verify *v;
	u32 block = 1U << shift;

	v = kmalloc(struct_size(v, block, block), GFP_NOIO);
	if (!v)
		return TCM_BUSY;
	v->bytchk = tcm_verify_bytchk(cmd);
	v->done = 0;
	v->total = (u64)cmd->nblocks << shift;
	v->chunk = min3((u64)TCM_VERIFY_CHUNK, v->total, (u64)cmd->dev->max_blocks << shift);
	if (v->bytchk == TCM_VERIFY_BLOCK)
		tcm_cmd_get_data(cmd, v->block, block);
	v->sg = sgl_alloc(v->chunk, GFP_NOIO, NULL);
	if (!v->sg) {
		kfree(v);
		return TCM_BUSY;
	}
	cmd->work = v;
	if (cmd->flags & TCM_CMD_PI)
		tcm_verify_pi(cmd);
	tcm_verify_read(cmd);
	return TCM_PENDING;
}

enum tcm_sense tcm_sbc_verify(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = tcm_sbc_range(cmd);

	if (sense || !cmd->nblocks)
		return sense;
	if (cmd->flags & TCM_CMD_PI)
		sense = tcm_sbc_pi_take(cmd);
	return sense ?: tcm_verify_start(cmd);
}

static void tcm_write_verify_resume(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = TCM_TASK_ABORTED;

	if (!tcm_cmd_is_unwanted(cmd))
		sense = tcm_verify_start(cmd);
	if (sense != TCM_PENDING)
		tcm_cmd_complete(cmd, sense);
}

static void tcm_write_verify_done(struct tcm_io *io, enum tcm_sense sense)
{
	struct tcm_cmd *cmd = tcm_sbc_cmd(io);

	if (sense)
		tcm_cmd_complete(cmd, tcm_sbc_io_sense(cmd, sense));
	else
		tcm_hop_queue(cmd, tcm_write_verify_resume);
}

enum tcm_sense tcm_sbc_write_verify(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = tcm_sbc_range(cmd);
	u8 shift = cmd->dev->block_shift;

	if (sense || !cmd->nblocks)
		return sense;
	if (cmd->flags & TCM_CMD_PI)
		sense = tcm_sbc_pi_split(cmd);
	if (sense)
		return sense;
	/* Written to the medium, then read from it: the write is a forced one. */
	tcm_sbc_io(cmd, cmd->lba << shift, (u64)cmd->nblocks << shift, cmd->sg, true, TCM_IO_FUA,
		   tcm_write_verify_done);
	tcm_sbc_submit(cmd, NULL);
	return TCM_PENDING;
}
