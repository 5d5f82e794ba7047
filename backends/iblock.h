/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_IBLOCK_H
#define _TCM_IBLOCK_H

#include <compat/bdev.h>
#include <linux/bio.h>
#include <linux/list.h>
#include <linux/workqueue.h>
#include <tcm/backend.h>
#include "sg.h"

enum tcm_iblock_flag {
	TCM_IBLOCK_OPEN,	/* @bd is valid */
	TCM_IBLOCK_GONE,	/* the disk was removed; the core was told */
};

/* A block device that was claimed; dev->priv */
struct tcm_iblock {
	struct tcm_device	*dev;
	struct tcm_bdev		bd;
	u32			addr_mask, len_mask;	/* memory the disk can reach */
	u64			sectors;	/* size the core knows; WRITE_ONCE */
	unsigned long		flags;		/* enum tcm_iblock_flag, atomic */
	dev_t			devt;
	struct list_head	node;		/* tcm_iblock_claims_lock */
	bool			readonly, shared;
	char			path[TCM_ALIAS_MAX];
};

enum tcm_iblock_op {
	TCM_IBLOCK_READ,
	TCM_IBLOCK_WRITE,
	TCM_IBLOCK_FLUSH,
	TCM_IBLOCK_DISCARD,	/* promises nothing about what is read afterwards */
	TCM_IBLOCK_ZERO_UNMAP,
	TCM_IBLOCK_ZERO,
};

/*
 * What an access keeps in tcm_io.scratch. One bio of up to TCM_IBLOCK_VECS pieces is
 * the whole of most; others count their bios in @left.
 */
struct tcm_iblock_io {
	struct scatterlist	*bounce;	/* aligned pages in place of io->sg, or NULL */
	atomic_t		left;		/* bios in flight and the submitter */
	blk_status_t		status;		/* first failure of several bios */
	u8			op;		/* enum tcm_iblock_op */
	struct work_struct	work;
	struct bio		bio;
	struct bio_vec		vecs[];
};

#define TCM_IBLOCK_VECS \
	((TCM_IO_SCRATCH - sizeof(struct tcm_iblock_io)) / sizeof(struct bio_vec))
static_assert(TCM_IBLOCK_VECS >= 8);

static inline struct tcm_iblock_io *tcm_iblock_io(struct tcm_io *io)
{
	return (struct tcm_iblock_io *)io->scratch;
}

static inline struct tcm_io *tcm_iblock_of(struct tcm_iblock_io *bio)
{
	return container_of((u8 (*)[TCM_IO_SCRATCH])bio, struct tcm_io, scratch);
}

/* iblock.c: is the disk still there, and as large as it was? Any context. */
void tcm_iblock_check(struct tcm_iblock *ib);

/* iblock_io.c: the members of the ops table */
void tcm_iblock_submit(struct tcm_io *io);
void tcm_iblock_flush(struct tcm_io *io);
void tcm_iblock_unmap(struct tcm_io *io);
void tcm_iblock_write_zeroes(struct tcm_io *io);
/* Pieces of memory into a bio until one of the two is used up. */
void tcm_iblock_fill(struct bio *bio, struct tcm_sg_walk *walk);
/* One of several bios has ended: s->left counts them. */
void tcm_iblock_end_part(struct bio *bio);
void tcm_iblock_put_part(struct tcm_io *io);
int tcm_iblock_io_init(void);
void tcm_iblock_io_exit(void);

/* iblock_pi.c: the protection type of what the disk keeps by itself, 0: none */
u8 tcm_iblock_pi_type(struct block_device *bdev);
void tcm_iblock_pi_submit(struct tcm_io *io);
int tcm_iblock_pi_init(void);
void tcm_iblock_pi_exit(void);

/* iblock_pr.c: reservations that the disk keeps; TCM_PR_PASS_* of what it can be asked */
u8 tcm_iblock_pr_pass(struct block_device *bdev);
enum tcm_sense tcm_iblock_pr_out(struct tcm_device *dev, const struct tcm_pr_ask *ask);
enum tcm_sense tcm_iblock_pr_keys(struct tcm_device *dev, struct tcm_pr_told *told);
enum tcm_sense tcm_iblock_pr_holder(struct tcm_device *dev, struct tcm_pr_told *told);

/*
 * iblock_error.c: end an access that failed. May go on in a work item to find the
 * first bad block. Any context.
 */
void tcm_iblock_failed(struct tcm_io *io, blk_status_t status);
int tcm_iblock_error_init(void);
void tcm_iblock_error_exit(void);

#endif
