// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads and writes of a file.
 *
 * The first try is made in the caller's context in a way that does not wait: direct I/O
 * is queued below the file system, buffered I/O is done if it can be done at once
 * (IOCB_NOWAIT); for a caller who must not even take the locks of a file system there are reads
 * that the page cache answers. Whatever would have to wait goes on in the device's own work
 * queue, where an access is carried on in steps until it is through; buffered writes that had to
 * wait share one work item.
 *
 * A device never mixes direct and buffered writes: a block that is smaller than what the
 * file system writes directly makes the whole device buffered.
 */
#include <compat/iocb.h>
#include <linux/cred.h>
#include <linux/sched/mm.h>
#include "file.h"
#include "sg.h"

mempool_t tcm_file_vecs;
static struct kmem_cache *tcm_file_vecs_cache;

/*
 * No reclaim through the disk that is being served, and no throttling by dirty pages
 * of the file system on top of it: both would wait for ourselves.
 */
void tcm_file_enter(const struct tcm_file *f, struct tcm_file_task *task)
{
	task->noio = memalloc_noio_save();
	task->throttle = current->flags & PF_LOCAL_THROTTLE;
	current->flags |= PF_LOCAL_THROTTLE;
	task->cred = current_cred() == f->file->f_cred ? NULL : override_creds(f->file->f_cred);
}

void tcm_file_leave(const struct tcm_file_task *task)
{
	if (task->cred)
		revert_creds(task->cred);
	if (!task->throttle)
		current->flags &= ~PF_LOCAL_THROTTLE;
	memalloc_noio_restore(task->noio);
}

static void tcm_file_work(struct work_struct *work)
{
	struct tcm_file_io *s = container_of(work, struct tcm_file_io, work);
	struct tcm_io *io = tcm_file_of(s);
	struct tcm_file *f = io->dev->priv;
	struct tcm_file_task task;

	percpu_ref_get(&f->users);
	tcm_file_enter(f, &task);
	if (s->op == TCM_FILE_DATA)
		tcm_file_data_work(io);
	else
		tcm_file_range_work(io);
	tcm_file_leave(&task);
	percpu_ref_put(&f->users);
}

/*
 * A write into the page cache. File systems take one of a file at a time, so a crowd of workers
 * would queue; and of what may wait in here, memory and a busy journal, the next one would find
 * the same. One that is to be stable is not meant: it waits for the medium.
 */
static bool tcm_file_is_buffered_write(struct tcm_io *io)
{
	const struct tcm_file_io *s = tcm_file_io(io);

	return s->op == TCM_FILE_DATA && io->write && !s->direct && !s->stable;
}

void tcm_file_write_work(struct work_struct *work)
{
	struct tcm_file *f = container_of(work, struct tcm_file, write_work);
	struct llist_node *batch = llist_reverse_order(llist_del_all(&f->writes));
	struct tcm_file_io *s, *next;
	struct tcm_file_task task;

	percpu_ref_get(&f->users);
	tcm_file_enter(f, &task);
	llist_for_each_entry_safe(s, next, batch, write) {
		tcm_file_data_work(tcm_file_of(s));
		cond_resched();
	}
	tcm_file_leave(&task);
	percpu_ref_put(&f->users);
}

void tcm_file_queue(struct tcm_io *io)
{
	struct tcm_file_io *s = tcm_file_io(io);
	struct tcm_file *f = io->dev->priv;

	if (tcm_file_is_buffered_write(io)) {
		if (llist_add(&s->write, &f->writes))
			queue_work(f->wq, &f->write_work);
		return;
	}
	INIT_WORK(&s->work, tcm_file_work);
	queue_work(f->wq, &s->work);
}

/*
 * Why an access failed. A disk that is removed, or has shrunk since the core looked, says many
 * things: no space left for one.
 */
static enum tcm_sense tcm_file_sense(struct tcm_io *io, int err)
{
	struct tcm_file_io *s = tcm_file_io(io);
	struct tcm_file *f = io->dev->priv;
	bool moves = s->op == TCM_FILE_DATA || s->op == TCM_FILE_PI;
	u64 size;

	/* Protection information is in a file of its own. */
	if (likely(!err) || !f->block || s->op == TCM_FILE_PI || s->op == TCM_FILE_PI_FLUSH)
		return tcm_sense_from_errno(err, !moves || io->write);
	if (tcm_file_look(f))
		return TCM_LUN_FAILURE;
	size = i_size_read(f->file->f_mapping->host);
	if (s->op != TCM_FILE_FLUSH && io->pos + io->len > size) {
		io->bad_pos = max(io->pos, size);
		return TCM_LBA_OUT_OF_RANGE;
	}
	return tcm_sense_from_errno(err, !moves || io->write);
}

/* End an access. Any context. */
void tcm_file_finish(struct tcm_io *io, int err)
{
	struct tcm_file_io *s = tcm_file_io(io);
	enum tcm_sense sense = tcm_file_sense(io, err);

	if (s->vecs && s->vecs != s->inline_vecs)
		mempool_free(s->vecs, &tcm_file_vecs);
	if (unlikely(s->bounce))
		tcm_sg_unbounce(io, s->bounce, !err);
	/* Its fsync has found what the page cache could not write, of others too: once. */
	if (unlikely(sense && s->stable && !s->direct &&
		     READ_ONCE(io->dev->attr.emulate_write_cache)))
		tcm_device_flush_failed(io->dev, sense);
	if (unlikely(TCM_SENSE_KEY(sense) == MEDIUM_ERROR && s->op == TCM_FILE_DATA &&
		     io->len - s->done == 1U << io->dev->block_shift))
		io->bad_pos = io->pos + s->done;
	tcm_io_done(io, sense);
}

static bool tcm_file_behind_end(struct tcm_io *io)
{
	const struct tcm_file *f = io->dev->priv;

	return io->pos + tcm_file_io(io)->done >= i_size_read(f->file->f_mapping->host);
}

/* What lies behind the end of the file reads as zeros. */
static void tcm_file_zero_rest(struct tcm_io *io)
{
	struct tcm_file_io *s = tcm_file_io(io);
	struct tcm_sg_walk walk;
	u32 len;

	if (s->bounce)
		tcm_sg_start(&walk, s->bounce, s->done, io->len - s->done);
	else
		tcm_sg_start(&walk, io->sg, io->skip + s->done, io->len - s->done);
	for (; walk.left; tcm_sg_advance(&walk, len)) {
		len = tcm_sg_len(&walk);
		memset(sg_virt(walk.sg) + walk.skip, 0, len);
	}
	s->done = io->len;
}

/* Bytes that fit the vectors, from what is not done yet. */
static size_t tcm_file_map(struct tcm_io *io, unsigned int *nvecs)
{
	struct tcm_file_io *s = tcm_file_io(io);
	unsigned int max = s->vecs == s->inline_vecs ? TCM_FILE_INLINE_VECS : TCM_FILE_VECS;
	u64 left = min_t(u64, io->len - s->done, MAX_RW_COUNT);
	struct tcm_sg_walk walk;
	unsigned int n = 0;
	size_t bytes = 0;
	u32 len;

	if (s->bounce)
		tcm_sg_start(&walk, s->bounce, s->done, left);
	else
		tcm_sg_start(&walk, io->sg, io->skip + s->done, left);
	for (; walk.left && n < max; tcm_sg_advance(&walk, len)) {
		len = tcm_sg_len(&walk);
		bvec_set_page(&s->vecs[n++], sg_page(walk.sg), len, tcm_sg_offset(&walk));
		bytes += len;
	}
	*nvecs = n;
	return bytes;
}

/* A step gave an errno: does it say how to go on? */
static bool tcm_file_try_otherwise(struct tcm_io *io, ssize_t err)
{
	struct tcm_file_io *s = tcm_file_io(io);
	struct tcm_file *f = io->dev->priv;

	if (s->iocb.ki_flags & IOCB_NOWAIT) {
		if (err == -EAGAIN)
			return true;
		if (err == -EOPNOTSUPP && io->write && !s->direct) {
			WRITE_ONCE(f->nowait_write, false);
			return true;
		}
	}
	if ((err == -EINVAL || err == -EOPNOTSUPP) && s->direct) {
		/* It said that it could, or said nothing. */
		WRITE_ONCE(f->direct, false);
		s->direct = false;
		return true;
	}
	return false;
}

/*
 * Judge what a step gave. Returns true when the access has ended, false when it has to
 * go on where it may wait. Any context.
 */
static bool tcm_file_stepped(struct tcm_io *io, ssize_t ret)
{
	struct tcm_file_io *s = tcm_file_io(io);
	struct tcm_file *f = io->dev->priv;
	u64 before = s->done;

	if (unlikely(ret < 0)) {
		if (tcm_file_try_otherwise(io, ret))
			return false;
		tcm_file_finish(io, ret);
		return true;
	}
	s->done += ret;
	/* Of a block device it does not: that has been removed, or has shrunk. */
	if (unlikely(!io->write && s->done < io->len && !f->block && tcm_file_behind_end(io)))
		tcm_file_zero_rest(io);
	if (likely(s->done == io->len)) {
		tcm_file_finish(io, 0);
		return true;
	}
	/* Direct I/O can only go on where a block begins. */
	if (s->direct)
		s->done = round_down(s->done, 1U << io->dev->block_shift);
	if (s->done > before)
		return false;
	/* The file ended there, and a write has made it longer since: once more, not for ever. */
	if (!io->write && !f->block && !s->again) {
		s->again = true;
		return false;
	}
	tcm_file_finish(io, -EIO);
	return true;
}

/* A queued step has ended, in whatever context. */
static void tcm_file_complete(struct kiocb *iocb, long ret)
{
	struct tcm_io *io = tcm_file_of(container_of(iocb, struct tcm_file_io, iocb));

	if (io->write)
		kiocb_end_write(iocb);
	if (!tcm_file_stepped(io, ret))
		tcm_file_queue(io);
}

/* As much as the vectors hold. Returns as tcm_file_stepped(), true also when it was queued. */
static bool tcm_file_step(struct tcm_io *io, bool nowait)
{
	struct tcm_file_io *s = tcm_file_io(io);
	struct tcm_file *f = io->dev->priv;
	bool write = io->write;
	struct iov_iter iter;
	unsigned int nvecs;
	size_t bytes;
	ssize_t ret;

	bytes = tcm_file_map(io, &nvecs);
	s->iocb = (struct kiocb) {
		.ki_filp = f->file,
		.ki_pos = io->pos + s->done,
		/* Buffered I/O is waited for; so is direct I/O where that is all a file can do. */
		.ki_complete = s->direct ? tcm_file_complete : NULL,
		.ki_flags = (s->direct ? IOCB_DIRECT : 0) | (nowait ? IOCB_NOWAIT : 0) |
			    (write ? IOCB_WRITE : 0) | (s->stable ? IOCB_DSYNC : 0),
	};
	iov_iter_bvec(&iter, write ? ITER_SOURCE : ITER_DEST, s->vecs, nvecs, bytes);
	if (write)
		ret = tcm_iocb_write(&s->iocb, &iter);
	else
		ret = vfs_iocb_iter_read(f->file, &s->iocb, &iter);
	/* From here on a queued access may be over and gone. */
	return ret == -EIOCBQUEUED || tcm_file_stepped(io, ret);
}

void tcm_file_data_work(struct tcm_io *io)
{
	while (!tcm_file_step(io, false))
		;
}

/* Memory that the file system cannot reach directly is passed by. */
static bool tcm_file_prepare(struct tcm_io *io)
{
	struct tcm_file_io *s = tcm_file_io(io);
	struct tcm_file *f = io->dev->priv;
	struct tcm_sg_shape shape = tcm_sg_scan(io);

	s->op = TCM_FILE_DATA;
	s->done = 0;
	s->again = false;
	s->bounce = NULL;
	s->vecs = NULL;
	s->direct = tcm_file_is_direct(f);
	s->stable = io->write && io->flags & TCM_IO_FUA;
	if (unlikely(s->direct && ((shape.addr & f->dio_addr_mask) ||
				   (shape.len & (f->dio_align - 1))))) {
		s->bounce = tcm_sg_bounce(io);
		if (!s->bounce)
			return false;
		shape.pieces = DIV_ROUND_UP_ULL(io->len, PAGE_SIZE);
	}
	s->vecs = s->inline_vecs;
	if (unlikely(shape.pieces > TCM_FILE_INLINE_VECS))
		s->vecs = mempool_alloc(&tcm_file_vecs, GFP_NOIO);
	return true;
}

/* In the device's own worker: what waits here holds up that device on this CPU. */
static void tcm_file_here(struct tcm_io *io)
{
	struct tcm_file *f = io->dev->priv;
	struct tcm_file_task task;

	percpu_ref_get(&f->users);
	tcm_file_enter(f, &task);
	tcm_file_data_work(io);
	tcm_file_leave(&task);
	percpu_ref_put(&f->users);
}

/* Is it better done by the device's own worker than handed on once more? */
static bool tcm_file_stays(struct tcm_io *io)
{
	const struct tcm_file *f = io->dev->priv;

	if (!(io->flags & TCM_IO_MAY_WAIT))
		return false;
	return tcm_file_is_buffered_write(io) || (f->memory && !io->write);
}

/* Can the first step be taken without waiting for the medium? */
static bool tcm_file_may_try(const struct tcm_io *io)
{
	const struct tcm_file_io *s = (const struct tcm_file_io *)io->scratch;
	const struct tcm_file *f = io->dev->priv;

	/* The file system waits for writes that make the file longer. */
	if (s->direct)
		return !io->write || f->block ||
		       io->pos + io->len <= i_size_read(f->file->f_mapping->host);
	/* Buffered and stable is two things, the second of which waits. */
	return io->write ? READ_ONCE(f->nowait_write) && !s->stable : f->nowait;
}

/*
 * A read that is all in the page cache, for who must not wait: nothing is read ahead, no time of
 * access is moved, and the file system neither takes a lock that is held nor begins a
 * transaction. The caller may be in one of a file system that is on this device.
 */
static bool tcm_file_read_cached(struct tcm_io *io)
{
	struct tcm_file_io *s = tcm_file_io(io);
	struct tcm_file *f = io->dev->priv;
	unsigned int nvecs, pieces = tcm_sg_scan(io).pieces;
	struct iov_iter iter;
	ssize_t ret;

	if (!f->nowait)
		return false;
	s->op = TCM_FILE_DATA;
	s->done = 0;
	s->bounce = NULL;
	s->direct = false;
	s->vecs = s->inline_vecs;
	if (unlikely(pieces > TCM_FILE_INLINE_VECS)) {
		if (pieces > TCM_FILE_VECS)
			return false;
		s->vecs = mempool_alloc(&tcm_file_vecs, GFP_NOWAIT);
		if (!s->vecs)
			return false;
	}
	tcm_file_map(io, &nvecs);
	s->iocb = (struct kiocb) {
		.ki_filp = f->file,
		.ki_pos = io->pos,
		.ki_flags = IOCB_NOWAIT | IOCB_NOIO,
	};
	iov_iter_bvec(&iter, ITER_DEST, s->vecs, nvecs, io->len);
	percpu_ref_get(&f->users);
	ret = f->file->f_op->read_iter(&s->iocb, &iter);
	percpu_ref_put(&f->users);
	if (unlikely(ret != io->len)) {
		if (s->vecs != s->inline_vecs)
			mempool_free(s->vecs, &tcm_file_vecs);
		return false;
	}
	tcm_file_finish(io, 0);
	return true;
}

void tcm_file_submit(struct tcm_io *io)
{
	struct tcm_file *f = io->dev->priv;
	struct tcm_file_task task;
	bool over = false;

	if (io->flags & TCM_IO_NOWAIT) {
		if (unlikely(!tcm_file_read_cached(io)))
			tcm_io_later(io);
		return;
	}
	if (unlikely(!tcm_file_prepare(io))) {
		tcm_io_done(io, TCM_BUSY);
		return;
	}
	if (tcm_file_may_try(io)) {
		percpu_ref_get(&f->users);
		tcm_file_enter(f, &task);
		over = tcm_file_step(io, f->nowait);
		tcm_file_leave(&task);
		percpu_ref_put(&f->users);
	}
	if (over)
		return;
	if (tcm_file_stays(io))
		tcm_file_here(io);
	else
		tcm_file_queue(io);
}

/*
 * What has a constructor is not cleared each time it is allocated, as hardened kernels do
 * (init_on_alloc): nobody looks at a vector that was not filled in before.
 */
static void tcm_file_vecs_made(void *vecs)
{
}

/* The pool's own functions are for caches without one: a pool may poison what it keeps. */
static void *tcm_file_vecs_alloc(gfp_t gfp, void *cache)
{
	return kmem_cache_alloc(cache, gfp);
}

static void tcm_file_vecs_free(void *vecs, void *cache)
{
	kmem_cache_free(cache, vecs);
}

int tcm_file_io_init(void)
{
	int err;

	tcm_file_vecs_cache = kmem_cache_create("tcm_file_vecs", PAGE_SIZE, 0, 0,
						tcm_file_vecs_made);
	if (!tcm_file_vecs_cache)
		return -ENOMEM;
	err = mempool_init(&tcm_file_vecs, 16, tcm_file_vecs_alloc, tcm_file_vecs_free,
			   tcm_file_vecs_cache);
	if (err)
		kmem_cache_destroy(tcm_file_vecs_cache);
	return err;
}

void tcm_file_io_exit(void)
{
	mempool_exit(&tcm_file_vecs);
	kmem_cache_destroy(tcm_file_vecs_cache);
}
