// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses to a block device. The first bio and its vectors lie in the access itself, so
 * that most need no memory; what does not fit takes its bios from a pool of ours.
 * Runs in process context below memalloc_noio; ends in whatever context the bios end.
 */
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "iblock.h"

/* Discards and zeroings of more bios than this go to a work item. */
#define TCM_IBLOCK_INLINE_BIOS	4

static struct bio_set tcm_iblock_bios;
static struct workqueue_struct *tcm_iblock_wq;

static void tcm_iblock_flush_work(struct work_struct *work)
{
	tcm_iblock_flush(tcm_iblock_of(container_of(work, struct tcm_iblock_io, work)));
}

static bool tcm_iblock_is_range(const struct tcm_iblock_io *s)
{
	return s->op == TCM_IBLOCK_DISCARD || s->op == TCM_IBLOCK_ZERO_UNMAP ||
	       s->op == TCM_IBLOCK_ZERO;
}

static void tcm_iblock_finish(struct tcm_io *io, blk_status_t status)
{
	struct tcm_iblock_io *s = tcm_iblock_io(io);

	/* The block layer has no FUA for these. Submitted from where bios may be: a work item. */
	if (unlikely(!status && io->flags & TCM_IO_FUA && tcm_iblock_is_range(s))) {
		INIT_WORK(&s->work, tcm_iblock_flush_work);
		queue_work(tcm_iblock_wq, &s->work);
		return;
	}
	if (unlikely(s->bounce))
		tcm_sg_unbounce(io, s->bounce, !status);
	if (unlikely(status))
		tcm_iblock_failed(io, status);
	else
		tcm_io_done(io, TCM_OK);
}

/* The only bio of an access has ended. */
static void tcm_iblock_end_only(struct tcm_io *io, blk_status_t status)
{
	/* No tag is free, the queue is frozen, or what is below now is a thing that waits. */
	if (unlikely(status && io->flags & TCM_IO_NOWAIT &&
		     (status == BLK_STS_AGAIN || status == BLK_STS_NOTSUPP)))
		tcm_io_later(io);
	else
		tcm_iblock_finish(io, status);
}

/* It was the one in the access, */
static void tcm_iblock_end_io(struct bio *bio)
{
	struct tcm_io *io = bio->bi_private;
	blk_status_t status = bio->bi_status;

	bio_uninit(bio);
	tcm_iblock_end_only(io, status);
}

/* or one of the pool. */
static void tcm_iblock_end_large(struct bio *bio)
{
	struct tcm_io *io = bio->bi_private;
	blk_status_t status = bio->bi_status;

	bio_put(bio);
	tcm_iblock_end_only(io, status);
}

void tcm_iblock_put_part(struct tcm_io *io)
{
	struct tcm_iblock_io *s = tcm_iblock_io(io);

	if (atomic_dec_and_test(&s->left))
		tcm_iblock_finish(io, s->status);
}

void tcm_iblock_end_part(struct bio *bio)
{
	struct tcm_io *io = bio->bi_private;
	blk_status_t status = bio->bi_status;

	if (unlikely(status))
		WRITE_ONCE(tcm_iblock_io(io)->status, status);
	bio_put(bio);
	tcm_iblock_put_part(io);
}

static void tcm_iblock_bio_init(struct tcm_io *io, blk_opf_t opf, unsigned short vecs)
{
	struct tcm_iblock_io *s = tcm_iblock_io(io);
	struct tcm_iblock *ib = io->dev->priv;

	bio_init(&s->bio, ib->bd.bdev, vecs ? s->vecs : NULL, vecs, opf);
	s->bio.bi_private = io;
	s->bio.bi_end_io = tcm_iblock_end_io;
}

static blk_opf_t tcm_iblock_opf(const struct tcm_io *io)
{
	blk_opf_t nowait = io->flags & TCM_IO_NOWAIT ? REQ_NOWAIT : 0;

	if (!io->write)
		return REQ_OP_READ | nowait;
	/* The initiator waits, and says by itself what comes next; wbt lets such writes through. */
	return REQ_OP_WRITE | REQ_SYNC | REQ_IDLE | nowait |
	       (io->flags & TCM_IO_FUA ? REQ_FUA : 0);
}

void tcm_iblock_fill(struct bio *bio, struct tcm_sg_walk *walk)
{
	while (walk->left) {
		u32 len = tcm_sg_len(walk);

		if (bio_add_page(bio, sg_page(walk->sg), len, tcm_sg_offset(walk)) != len)
			return;
		tcm_sg_advance(walk, len);
	}
}

static void tcm_iblock_submit_one(struct tcm_io *io, struct tcm_sg_walk *walk)
{
	struct tcm_iblock_io *s = tcm_iblock_io(io);

	tcm_iblock_bio_init(io, tcm_iblock_opf(io), TCM_IBLOCK_VECS);
	s->bio.bi_iter.bi_sector = io->pos >> SECTOR_SHIFT;
	tcm_iblock_fill(&s->bio, walk);
	submit_bio(&s->bio);
}

/* More pieces than fit inline: full bios from the pool. */
static void tcm_iblock_submit_many(struct tcm_io *io, struct tcm_sg_walk *walk,
				   unsigned int pieces)
{
	struct tcm_iblock_io *s = tcm_iblock_io(io);
	struct tcm_iblock *ib = io->dev->priv;
	sector_t sector = io->pos >> SECTOR_SHIFT;
	struct blk_plug plug;

	atomic_set(&s->left, 1);
	s->status = BLK_STS_OK;
	blk_start_plug(&plug);
	while (walk->left) {
		/* Each is submitted before the next is asked for, so the pool never runs dry. */
		struct bio *bio = bio_alloc_bioset(ib->bd.bdev, bio_max_segs(pieces),
						   tcm_iblock_opf(io), GFP_NOIO, &tcm_iblock_bios);

		bio->bi_iter.bi_sector = sector;
		bio->bi_private = io;
		bio->bi_end_io = tcm_iblock_end_part;
		tcm_iblock_fill(bio, walk);
		sector += bio_sectors(bio);
		atomic_inc(&s->left);
		submit_bio(bio);
	}
	blk_finish_plug(&plug);
	tcm_iblock_put_part(io);
}

/* More pieces than fit inline, by who must not wait: one bio, if there is one. */
static bool tcm_iblock_submit_large(struct tcm_io *io, unsigned int pieces)
{
	struct tcm_iblock *ib = io->dev->priv;
	struct tcm_sg_walk walk;
	struct bio *bio;

	if (pieces > BIO_MAX_VECS)
		return false;
	bio = bio_alloc_bioset(ib->bd.bdev, pieces, tcm_iblock_opf(io), GFP_NOWAIT,
			       &tcm_iblock_bios);
	if (!bio)
		return false;
	bio->bi_iter.bi_sector = io->pos >> SECTOR_SHIFT;
	bio->bi_private = io;
	bio->bi_end_io = tcm_iblock_end_large;
	tcm_sg_start(&walk, io->sg, io->skip, io->len);
	tcm_iblock_fill(bio, &walk);
	submit_bio(bio);
	return true;
}

static void tcm_iblock_submit_data(struct tcm_io *io)
{
	struct tcm_iblock_io *s = tcm_iblock_io(io);
	struct tcm_iblock *ib = io->dev->priv;
	struct tcm_sg_shape shape = tcm_sg_scan(io);
	bool bounce = (shape.addr & ib->addr_mask) || (shape.len & ib->len_mask);
	struct tcm_sg_walk walk;

	s->op = io->write ? TCM_IBLOCK_WRITE : TCM_IBLOCK_READ;
	s->bounce = NULL;
	if (unlikely(io->flags & TCM_IO_NOWAIT && (bounce || shape.pieces > TCM_IBLOCK_VECS))) {
		if (bounce || !tcm_iblock_submit_large(io, shape.pieces))
			tcm_io_later(io);
		return;
	}
	if (unlikely(bounce)) {
		s->bounce = tcm_sg_bounce(io);
		if (!s->bounce) {
			tcm_io_done(io, TCM_BUSY);
			return;
		}
		shape.pieces = DIV_ROUND_UP_ULL(io->len, PAGE_SIZE);
		tcm_sg_start(&walk, s->bounce, 0, io->len);
	} else {
		tcm_sg_start(&walk, io->sg, io->skip, io->len);
	}
	if (likely(shape.pieces <= TCM_IBLOCK_VECS))
		tcm_iblock_submit_one(io, &walk);
	else
		tcm_iblock_submit_many(io, &walk, shape.pieces);
}

void tcm_iblock_submit(struct tcm_io *io)
{
	struct tcm_iblock *ib = io->dev->priv;

	if (unlikely(bdev_nr_sectors(ib->bd.bdev) != READ_ONCE(ib->sectors)))
		tcm_iblock_check(ib);
	tcm_iblock_submit_data(io);
}

void tcm_iblock_flush(struct tcm_io *io)
{
	struct tcm_iblock_io *s = tcm_iblock_io(io);

	s->op = TCM_IBLOCK_FLUSH;
	s->bounce = NULL;
	tcm_iblock_bio_init(io, REQ_OP_WRITE | REQ_PREFLUSH, 0);
	submit_bio(&s->bio);
}

/* Zeroes were refused by the disk after it had offered them: write them. */
static void tcm_iblock_zero_work(struct work_struct *work)
{
	struct tcm_iblock_io *s = container_of(work, struct tcm_iblock_io, work);
	struct tcm_io *io = tcm_iblock_of(s);
	struct tcm_iblock *ib = io->dev->priv;
	unsigned int noio = memalloc_noio_save();
	int err;

	err = blkdev_issue_zeroout(ib->bd.bdev, io->pos >> SECTOR_SHIFT, io->len >> SECTOR_SHIFT,
				   GFP_NOIO, BLKDEV_ZERO_NOUNMAP);
	memalloc_noio_restore(noio);
	tcm_iblock_finish(io, errno_to_blk_status(err));
}

/* The last of a chain of bios has ended, and with it all before. */
static void tcm_iblock_end_range(struct bio *bio)
{
	struct tcm_io *io = bio->bi_private;
	struct tcm_iblock_io *s = tcm_iblock_io(io);
	blk_status_t status = bio->bi_status;

	bio_put(bio);
	if (unlikely(status == BLK_STS_NOTSUPP)) {
		if (s->op != TCM_IBLOCK_DISCARD) {
			INIT_WORK(&s->work, tcm_iblock_zero_work);
			queue_work(tcm_iblock_wq, &s->work);
			return;
		}
		/* As everywhere in the block layer: a discard is a hint. */
		status = BLK_STS_OK;
	}
	tcm_iblock_finish(io, status);
}

static void tcm_iblock_issue_range(struct tcm_io *io)
{
	struct tcm_iblock_io *s = tcm_iblock_io(io);
	struct tcm_iblock *ib = io->dev->priv;
	sector_t sector = io->pos >> SECTOR_SHIFT, nr = io->len >> SECTOR_SHIFT;
	struct bio *bio = NULL;
	struct blk_plug plug;
	int err;

	blk_start_plug(&plug);
	if (s->op == TCM_IBLOCK_DISCARD)
		err = __blkdev_issue_discard(ib->bd.bdev, sector, nr, GFP_NOIO, &bio);
	else
		err = __blkdev_issue_zeroout(ib->bd.bdev, sector, nr, GFP_NOIO, &bio,
					     s->op == TCM_IBLOCK_ZERO ? BLKDEV_ZERO_NOUNMAP : 0);
	if (likely(bio)) {
		bio->bi_private = io;
		bio->bi_end_io = tcm_iblock_end_range;
		submit_bio(bio);
	} else {
		if (err == -EOPNOTSUPP && s->op == TCM_IBLOCK_DISCARD)
			err = 0;
		tcm_iblock_finish(io, errno_to_blk_status(err));
	}
	blk_finish_plug(&plug);
}

static void tcm_iblock_range_work(struct work_struct *work)
{
	struct tcm_iblock_io *s = container_of(work, struct tcm_iblock_io, work);
	unsigned int noio = memalloc_noio_save();

	tcm_iblock_issue_range(tcm_iblock_of(s));
	memalloc_noio_restore(noio);
}

static void tcm_iblock_range(struct tcm_io *io, enum tcm_iblock_op op)
{
	struct tcm_iblock_io *s = tcm_iblock_io(io);
	struct tcm_iblock *ib = io->dev->priv;
	struct block_device *bdev = ib->bd.bdev;
	u64 limit;

	s->op = op;
	s->bounce = NULL;
	if (op == TCM_IBLOCK_DISCARD)
		limit = bdev_max_discard_sectors(bdev);
	else
		limit = bdev_write_zeroes_sectors(bdev) ?: BIO_MAX_VECS * PAGE_SECTORS;
	if (io->len >> SECTOR_SHIFT <= limit * TCM_IBLOCK_INLINE_BIOS) {
		tcm_iblock_issue_range(io);
		return;
	}
	/* It would wait for tags, and the commands behind it with it. */
	INIT_WORK(&s->work, tcm_iblock_range_work);
	queue_work(tcm_iblock_wq, &s->work);
}

/* Where the initiator was told that unmapped blocks read as zeros, a discard is not enough. */
void tcm_iblock_unmap(struct tcm_io *io)
{
	tcm_iblock_range(io, io->dev->attr.unmap_zeroes_data ? TCM_IBLOCK_ZERO_UNMAP :
							       TCM_IBLOCK_DISCARD);
}

void tcm_iblock_write_zeroes(struct tcm_io *io)
{
	tcm_iblock_range(io, io->flags & TCM_IO_MAY_UNMAP ? TCM_IBLOCK_ZERO_UNMAP :
							    TCM_IBLOCK_ZERO);
}

int tcm_iblock_io_init(void)
{
	int err = bioset_init(&tcm_iblock_bios, BIO_POOL_SIZE, 0, BIOSET_NEED_BVECS);

	if (err)
		return err;
	tcm_iblock_wq = alloc_workqueue("tcm_iblock", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!tcm_iblock_wq) {
		bioset_exit(&tcm_iblock_bios);
		return -ENOMEM;
	}
	return 0;
}

void tcm_iblock_io_exit(void)
{
	destroy_workqueue(tcm_iblock_wq);
	bioset_exit(&tcm_iblock_bios);
}
