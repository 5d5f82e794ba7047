// SPDX-License-Identifier: GPL-2.0-only
/*
 * Accesses that failed. A bio says that something went wrong, not where; initiators want
 * the address of the first bad block (SBC-4 4.18.1), so a medium error of a longer read is
 * narrowed down by reading halves; so is one of protection information that the core does not
 * see, as the block layer keeps it to itself.
 */
#include <linux/sched/mm.h>
#include "iblock.h"

/* A disk takes seconds for each bad block: after so long the address is not told. */
#define TCM_IBLOCK_LOCATE	(10 * HZ)

static struct workqueue_struct *tcm_iblock_locate_wq;

static enum tcm_sense tcm_iblock_sense(struct tcm_io *io, blk_status_t status)
{
	struct tcm_iblock *ib = io->dev->priv;

	tcm_iblock_check(ib);
	if (test_bit(TCM_IBLOCK_GONE, &ib->flags))
		return TCM_LUN_FAILURE;
	return tcm_sense_from_blk(status, tcm_iblock_io(io)->op != TCM_IBLOCK_READ);
}

/* Read into one page over and over: only the outcome counts. */
static blk_status_t tcm_iblock_probe(struct tcm_iblock *ib, u64 pos, u64 len, struct page *page)
{
	blk_status_t status = BLK_STS_OK;

	while (len && !status) {
		unsigned int vecs = bio_max_segs(DIV_ROUND_UP_ULL(len, PAGE_SIZE));
		struct bio *bio = bio_alloc(ib->bd.bdev, vecs, REQ_OP_READ, GFP_NOIO);

		bio->bi_iter.bi_sector = pos >> SECTOR_SHIFT;
		while (len && bio->bi_vcnt < bio->bi_max_vecs) {
			unsigned int n = min_t(u64, len, PAGE_SIZE);

			__bio_add_page(bio, page, n, 0);
			pos += n;
			len -= n;
		}
		submit_bio_wait(bio);
		status = bio->bi_status;
		bio_put(bio);
	}
	return status;
}

/* The first bad byte of [pos, pos+len), U64_MAX if it does not show itself in time. */
static u64 tcm_iblock_find_bad(struct tcm_iblock *ib, u64 pos, u64 len, u32 bs, struct page *page)
{
	unsigned long end = jiffies + TCM_IBLOCK_LOCATE;
	bool seen = false;

	while (len > bs) {
		u64 half = round_up(len / 2, bs);

		if (time_after(jiffies, end))
			return U64_MAX;
		if (tcm_iblock_probe(ib, pos, half, page)) {
			seen = true;
			len = half;
		} else {
			pos += half;
			len -= half;
		}
	}
	/* Only good halves: either it is the block that is left, or it was a passing error. */
	return seen || tcm_iblock_probe(ib, pos, len, page) ? pos : U64_MAX;
}

static void tcm_iblock_locate(struct work_struct *work)
{
	struct tcm_iblock_io *s = container_of(work, struct tcm_iblock_io, work);
	struct tcm_io *io = tcm_iblock_of(s);
	unsigned int noio = memalloc_noio_save();
	struct page *page = alloc_page(GFP_NOIO | __GFP_NOWARN);

	if (page) {
		io->bad_pos = tcm_iblock_find_bad(io->dev->priv, io->pos, io->len,
						  1U << io->dev->block_shift, page);
		__free_page(page);
	}
	memalloc_noio_restore(noio);
	tcm_io_done(io, tcm_sense_from_blk(s->status, false));
}

void tcm_iblock_failed(struct tcm_io *io, blk_status_t status)
{
	struct tcm_iblock_io *s = tcm_iblock_io(io);
	enum tcm_sense sense = tcm_iblock_sense(io, status);
	struct tcm_iblock *ib = io->dev->priv;
	u64 size = READ_ONCE(ib->sectors) << SECTOR_SHIFT;

	if (s->op != TCM_IBLOCK_FLUSH && io->pos + io->len > size) {
		/* It has shrunk since the core looked. */
		sense = TCM_LBA_OUT_OF_RANGE;
		io->bad_pos = max(io->pos, size);
	} else if ((TCM_SENSE_KEY(sense) == MEDIUM_ERROR || sense == TCM_GUARD_CHECK) &&
		   s->op != TCM_IBLOCK_FLUSH) {
		if (io->len == 1U << io->dev->block_shift) {
			io->bad_pos = io->pos;
		} else if ((status == BLK_STS_MEDIUM || status == BLK_STS_PROTECTION) &&
			   s->op == TCM_IBLOCK_READ) {
			s->status = status;
			INIT_WORK(&s->work, tcm_iblock_locate);
			queue_work(tcm_iblock_locate_wq, &s->work);
			return;
		}
	}
	tcm_io_done(io, sense);
}

int tcm_iblock_error_init(void)
{
	tcm_iblock_locate_wq = alloc_workqueue("tcm_iblock_err", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	return tcm_iblock_locate_wq ? 0 : -ENOMEM;
}

void tcm_iblock_error_exit(void)
{
	destroy_workqueue(tcm_iblock_locate_wq);
}
