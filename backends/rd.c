// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory. Thin: a page appears with its first write and goes with UNMAP; what has no
 * page reads as zeros. With rd_nullio nothing is kept and everything reads as zeros.
 *
 * Pages are found under RCU and freed a grace period after they were taken out, so
 * readers and writers need no lock. A write that races with an UNMAP of the same blocks may
 * land in a page that is on its way out: as if the UNMAP had come second.
 *
 * A device may be larger than memory. What it may not do is take the last of it: writes end
 * with SPACE ALLOCATION FAILED while the host has less than TCM_RD_RESERVE left.
 */
#include <linux/highmem.h>
#include <linux/kstrtox.h>
#include <linux/mm.h>
#include <linux/module.h>
#include <linux/sched.h>
#include <linux/slab.h>
#include <linux/workqueue.h>
#include <linux/xarray.h>
#include <tcm/backend.h>
#include "sg.h"

/* Not a sleep, no message: submit() may be in atomic context. */
#define TCM_RD_GFP_ATOMIC	(GFP_NOWAIT | __GFP_NOWARN)
/* May wait for reclaim but not for ever. */
#define TCM_RD_GFP_SLEEP	(GFP_NOIO | __GFP_RETRY_MAYFAIL | __GFP_NOWARN)

/* What is left to the host, as a part of its memory, and how often that is looked at */
#define TCM_RD_RESERVE		16
#define TCM_RD_LOOK_PAGES	256

/* Entries of the tables that the stock target shows in `info` */
#define TCM_RD_PAGES_PER_TABLE	2048

/* Pages that are looked at between two chances for others to run */
#define TCM_RD_BATCH		512

/* PERIPHERAL DEVICE TYPE: unknown or no device */
#define TCM_RD_TYPE_NONE	0x1f

struct tcm_rd {
	struct xarray	pages;		/* page index -> struct page; its lock for changes */
	struct xarray	pi;		/* the same of protection information: absent, all ones */
	u64		size;		/* bytes */
	atomic_t	made;		/* pages, to look at memory now and then */
	atomic_long_t	used;		/* pages that are there */
	bool		tight;		/* memory was short at the last look */
	unsigned int	rd_pages;
	bool		nullio;
	bool		dummy;
	u32		id;
};

/* In tcm_io.scratch of a write that has to wait for memory */
struct tcm_rd_retry {
	struct work_struct	work;
	struct tcm_io		*io;
};

static_assert(sizeof(struct tcm_rd_retry) <= TCM_IO_SCRATCH);

static atomic_t tcm_rd_id = ATOMIC_INIT(0);
static struct workqueue_struct *tcm_rd_wq;

static int tcm_rd_create(struct tcm_device *dev)
{
	struct tcm_rd *rd = kzalloc(sizeof(*rd), GFP_KERNEL);

	if (!rd)
		return -ENOMEM;
	/* Submitters may be interrupted by submitters. */
	xa_init_flags(&rd->pages, XA_FLAGS_LOCK_IRQ);
	xa_init_flags(&rd->pi, XA_FLAGS_LOCK_IRQ);
	rd->id = atomic_inc_return(&tcm_rd_id) - 1;
	dev->priv = rd;
	return 0;
}

/* Nobody looks any more. */
static void tcm_rd_free_all(struct xarray *pages)
{
	struct page *page;
	unsigned long index;

	xa_for_each(pages, index, page) {
		__free_page(page);
		if (!(index % TCM_RD_BATCH))
			cond_resched();
	}
	xa_destroy(pages);
}

static void tcm_rd_destroy(struct tcm_device *dev)
{
	struct tcm_rd *rd = dev->priv;

	tcm_rd_free_all(&rd->pages);
	tcm_rd_free_all(&rd->pi);
	kfree(rd);
}

static int tcm_rd_parse(struct tcm_device *dev, const char *key, char *value)
{
	struct tcm_rd *rd = dev->priv;
	int err, n;

	if (strcmp(key, "rd_pages") && strcmp(key, "rd_nullio") && strcmp(key, "rd_dummy"))
		return -ENOENT;
	err = kstrtoint(value, 0, &n);
	if (err)
		return err;
	/* In use already: the size and the kind are what they were at enable. */
	if (test_bit(TCM_DEV_CONFIGURED, &dev->flags))
		return 0;
	if (!strcmp(key, "rd_pages"))
		rd->rd_pages = n > 0 ? n : 0;
	else if (!strcmp(key, "rd_nullio"))
		rd->nullio = n == 1;
	else
		rd->dummy = n == 1;
	return 0;
}

static int tcm_rd_open(struct tcm_device *dev)
{
	struct tcm_rd *rd = dev->priv;

	if (!rd->rd_pages)
		return -EINVAL;
	rd->size = (u64)rd->rd_pages << PAGE_SHIFT;
	if (rd->dummy)
		dev->type = TCM_RD_TYPE_NONE;
	dev->limits = (struct tcm_limits) {
		.block_size		= 512,
		.max_sectors		= round_down(U32_MAX, PAGE_SIZE / 512),
		.queue_depth		= 128,
		.max_unmap_lba		= U32_MAX,
		.max_unmap_desc		= 256,
		.unmap_granularity	= PAGE_SIZE / 512,
		.unmap_zeroes		= true,
		.counts_space		= !rd->nullio,
		.unmap_quiet		= true,
		.nonrot			= true,
	};
	return 0;
}

static void tcm_rd_close(struct tcm_device *dev)
{
}

static ssize_t tcm_rd_info(struct tcm_device *dev, char *buf, size_t size)
{
	struct tcm_rd *rd = dev->priv;
	bool open = test_bit(TCM_DEV_CONFIGURED, &dev->flags);
	unsigned int tables = open && !rd->nullio ? rd->rd_pages / TCM_RD_PAGES_PER_TABLE + 1 : 0;

	return scnprintf(buf, size, "TCM RamDisk ID: %u  RamDisk Makeup: rd_mcp\n"
			 "        PAGES/PAGE_SIZE: %u*%lu  SG_table_count: %u  nullio: %d dummy: %d\n",
			 rd->id, rd->rd_pages, PAGE_SIZE, tables, rd->nullio, rd->dummy);
}

static u64 tcm_rd_capacity(struct tcm_device *dev)
{
	struct tcm_rd *rd = dev->priv;

	return rd->size;
}

/* Zeros, eight bytes at a time: a scatterlist entry may begin and end anywhere. */
static void tcm_rd_zero(void *mem, size_t len)
{
	memset64(mem, 0, len / 8);
	memset(mem + round_down(len, 8), 0, len % 8);
}

static bool tcm_rd_memory_short(void)
{
	return si_mem_available() < totalram_pages() / TCM_RD_RESERVE;
}

/* Is there memory to take? Asked before each page; most answers are a look at a flag. */
static bool tcm_rd_may_grow(struct tcm_rd *rd, gfp_t gfp)
{
	if (gfpflags_allow_blocking(gfp) || !(atomic_inc_return(&rd->made) % TCM_RD_LOOK_PAGES))
		WRITE_ONCE(rd->tight, tcm_rd_memory_short());
	return !READ_ONCE(rd->tight);
}

/* Make the page of an index unless it is there. To use it, look it up under RCU. */
static int tcm_rd_add_page(struct tcm_rd *rd, unsigned long index, gfp_t gfp)
{
	unsigned long flags;
	struct page *page;
	void *old;

	if (!tcm_rd_may_grow(rd, gfp))
		return -ENOMEM;
	page = alloc_page(gfp | __GFP_ZERO);
	if (!page)
		return -ENOMEM;
	if (gfpflags_allow_blocking(gfp)) {
		old = xa_cmpxchg_irq(&rd->pages, index, NULL, page, gfp);
	} else {
		xa_lock_irqsave(&rd->pages, flags);
		old = __xa_cmpxchg(&rd->pages, index, NULL, page, gfp);
		xa_unlock_irqrestore(&rd->pages, flags);
	}
	if (old)
		__free_page(page);
	else
		atomic_long_inc(&rd->used);
	return xa_err(old);
}

/* A walk over the pages in their order, within one RCU section: no page of it is freed. */
struct tcm_rd_walk {
	struct tcm_rd	*rd;
	struct xa_state	xas;
	struct page	*page;		/* of xas.xa_index; NULL: there is none */
};

/* The walk may stand in a node that is no longer a part of the tree: look from the top. */
static void tcm_rd_look(struct tcm_rd_walk *walk, unsigned long index)
{
	xas_set(&walk->xas, index);
	do {
		walk->page = xas_load(&walk->xas);
	} while (xas_retry(&walk->xas, walk->page));
}

static void tcm_rd_seek(struct tcm_rd_walk *walk, unsigned long index)
{
	if (index == walk->xas.xa_index && walk->page)
		return;
	if (index == walk->xas.xa_index + 1)
		walk->page = xas_next(&walk->xas);
	else
		tcm_rd_look(walk, index);
	if (unlikely(xas_retry(&walk->xas, walk->page)))
		tcm_rd_look(walk, index);
}

/* Copy within one page. -ENOMEM when a page is needed and there is none right now. */
static int tcm_rd_copy_page(struct tcm_rd_walk *walk, u64 pos, void *mem, size_t len, bool write)
{
	unsigned long index = pos >> PAGE_SHIFT;
	unsigned int off = offset_in_page(pos);

	tcm_rd_seek(walk, index);
	/* An UNMAP may take away what was just made: then it is made again. */
	while (unlikely(write && !walk->page)) {
		int err = tcm_rd_add_page(walk->rd, index, TCM_RD_GFP_ATOMIC);

		if (err)
			return err;
		tcm_rd_look(walk, index);
	}
	if (write)
		memcpy(page_address(walk->page) + off, mem, len);
	else if (walk->page)
		memcpy(mem, page_address(walk->page) + off, len);
	else
		tcm_rd_zero(mem, len);
	return 0;
}

/* Copy between one stretch of the initiator's memory and the pages it falls on. */
static int tcm_rd_copy(struct tcm_rd_walk *walk, u64 pos, void *mem, size_t len, bool write)
{
	while (len) {
		size_t n = min_t(size_t, len, PAGE_SIZE - offset_in_page(pos));
		int err = tcm_rd_copy_page(walk, pos, mem, n, write);

		if (err)
			return err;
		pos += n;
		mem += n;
		len -= n;
	}
	return 0;
}

static int tcm_rd_transfer(struct tcm_rd *rd, struct tcm_io *io)
{
	struct tcm_rd_walk walk = { .rd = rd, .xas = __XA_STATE(&rd->pages, 0, 0, 0) };
	u64 pos = io->pos, end = io->pos + io->len;
	struct scatterlist *sg = io->sg;
	unsigned int skip = io->skip;
	int err = 0;

	rcu_read_lock();
	tcm_rd_look(&walk, pos >> PAGE_SHIFT);
	for (; pos < end && !err; sg = sg_next(sg)) {
		unsigned int len;
		void *mem;

		if (unlikely(skip >= sg->length)) {
			skip -= sg->length;
			continue;
		}
		len = min_t(u64, sg->length - skip, end - pos);
		mem = sg_virt(sg) + skip;
		skip = 0;
		err = tcm_rd_copy(&walk, pos, mem, len, io->write);
		pos += len;
	}
	rcu_read_unlock();
	return err;
}

/* What a device without memory reads: never what is left in the initiator's. */
static void tcm_rd_nothing(const struct tcm_io *io)
{
	struct tcm_sg_walk walk;
	u32 len;

	for (tcm_sg_start(&walk, io->sg, io->skip, io->len); walk.left;
	     tcm_sg_advance(&walk, len)) {
		len = tcm_sg_len(&walk);
		tcm_rd_zero(sg_virt(walk.sg) + walk.skip, len);
	}
}

/* Make every page that a write needs; how long that takes is up to reclaim. */
static int tcm_rd_populate(struct tcm_rd *rd, const struct tcm_io *io)
{
	unsigned long index, last = (io->pos + io->len - 1) >> PAGE_SHIFT;
	int err;

	for (index = io->pos >> PAGE_SHIFT; index <= last; index++) {
		if (xa_load(&rd->pages, index))
			continue;
		err = tcm_rd_add_page(rd, index, TCM_RD_GFP_SLEEP);
		if (err)
			return err;
	}
	return 0;
}

static void tcm_rd_retry_work(struct work_struct *work)
{
	struct tcm_rd_retry *retry = container_of(work, struct tcm_rd_retry, work);
	struct tcm_io *io = retry->io;
	struct tcm_rd *rd = io->dev->priv;
	int err;

	/* Only an UNMAP of the same blocks meanwhile can make the second step fail. */
	err = tcm_rd_populate(rd, io);
	if (!err)
		err = tcm_rd_transfer(rd, io);
	tcm_io_done(io, tcm_sense_from_errno(err == -ENOMEM ? -ENOSPC : err, true));
}

static void tcm_rd_submit(struct tcm_io *io)
{
	struct tcm_rd *rd = io->dev->priv;
	struct tcm_rd_retry *retry = (void *)io->scratch;

	if (rd->nullio) {
		if (!io->write)
			tcm_rd_nothing(io);
		tcm_io_done(io, TCM_OK);
		return;
	}
	if (likely(!tcm_rd_transfer(rd, io))) {
		tcm_io_done(io, TCM_OK);
		return;
	}
	/* No memory without waiting for it: where that is allowed. */
	INIT_WORK(&retry->work, tcm_rd_retry_work);
	retry->io = io;
	queue_work(tcm_rd_wq, &retry->work);
}

static void tcm_rd_free_page(struct rcu_head *rcu)
{
	__free_page(container_of(rcu, struct page, rcu_head));
}

/* Zero a part of a page, if there is one. */
static void tcm_rd_zero_part(struct tcm_rd *rd, u64 pos, size_t len)
{
	struct page *page;

	rcu_read_lock();
	page = xa_load(&rd->pages, pos >> PAGE_SHIFT);
	if (page)
		memset(page_address(page) + offset_in_page(pos), 0, len);
	rcu_read_unlock();
}

static void tcm_rd_drop_page(struct tcm_rd *rd, unsigned long index)
{
	struct page *page = xa_erase_irq(&rd->pages, index);

	if (!page)
		return;
	atomic_long_dec(&rd->used);
	call_rcu(&page->rcu_head, tcm_rd_free_page);
}

/* Make [pos, end) read as zeros; give back whole pages if @drop. May sleep. */
static void tcm_rd_clear(struct tcm_rd *rd, u64 pos, u64 end, bool drop)
{
	unsigned long index, first = DIV_ROUND_UP_ULL(pos, PAGE_SIZE), last = end >> PAGE_SHIFT;
	unsigned int seen = 0;
	struct page *page;

	if (first > last) {
		tcm_rd_zero_part(rd, pos, end - pos);
		return;
	}
	if (offset_in_page(pos))
		tcm_rd_zero_part(rd, pos, PAGE_SIZE - offset_in_page(pos));
	if (first < last) {
		xa_for_each_range(&rd->pages, index, page, first, last - 1) {
			if (drop)
				tcm_rd_drop_page(rd, index);
			else
				tcm_rd_zero_part(rd, (u64)index << PAGE_SHIFT, PAGE_SIZE);
			if (!(++seen % TCM_RD_BATCH))
				cond_resched();
		}
	}
	if (offset_in_page(end))
		tcm_rd_zero_part(rd, (u64)last << PAGE_SHIFT, offset_in_page(end));
}

static void tcm_rd_unmap(struct tcm_io *io)
{
	struct tcm_rd *rd = io->dev->priv;

	if (!rd->nullio)
		tcm_rd_clear(rd, io->pos, io->pos + io->len, true);
	tcm_io_done(io, TCM_OK);
}

static void tcm_rd_write_zeroes(struct tcm_io *io)
{
	struct tcm_rd *rd = io->dev->priv;

	if (!rd->nullio)
		tcm_rd_clear(rd, io->pos, io->pos + io->len, io->flags & TCM_IO_MAY_UNMAP);
	tcm_io_done(io, TCM_OK);
}

/* Pages that are looked at for one answer; the core asks again for what is behind them. */
#define TCM_RD_STATUS_PAGES	16384

static void tcm_rd_lba_status(struct tcm_io *io)
{
	struct tcm_rd *rd = io->dev->priv;
	unsigned long first = io->pos >> PAGE_SHIFT, last = (io->pos + io->len - 1) >> PAGE_SHIFT;
	unsigned long index = first, end;
	u64 stop;

	if (rd->nullio) {
		tcm_io_done(io, TCM_OK);
		return;
	}
	if (xa_load(&rd->pages, first)) {
		last = min(last, first + TCM_RD_STATUS_PAGES);
		for (end = first + 1; end <= last && xa_load(&rd->pages, end); end++)
			;
	} else {
		io->flags |= TCM_IO_UNMAPPED;
		end = xa_find(&rd->pages, &index, last, XA_PRESENT) ? index : last + 1;
		/* It came in between. */
		end = max(end, first + 1);
	}
	stop = min_t(u64, (u64)end << PAGE_SHIFT, io->pos + io->len);
	io->len = stop - io->pos;
	tcm_io_done(io, TCM_OK);
}

static int tcm_rd_pi_open(struct tcm_device *dev)
{
	struct tcm_rd *rd = dev->priv;

	/* What is read is not what was written: no guard would be right. */
	return rd->nullio ? -ENOSYS : 0;
}

static void tcm_rd_pi_close(struct tcm_device *dev)
{
	struct tcm_rd *rd = dev->priv;
	unsigned long index;
	struct page *page;

	xa_for_each(&rd->pi, index, page) {
		xa_erase_irq(&rd->pi, index);
		call_rcu(&page->rcu_head, tcm_rd_free_page);
		if (!(index % TCM_RD_BATCH))
			cond_resched();
	}
}

/* Make the page of an index, of all ones, unless it is there. May wait for memory. */
static int tcm_rd_add_pi_page(struct tcm_rd *rd, unsigned long index)
{
	struct page *page;
	void *old;

	if (!tcm_rd_may_grow(rd, TCM_RD_GFP_SLEEP))
		return -ENOMEM;
	page = alloc_page(TCM_RD_GFP_SLEEP);
	if (!page)
		return -ENOMEM;
	memset(page_address(page), 0xff, PAGE_SIZE);
	old = xa_cmpxchg_irq(&rd->pi, index, NULL, page, TCM_RD_GFP_SLEEP);
	if (old)
		__free_page(page);
	return xa_err(old);
}

/* Copy within one page of protection information. False: it is not there, and is needed. */
static bool tcm_rd_copy_pi(struct tcm_rd *rd, u64 pos, void *mem, size_t len, bool write)
{
	struct page *page;
	bool done = true;

	rcu_read_lock();
	page = xa_load(&rd->pi, pos >> PAGE_SHIFT);
	if (page && write)
		memcpy(page_address(page) + offset_in_page(pos), mem, len);
	else if (page)
		memcpy(mem, page_address(page) + offset_in_page(pos), len);
	else if (write)
		done = !memchr_inv(mem, 0xff, len);
	else
		memset(mem, 0xff, len);
	rcu_read_unlock();
	return done;
}

static int tcm_rd_pi_transfer(struct tcm_rd *rd, struct tcm_io *io)
{
	u64 pos = io->pos, end = io->pos + io->len;
	struct sg_mapping_iter it;
	int err = 0;

	sg_miter_start(&it, io->sg, sg_nents(io->sg), SG_MITER_TO_SG | SG_MITER_FROM_SG);
	while (!err && pos < end && sg_miter_next(&it)) {
		it.consumed = min3((u64)it.length, end - pos, PAGE_SIZE - offset_in_page(pos));
		while (!err && !tcm_rd_copy_pi(rd, pos, it.addr, it.consumed, io->write))
			err = tcm_rd_add_pi_page(rd, pos >> PAGE_SHIFT);
		pos += it.consumed;
	}
	sg_miter_stop(&it);
	return err;
}

static void tcm_rd_pi_io(struct tcm_io *io)
{
	int err = tcm_rd_pi_transfer(io->dev->priv, io);

	tcm_io_done(io, tcm_sense_from_errno(err == -ENOMEM ? -ENOSPC : err, true));
}

/* What the host may still lose to us, by the rule of tcm_rd_may_grow() */
static int tcm_rd_space(struct tcm_device *dev, struct tcm_space *space)
{
	long left = si_mem_available() - (long)(totalram_pages() / TCM_RD_RESERVE);
	struct tcm_rd *rd = dev->priv;

	space->used = (u64)atomic_long_read(&rd->used) << PAGE_SHIFT;
	space->available = (u64)max(left, 0L) << PAGE_SHIFT;
	return 0;
}

static struct tcm_backend_ops tcm_rd_ops = {
	.name		= "rd_mcp",
	.product	= "RAMDISK-MCP",
	.owner		= THIS_MODULE,
	.flags		= TCM_BE_ATOMIC | TCM_BE_ZERO_IN_PLACE,
	.create		= tcm_rd_create,
	.destroy	= tcm_rd_destroy,
	.parse		= tcm_rd_parse,
	.open		= tcm_rd_open,
	.close		= tcm_rd_close,
	.info		= tcm_rd_info,
	.capacity	= tcm_rd_capacity,
	.space		= tcm_rd_space,
	.submit		= tcm_rd_submit,
	.unmap		= tcm_rd_unmap,
	.write_zeroes	= tcm_rd_write_zeroes,
	.lba_status	= tcm_rd_lba_status,
	.pi_open	= tcm_rd_pi_open,
	.pi_close	= tcm_rd_pi_close,
	.pi_io		= tcm_rd_pi_io,
};

static int __init tcm_rd_init(void)
{
	int err;

	/* A local disk of ours may be what memory is written to when it is short. */
	tcm_rd_wq = alloc_workqueue("tcm_rd", WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!tcm_rd_wq)
		return -ENOMEM;
	err = tcm_backend_register(&tcm_rd_ops);
	if (err)
		destroy_workqueue(tcm_rd_wq);
	return err;
}

static void __exit tcm_rd_exit(void)
{
	tcm_backend_unregister(&tcm_rd_ops);
	destroy_workqueue(tcm_rd_wq);
	/* Pages that UNMAP freed: their callback is code of this module. */
	rcu_barrier();
}

module_init(tcm_rd_init);
module_exit(tcm_rd_exit);
MODULE_DESCRIPTION("TCM ramdisk backend");
MODULE_ALIAS("target_core_rd_mcp");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
