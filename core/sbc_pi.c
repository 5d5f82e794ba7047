// SPDX-License-Identifier: GPL-2.0-only
/*
 * Commands that come with protection information (SBC-4 4.21): their RDPROTECT, WRPROTECT or
 * VRPROTECT field is not zero. What is checked is this file's matter, how and
 * against what core/pi.c's.
 */
#include <linux/scatterlist.h>
#include <linux/slab.h>
#include <linux/unaligned.h>
#include "opcode.h"
#include "pi.h"
#include "pi_tuple.h"
#include "sbc.h"
#include "sbc_pi.h"

/* Of a CDB of 32 bytes, type 2 */
#define TCM_PI_REF_AT	20	/* EXPECTED INITIAL LOGICAL BLOCK REFERENCE TAG */
#define TCM_PI_APP_AT	24	/* EXPECTED LOGICAL BLOCK APPLICATION TAG */
#define TCM_PI_MASK_AT	26	/* LOGICAL BLOCK APPLICATION TAG MASK */

/* What each value of the field has checked, as data-out and on the medium; 101b is as 001b. */
static const u8 tcm_pi_checks[8] = {
	[1] = TCM_PI_GUARD | TCM_PI_APP | TCM_PI_REF,
	[2] = TCM_PI_APP | TCM_PI_REF,
	[4] = TCM_PI_GUARD,
	[5] = TCM_PI_GUARD | TCM_PI_APP | TCM_PI_REF,
};

static u8 tcm_pi_field(const struct tcm_cmd *cmd)
{
	return cmd->cdb[tcm_sbc_bits_at(cmd)] >> 5;
}

u8 tcm_sbc_pi_same(const struct tcm_cmd *cmd)
{
	switch (tcm_pi_field(cmd)) {
	case 2:
		return TCM_PI_SAME_TAGS;
	case 4:
		return TCM_PI_SAME_GUARD;
	default:
		return TCM_PI_SAME;
	}
}

/* The field, the expected tags, and that so many tuples are transferred */
static enum tcm_sense tcm_pi_parse(struct tcm_cmd *cmd, u32 tuples)
{
	const struct tcm_device *dev = cmd->dev;
	u8 type = tcm_pi_seen(dev, cmd->sess), field = tcm_pi_field(cmd);
	u64 len = cmd->data_len + (u64)tuples * TCM_PI_LEN;

	if (field > 5)
		return tcm_bad_cdb(cmd, tcm_sbc_bits_at(cmd), 7);
	if (len > U32_MAX)
		return tcm_bad_cdb(cmd, cmd->op->len_at, -1);
	cmd->data_len = len;
	cmd->flags |= TCM_CMD_PI;
	cmd->pi = (struct tcm_pi_req) {
		.pos = cmd->lba << dev->block_shift,
		.bytes = tuples * TCM_PI_LEN,
		.checks = tcm_pi_checks[field],
		.type = type,
		.ref = tcm_pi_lba_ref(cmd->lba),
	};
	if (type == 2) {
		cmd->pi.ref = get_unaligned_be32(cmd->cdb + TCM_PI_REF_AT);
		cmd->pi.app = get_unaligned_be16(cmd->cdb + TCM_PI_APP_AT);
		cmd->pi.app_mask = get_unaligned_be16(cmd->cdb + TCM_PI_MASK_AT);
	}
	return TCM_OK;
}

enum tcm_sense tcm_sbc_pi_rw_parse(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = TCM_OK;

	if (cmd->op->cdb_len == TCM_LONG_CDB)
		sense = tcm_sbc_long_parse(cmd);
	return sense ?: tcm_pi_parse(cmd, cmd->nblocks);
}

enum tcm_sense tcm_sbc_pi_verify_parse(struct tcm_cmd *cmd)
{
	return tcm_sbc_verify_parse(cmd) ?:
	       tcm_pi_parse(cmd, cmd->data_len >> cmd->dev->block_shift);
}

enum tcm_sense tcm_sbc_pi_write_verify_parse(struct tcm_cmd *cmd)
{
	return tcm_sbc_write_verify_parse(cmd) ?: tcm_pi_parse(cmd, cmd->nblocks);
}

enum tcm_sense tcm_sbc_pi_write_same_parse(struct tcm_cmd *cmd)
{
	return tcm_sbc_write_same_parse(cmd) ?: tcm_pi_parse(cmd, cmd->data_len ? 1 : 0);
}

/* Data-out is what is expected, then what is written. */
enum tcm_sense tcm_sbc_pi_caw_parse(struct tcm_cmd *cmd)
{
	return tcm_sbc_caw_parse(cmd) ?: tcm_pi_parse(cmd, 2 * cmd->nblocks);
}

enum tcm_sense tcm_sbc_pi_write_atomic_parse(struct tcm_cmd *cmd)
{
	return tcm_sbc_write_atomic_parse(cmd) ?: tcm_pi_parse(cmd, cmd->nblocks);
}

/* Between blocks each followed by its tuple, and the two apart; @len bytes of the former */
static void tcm_pi_shuffle(struct tcm_cmd *cmd, u64 len, bool split)
{
	struct tcm_sg_pos both = { .sg = cmd->fabric_sg }, data = { .sg = cmd->sg };
	struct tcm_sg_pos pi = { .sg = cmd->pi.sg };
	u32 block = 1U << cmd->dev->block_shift;
	bool tuple;
	u64 n;

	for (tuple = false; len; tuple = !tuple, len -= n) {
		struct tcm_sg_pos *one = tuple ? &pi : &data;

		n = min_t(u64, len, tuple ? TCM_PI_LEN : block);
		if (split)
			tcm_sg_move(one, &both, n);
		else
			tcm_sg_move(&both, one, n);
	}
}

enum tcm_sense tcm_sbc_pi_split(struct tcm_cmd *cmd)
{
	struct scatterlist *data, *tuples;
	unsigned int nents;

	if (cmd->flags & TCM_CMD_PI_ASIDE || !cmd->pi.bytes || !cmd->sg)
		return TCM_OK;
	data = sgl_alloc((u64)(cmd->pi.bytes / TCM_PI_LEN) << cmd->dev->block_shift, GFP_NOIO,
			 &nents);
	tuples = sgl_alloc(cmd->pi.bytes, GFP_NOIO, NULL);
	if (!data || !tuples) {
		if (data)
			sgl_free(data);
		if (tuples)
			sgl_free(tuples);
		return TCM_BUSY;
	}
	cmd->fabric_sg = cmd->sg;
	cmd->fabric_nents = cmd->sg_nents;
	cmd->sg = data;
	cmd->sg_nents = nents;
	cmd->pi.sg = tuples;
	cmd->pi.checks |= TCM_PI_STABLE;
	if (cmd->op->dir == DMA_TO_DEVICE)
		tcm_pi_shuffle(cmd, cmd->data_len, true);
	return TCM_OK;
}

void tcm_sbc_pi_unsplit(struct tcm_cmd *cmd, bool good)
{
	struct scatterlist *data = cmd->sg;

	if (good && cmd->op->dir == DMA_FROM_DEVICE)
		tcm_pi_shuffle(cmd, cmd->xfer_len, false);
	cmd->sg = cmd->fabric_sg;
	cmd->sg_nents = cmd->fabric_nents;
	cmd->fabric_sg = NULL;
	sgl_free(data);
	sgl_free(cmd->pi.sg);
}

/* Block @from of data-out and those behind it that make up what the CDB names */
static enum tcm_sense tcm_pi_check_out(struct tcm_cmd *cmd, struct t10_pi_tuple *t, u32 from)
{
	struct tcm_pi_req *pi = &cmd->pi;
	struct tcm_pi_rule rule = {
		.type = pi->type, .checks = pi->checks, .shift = cmd->dev->block_shift,
		.tags = true, .app = pi->app, .app_mask = pi->app_mask,
	};
	u32 all = min_t(u32, cmd->nblocks, pi->bytes / TCM_PI_LEN);
	enum tcm_sense sense;
	u32 n, good, done;

	for (done = 0; done < all; done += n) {
		n = min_t(u32, all - done, PAGE_SIZE / TCM_PI_LEN);
		rule.ref = pi->ref + done;
		sg_pcopy_to_buffer(pi->sg, sg_nents(pi->sg), t, n * TCM_PI_LEN,
				   (u64)(from + done) * TCM_PI_LEN);
		good = tcm_pi_verify(t, n, cmd->sg, (u64)(from + done) << rule.shift, &rule,
				     &sense);
		if (sense)
			return tcm_sense_info(cmd, sense, cmd->lba + done + good);
	}
	return TCM_OK;
}

enum tcm_sense tcm_sbc_pi_take(struct tcm_cmd *cmd)
{
	enum tcm_sense sense = tcm_sbc_pi_split(cmd);
	struct t10_pi_tuple *t;
	u32 from;

	if (sense || !cmd->pi.sg)
		return sense;
	t = (struct t10_pi_tuple *)__get_free_page(GFP_NOIO);
	if (!t)
		return TCM_BUSY;
	for (from = 0; !sense && from < cmd->pi.bytes / TCM_PI_LEN; from += cmd->nblocks)
		sense = tcm_pi_check_out(cmd, t, from);
	free_page((unsigned long)t);
	return sense;
}

u64 tcm_sbc_pi_offset(const struct tcm_cmd *cmd, u64 off)
{
	return cmd->flags & TCM_CMD_PI ? off + (off >> cmd->dev->block_shift) * TCM_PI_LEN : off;
}

void tcm_sbc_pi_submit(struct tcm_cmd *cmd, struct tcm_pi_req *pi)
{
	cmd->io.flags |= TCM_IO_PI;
	cmd->io.pi = pi ?: &cmd->pi;
	tcm_pi_submit(&cmd->io);
}

void tcm_sbc_pi_rw(struct tcm_cmd *cmd, bool write, u8 flags)
{
	u8 shift = cmd->dev->block_shift;

	tcm_sbc_io(cmd, cmd->lba << shift, (u64)cmd->nblocks << shift, cmd->sg, write, flags,
		   tcm_sbc_io_done);
	tcm_sbc_pi_submit(cmd, NULL);
}

/* What is common to both: may it begin? TCM_PENDING: yes. */
static enum tcm_sense tcm_pi_begin(struct tcm_cmd *cmd, u8 *flags)
{
	enum tcm_sense sense = tcm_sbc_range(cmd);

	if (!sense)
		sense = tcm_sbc_rw_flags(cmd, flags);
	/* A buffer without room moves nothing. */
	if (sense || !cmd->nblocks || !cmd->sg)
		return sense;
	return tcm_sbc_pi_split(cmd) ?: TCM_PENDING;
}

enum tcm_sense tcm_sbc_pi_read(struct tcm_cmd *cmd)
{
	enum tcm_sense sense;
	u8 flags;

	sense = tcm_pi_begin(cmd, &flags);
	if (sense == TCM_PENDING && (!(flags & TCM_IO_FUA) || !tcm_sbc_read_forced(cmd)))
		tcm_sbc_pi_rw(cmd, false, flags & ~TCM_IO_FUA);
	return sense;
}

enum tcm_sense tcm_sbc_pi_write(struct tcm_cmd *cmd)
{
	u8 flags;
	enum tcm_sense sense = tcm_pi_begin(cmd, &flags);

	if (sense == TCM_PENDING)
		tcm_sbc_pi_rw(cmd, true, flags | tcm_sbc_write_through(cmd->dev));
	return sense;
}
