/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the backends above a block device or a file share: a walk over the initiator's
 * memory, and a detour through aligned pages for memory the device cannot reach.
 */
#ifndef _TCM_BACKENDS_SG_H
#define _TCM_BACKENDS_SG_H

#include <linux/scatterlist.h>
#include <tcm/backend.h>

struct tcm_sg_walk {
	struct scatterlist	*sg;
	u32			skip;
	u64			left;
};

static inline void tcm_sg_start(struct tcm_sg_walk *walk, struct scatterlist *sg, u64 skip,
				u64 len)
{
	while (skip >= sg->length) {
		skip -= sg->length;
		sg = sg_next(sg);
	}
	walk->sg = sg;
	walk->skip = skip;
	walk->left = len;
}

/* Bytes in the piece that the walk stands on; its page is sg_page(walk->sg). */
static inline u32 tcm_sg_len(const struct tcm_sg_walk *walk)
{
	return min_t(u64, walk->sg->length - walk->skip, walk->left);
}

static inline u32 tcm_sg_offset(const struct tcm_sg_walk *walk)
{
	return walk->sg->offset + walk->skip;
}

static inline void tcm_sg_advance(struct tcm_sg_walk *walk, u32 len)
{
	walk->left -= len;
	walk->skip += len;
	if (walk->skip == walk->sg->length) {
		walk->skip = 0;
		walk->sg = sg_next(walk->sg);
	}
}

/* What the pieces of an access have in common. */
struct tcm_sg_shape {
	unsigned int	pieces;
	u32		addr, len;	/* all offsets, all lengths, or'ed */
};

static inline struct tcm_sg_shape tcm_sg_scan(const struct tcm_io *io)
{
	struct tcm_sg_shape shape = {};
	struct tcm_sg_walk walk;
	u32 len;

	for (tcm_sg_start(&walk, io->sg, io->skip, io->len); walk.left;
	     tcm_sg_advance(&walk, len)) {
		len = tcm_sg_len(&walk);
		shape.pieces++;
		shape.addr |= tcm_sg_offset(&walk);
		shape.len |= len;
	}
	return shape;
}

/* Copy all of an access between the initiator's memory and @bounce. Any context. */
static inline void tcm_sg_copy(const struct tcm_io *io, struct scatterlist *bounce, bool to_bounce)
{
	struct tcm_sg_walk ours, theirs;

	tcm_sg_start(&ours, bounce, 0, io->len);
	tcm_sg_start(&theirs, io->sg, io->skip, io->len);
	while (ours.left) {
		u32 len = min(tcm_sg_len(&ours), tcm_sg_len(&theirs));
		void *to = sg_virt(ours.sg) + ours.skip, *from = sg_virt(theirs.sg) + theirs.skip;

		if (!to_bounce)
			swap(to, from);
		memcpy(to, from, len);
		tcm_sg_advance(&ours, len);
		tcm_sg_advance(&theirs, len);
	}
}

/* Aligned pages for a misaligned access, filled for a write; NULL: no memory. May sleep. */
static inline struct scatterlist *tcm_sg_bounce(const struct tcm_io *io)
{
	struct scatterlist *bounce = sgl_alloc(io->len, GFP_NOIO, NULL);

	if (bounce && io->write)
		tcm_sg_copy(io, bounce, true);
	return bounce;
}

/* Give the pages back, after a good read with their contents delivered. Any context. */
static inline void tcm_sg_unbounce(const struct tcm_io *io, struct scatterlist *bounce, bool good)
{
	if (good && !io->write)
		tcm_sg_copy(io, bounce, false);
	sgl_free(bounce);
}

#endif
