// SPDX-License-Identifier: GPL-2.0-only
/*
 * Handling the bytes themselves: reads that the initiator's buffer does not hold, and comparing.
 */
#include <linux/scatterlist.h>
#include "opcode.h"
#include "sbc.h"
#include "sbc_pi.h"

/* The memory at a place, and in *@len, at most what it was, how much of it is in one piece. */
static void *tcm_sg_span(struct tcm_sg_pos *pos, u64 *len)
{
	while (pos->off >= pos->sg->length) {
		pos->off -= pos->sg->length;
		pos->sg = sg_next(pos->sg);
	}
	*len = min_t(u64, *len, pos->sg->length - pos->off);
	return sg_virt(pos->sg) + pos->off;
}

void tcm_sg_move(struct tcm_sg_pos *to, struct tcm_sg_pos *from, u64 len)
{
	while (len) {
		u64 n = len;
		void *dst = tcm_sg_span(to, &n);
		void *src = tcm_sg_span(from, &n);

		memcpy(dst, src, n);
		to->off += n;
		from->off += n;
		len -= n;
	}
}

static void tcm_sg_copy(struct scatterlist *to, struct scatterlist *from, u64 len)
{
	struct tcm_sg_pos a = { .sg = to }, b = { .sg = from };

	tcm_sg_move(&a, &b, len);
}

static u64 tcm_mismatch(const u8 *a, const u8 *b, u64 len)
{
	u64 i;

	if (!memcmp(a, b, len))
		return len;
	for (i = 0; i < len; i++)
		if (a[i] != b[i])
			break;
	return i;
}

u64 tcm_sg_compare(struct scatterlist *a, struct scatterlist *b, u64 skip, u64 len)
{
	struct tcm_sg_pos pa = { .sg = a }, pb = { .sg = b, .off = skip };
	u64 done = 0;

	while (done < len) {
		u64 n = len - done, same;
		void *x = tcm_sg_span(&pa, &n);
		void *y = tcm_sg_span(&pb, &n);

		same = tcm_mismatch(x, y, n);
		done += same;
		if (same != n)
			break;
		pa.off += n;
		pb.off += n;
	}
	return done;
}

u64 tcm_sg_compare_block(struct scatterlist *a, const u8 *block, u32 size, u64 len)
{
	struct tcm_sg_pos pos = { .sg = a };
	u64 done = 0;

	while (done < len) {
		u32 at = done & (size - 1);
		u64 n = min_t(u64, len - done, size - at), same;
		void *x = tcm_sg_span(&pos, &n);

		same = tcm_mismatch(x, block + at, n);
		done += same;
		if (same != n)
			break;
		pos.off += n;
	}
	return done;
}

void tcm_sg_or(struct scatterlist *a, struct scatterlist *b, u64 skip, u64 len)
{
	struct tcm_sg_pos pa = { .sg = a }, pb = { .sg = b, .off = skip };

	while (len) {
		u64 n = len, i;
		u8 *x = tcm_sg_span(&pa, &n);
		const u8 *y = tcm_sg_span(&pb, &n);

		for (i = 0; i < n; i++)
			x[i] |= y[i];
		pa.off += n;
		pb.off += n;
		len -= n;
	}
}

/*
 * The medium is read in whole blocks: as many as the initiator has room for, and
 * through memory of ours when the last one does not fit.
 */
enum tcm_sense tcm_sbc_bounce(struct tcm_cmd *cmd)
{
	u8 shift = cmd->dev->block_shift;
	struct scatterlist *sg;
	enum tcm_sense sense;
	unsigned int nents;

	/* What the CDB asks for counts, not what is left of it. */
	sense = tcm_sbc_range(cmd);
	if (sense)
		return sense;
	/* Goes by memory of ours anyway, unless the fabric has it in two. */
	if (cmd->flags & TCM_CMD_PI)
		return cmd->flags & TCM_CMD_PI_ASIDE ? TCM_INVALID_FIELD_IU : TCM_OK;
	/* A write, of TCM_OP_PARTIAL: the blocks that are whole */
	if (cmd->exp_dir == DMA_TO_DEVICE) {
		cmd->nblocks = cmd->xfer_len >> shift;
		return TCM_OK;
	}
	cmd->nblocks = DIV_ROUND_UP(cmd->xfer_len, 1U << shift);
	if (!(cmd->xfer_len & ((1U << shift) - 1)))
		return TCM_OK;
	sg = sgl_alloc((u64)cmd->nblocks << shift, GFP_NOIO, &nents);
	if (!sg)
		return TCM_BUSY;
	cmd->fabric_sg = cmd->sg;
	cmd->fabric_nents = cmd->sg_nents;
	cmd->sg = sg;
	cmd->sg_nents = nents;
	return TCM_OK;
}

void tcm_sbc_unbounce(struct tcm_cmd *cmd, bool good)
{
	struct scatterlist *bounce = cmd->sg;

	if (cmd->flags & TCM_CMD_PI) {
		tcm_sbc_pi_unsplit(cmd, good);
		return;
	}
	if (good)
		tcm_sg_copy(cmd->fabric_sg, bounce, cmd->xfer_len);
	cmd->sg = cmd->fabric_sg;
	cmd->sg_nents = cmd->fabric_nents;
	cmd->fabric_sg = NULL;
	sgl_free(bounce);
}
