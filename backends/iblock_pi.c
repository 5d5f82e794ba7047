// SPDX-License-Identifier: GPL-2.0-only
/*
 * Protection information of a disk that keeps it with the data (T10 PI by block integrity): every
 * read and write takes its tuples along in the same bios.
 *
 * The core makes and checks them. The block layer makes and checks none for a bio that brings its
 * own; it does rewrite reference tags of type 1 between the LBA on this device, with which the
 * payload's seed begins, and that on the disk below partitions and stacked devices.
 */
#include <linux/blk-integrity.h>
#include <linux/mm.h>
#include "iblock.h"

static struct bio_set tcm_iblock_pi_bios;

u8 tcm_iblock_pi_type(struct block_device *bdev)
{
	struct blk_integrity *bi = bdev_get_integrity(bdev);

	/* A host may protect the way to a disk that stores nothing of it. */
	if (!bi || !(bi->flags & BLK_INTEGRITY_DEVICE_CAPABLE))
		return 0;
	if (bi->tuple_size != TCM_PI_LEN || 1U << bi->interval_exp != bdev_logical_block_size(bdev))
		return 0;
	return tcm_integrity_type(bi);
}

/* The tuples for the blocks of a bio, of which the first is the @first of the access */
static bool tcm_iblock_pi_attach(struct tcm_io *io, struct bio *bio, unsigned int first)
{
	u8 shift = io->dev->block_shift, *mem = (u8 *)(io->tuples + first);
	unsigned int len = (bio->bi_iter.bi_size >> shift) * TCM_PI_LEN, left, n;
	struct bio_integrity_payload *bip;

	bip = bio_integrity_alloc(bio, GFP_NOIO,
				  DIV_ROUND_UP(offset_in_page(mem) + len, PAGE_SIZE));
	if (IS_ERR(bip))
		return false;
	bip_set_seed(bip, (io->pos >> shift) + first);
	if (io->flags & TCM_IO_UNCHECKED)
		bip->bip_flags |= BIP_CTRL_NOCHECK | BIP_DISK_NOCHECK;
	for (left = len; left; left -= n, mem += n) {
		n = min_t(unsigned int, left, PAGE_SIZE - offset_in_page(mem));
		if (bio_integrity_add_page(bio, virt_to_page(mem), n, offset_in_page(mem)) != n)
			return false;
	}
	/* 6.1 leaves that to the caller. */
	bip->bip_iter.bi_size = len;
	return true;
}

static void tcm_iblock_pi_bio(struct tcm_io *io, struct bio *bio, struct tcm_sg_walk *walk)
{
	u64 done = io->len - walk->left;

	bio->bi_iter.bi_sector = (io->pos + done) >> SECTOR_SHIFT;
	bio->bi_private = io;
	bio->bi_end_io = tcm_iblock_end_part;
	tcm_iblock_fill(bio, walk);
	if (tcm_iblock_pi_attach(io, bio, done >> io->dev->block_shift)) {
		submit_bio(bio);
	} else {
		bio->bi_status = BLK_STS_RESOURCE;
		bio_endio(bio);
	}
}

static void tcm_iblock_pi_issue(struct tcm_io *io, struct scatterlist *sg, u64 skip,
				unsigned int pieces)
{
	blk_opf_t opf = io->write ? REQ_OP_WRITE | REQ_SYNC | REQ_IDLE : REQ_OP_READ;
	struct tcm_iblock_io *s = tcm_iblock_io(io);
	struct tcm_iblock *ib = io->dev->priv;
	struct tcm_sg_walk walk;
	struct blk_plug plug;

	if (io->flags & TCM_IO_FUA)
		opf |= REQ_FUA;
	atomic_set(&s->left, 1);
	s->status = BLK_STS_OK;
	tcm_sg_start(&walk, sg, skip, io->len);
	blk_start_plug(&plug);
	while (walk.left) {
		/* Each is submitted before the next is asked for, so the pools never run dry. */
		struct bio *bio = bio_alloc_bioset(ib->bd.bdev, bio_max_segs(pieces), opf,
						   GFP_NOIO, &tcm_iblock_pi_bios);

		atomic_inc(&s->left);
		tcm_iblock_pi_bio(io, bio, &walk);
	}
	blk_finish_plug(&plug);
	tcm_iblock_put_part(io);
}

void tcm_iblock_pi_submit(struct tcm_io *io)
{
	struct tcm_iblock_io *s = tcm_iblock_io(io);
	struct tcm_iblock *ib = io->dev->priv;
	struct tcm_sg_shape shape = tcm_sg_scan(io);

	/* What is stacked may be given another disk, and any may be formatted anew. */
	if (unlikely(tcm_iblock_pi_type(ib->bd.bdev) != io->dev->limits.pi_type)) {
		tcm_io_done(io, TCM_FORMAT_CORRUPTED);
		return;
	}
	if (unlikely(bdev_nr_sectors(ib->bd.bdev) != READ_ONCE(ib->sectors)))
		tcm_iblock_check(ib);
	s->op = io->write ? TCM_IBLOCK_WRITE : TCM_IBLOCK_READ;
	s->bounce = NULL;
	if (!(shape.addr & ib->addr_mask) && !(shape.len & ib->len_mask)) {
		tcm_iblock_pi_issue(io, io->sg, io->skip, shape.pieces);
		return;
	}
	s->bounce = tcm_sg_bounce(io);
	if (s->bounce)
		tcm_iblock_pi_issue(io, s->bounce, 0, DIV_ROUND_UP_ULL(io->len, PAGE_SIZE));
	else
		tcm_io_done(io, TCM_BUSY);
}

int tcm_iblock_pi_init(void)
{
	int err = bioset_init(&tcm_iblock_pi_bios, BIO_POOL_SIZE, 0, BIOSET_NEED_BVECS);

	if (!err)
		err = bioset_integrity_create(&tcm_iblock_pi_bios, BIO_POOL_SIZE);
	if (err)
		bioset_exit(&tcm_iblock_pi_bios);
	return err;
}

void tcm_iblock_pi_exit(void)
{
	bioset_exit(&tcm_iblock_pi_bios);
}
