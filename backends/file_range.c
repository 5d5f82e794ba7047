// SPDX-License-Identifier: GPL-2.0-only
/*
 * What concerns a range of a file and moves no data: flush, deallocate, zero, read ahead.
 * All of it waits, so all of it is done in the device's work queue.
 */
#include <compat/iocb.h>
#include <linux/blkdev.h>
#include <linux/fadvise.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <linux/mm.h>
#include <linux/pagemap.h>
#include "file.h"

static int tcm_file_sync(struct tcm_io *io)
{
	struct tcm_file *f = io->dev->priv;

	return vfs_fsync_range(f->file, io->pos, io->len ? io->pos + io->len - 1 : LLONG_MAX, 1);
}

static int tcm_file_punch(struct tcm_io *io)
{
	struct tcm_file *f = io->dev->priv;

	return vfs_fallocate(f->file, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, io->pos, io->len);
}

/* A disk that cannot zero can still discard; what is cached of it is stale then. */
static int tcm_file_discard(struct tcm_io *io)
{
	struct tcm_file *f = io->dev->priv;
	struct address_space *mapping = f->file->f_mapping;
	int err;

	err = filemap_write_and_wait_range(mapping, io->pos, io->pos + io->len - 1);
	if (err)
		return err;
	err = blkdev_issue_discard(I_BDEV(mapping->host), io->pos >> SECTOR_SHIFT,
				   io->len >> SECTOR_SHIFT, GFP_NOIO);
	invalidate_inode_pages2_range(mapping, io->pos >> PAGE_SHIFT,
				      (io->pos + io->len - 1) >> PAGE_SHIFT);
	/* As everywhere in the block layer: a discard is a hint. */
	return err == -EOPNOTSUPP ? 0 : err;
}

/* Write zeros, where the file system has no quicker way. */
static int tcm_file_zero_by_hand(struct tcm_io *io)
{
	struct tcm_file_io *s = tcm_file_io(io);
	struct tcm_file *f = io->dev->priv;
	struct kiocb iocb = {
		.ki_filp = f->file,
		.ki_pos = io->pos,
		.ki_flags = IOCB_WRITE | (tcm_file_is_direct(f) ? IOCB_DIRECT : 0),
	};
	struct iov_iter iter;
	unsigned int n;
	ssize_t ret;

	s->vecs = mempool_alloc(&tcm_file_vecs, GFP_NOIO);
	for (n = 0; n < TCM_FILE_VECS; n++)
		bvec_set_page(&s->vecs[n], ZERO_PAGE(0), PAGE_SIZE, 0);
	while (s->done < io->len) {
		iov_iter_bvec(&iter, ITER_SOURCE, s->vecs, TCM_FILE_VECS,
			      min_t(u64, io->len - s->done, TCM_FILE_VECS * PAGE_SIZE));
		ret = tcm_iocb_write(&iocb, &iter);
		if (ret <= 0)
			return ret ?: -EIO;
		s->done += ret;
	}
	return 0;
}

static int tcm_file_zero(struct tcm_io *io)
{
	struct tcm_file *f = io->dev->priv;
	int err = -EOPNOTSUPP;

	if (io->flags & TCM_IO_MAY_UNMAP)
		err = tcm_file_punch(io);
	if (err == -EOPNOTSUPP && f->file->f_op->fallocate)
		err = vfs_fallocate(f->file, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, io->pos,
				    io->len);
	if (err == -EOPNOTSUPP)
		err = tcm_file_zero_by_hand(io);
	return err;
}

/* Where the initiator was told that unmapped blocks read as zeros, a hint is not enough. */
static int tcm_file_deallocate(struct tcm_io *io)
{
	struct tcm_file *f = io->dev->priv;
	int err = tcm_file_punch(io);

	if (err != -EOPNOTSUPP)
		return err;
	if (io->dev->attr.unmap_zeroes_data)
		return tcm_file_zero(io);
	return f->block ? tcm_file_discard(io) : 0;
}

/*
 * Holes as the file system tells of them, in its own blocks: a logical block is deallocated when
 * all of it is in a hole. What is behind the end of the file is one, too.
 */
static int tcm_file_status(struct tcm_io *io)
{
	struct tcm_file *f = io->dev->priv;
	u32 block = 1U << io->dev->block_shift;
	loff_t data = vfs_llseek(f->file, io->pos, SEEK_DATA), hole;

	/* Not known, as with every block device, is answered as mapped. */
	if (data == -EINVAL || data == -EOPNOTSUPP)
		return 0;
	if (data == -ENXIO) {
		io->flags |= TCM_IO_UNMAPPED;
		return 0;
	}
	if (data < 0)
		return data;
	data = round_down(data, block);
	if (data > io->pos) {
		io->flags |= TCM_IO_UNMAPPED;
		io->len = min_t(u64, io->len, data - io->pos);
		return 0;
	}
	hole = vfs_llseek(f->file, io->pos, SEEK_HOLE);
	/* It begins in the middle of the block that was looked at, or data in it do. */
	while (hole >= 0 && round_up(hole, block) == io->pos)
		hole += block;
	if (hole >= 0)
		io->len = min_t(u64, io->len, round_up(hole, block) - io->pos);
	return 0;
}

/* As much as the device below is said to be worth reading ahead; without a cache, nothing. */
static void tcm_file_do_read_ahead(struct tcm_io *io)
{
	const struct tcm_file *f = io->dev->priv;

	if (!tcm_file_is_direct(f))
		vfs_fadvise(f->file, io->pos, io->len, POSIX_FADV_WILLNEED);
}

/*
 * By shared blocks where the file system has those, or by its own way to copy (a server does it);
 * never by the page cache, which would be a detour. Whatever it refuses is done otherwise.
 */
static int tcm_file_clone(struct tcm_io *io)
{
	const struct tcm_file *f = io->dev->priv, *src = io->src->priv;
	u64 done = 0;
	ssize_t ret;

	if (f->block || src->block)
		return -EOPNOTSUPP;
	if (vfs_clone_file_range(src->file, io->src_pos, f->file, io->pos, io->len, 0) == io->len)
		return 0;
	if (!f->file->f_op->copy_file_range ||
	    f->file->f_op->copy_file_range != src->file->f_op->copy_file_range)
		return -EOPNOTSUPP;
	while (done < io->len) {
		ret = vfs_copy_file_range(src->file, io->src_pos + done, f->file, io->pos + done,
					  io->len - done, 0);
		/* Behind the end of the source there is nothing to copy. */
		if (ret <= 0)
			return -EOPNOTSUPP;
		done += ret;
	}
	return 0;
}

static void tcm_file_copy_work(struct tcm_io *io)
{
	struct tcm_file_io *s = tcm_file_io(io);
	int err = tcm_file_clone(io);

	if (err)
		tcm_io_done(io, TCM_INVALID_OPCODE);
	else
		tcm_file_finish(io, s->stable ? tcm_file_sync(io) : 0);
}

void tcm_file_range_work(struct tcm_io *io)
{
	struct tcm_file_io *s = tcm_file_io(io);
	int err = 0;

	if (s->op == TCM_FILE_COPY) {
		tcm_file_copy_work(io);
		return;
	}
	if (s->op == TCM_FILE_PI || s->op == TCM_FILE_PI_FLUSH) {
		tcm_file_pi_work(io);
		return;
	}
	if (s->op == TCM_FILE_UNMAP)
		err = tcm_file_deallocate(io);
	else if (s->op == TCM_FILE_ZERO)
		err = tcm_file_zero(io);
	else if (s->op == TCM_FILE_STATUS)
		err = tcm_file_status(io);
	else if (s->op == TCM_FILE_PREFETCH)
		tcm_file_do_read_ahead(io);
	if (!err && s->stable)
		err = tcm_file_sync(io);
	tcm_file_finish(io, err);
}

void tcm_file_range(struct tcm_io *io, enum tcm_file_op op, bool stable)
{
	struct tcm_file_io *s = tcm_file_io(io);

	s->op = op;
	s->done = 0;
	s->bounce = NULL;
	s->vecs = NULL;
	s->direct = false;
	s->stable = stable;
	tcm_file_queue(io);
}

void tcm_file_flush(struct tcm_io *io)
{
	tcm_file_range(io, TCM_FILE_FLUSH, true);
}

void tcm_file_unmap(struct tcm_io *io)
{
	tcm_file_range(io, TCM_FILE_UNMAP, io->flags & TCM_IO_FUA);
}

void tcm_file_lba_status(struct tcm_io *io)
{
	tcm_file_range(io, TCM_FILE_STATUS, false);
}

void tcm_file_read_ahead(struct tcm_io *io)
{
	tcm_file_range(io, TCM_FILE_PREFETCH, false);
}

void tcm_file_copy(struct tcm_io *io)
{
	tcm_file_range(io, TCM_FILE_COPY, io->flags & TCM_IO_FUA);
}

void tcm_file_write_zeroes(struct tcm_io *io)
{
	tcm_file_range(io, TCM_FILE_ZERO, io->flags & TCM_IO_FUA);
}
