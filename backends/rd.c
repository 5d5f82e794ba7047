// SPDX-License-Identifier: GPL-2.0-only
/*
 * Memory. Thin: a page appears with its first write and goes with UNMAP; what has no
 * page reads as zeros. With rd_nullio nothing is kept and everything reads as zeros.
 */
#include <linux/highmem.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/xarray.h>
#include <tcm/backend.h>

struct tcm_rd {
	struct xarray	pages;		/* page index -> struct page */
	u64		size;		/* bytes */
	unsigned int	rd_pages;
	bool		nullio;
	bool		dummy;
	u32		id;
};

static atomic_t tcm_rd_id = ATOMIC_INIT(0);

static int tcm_rd_create(struct tcm_device *dev)
{
	struct tcm_rd *rd = kzalloc(sizeof(*rd), GFP_KERNEL);

	if (!rd)
		return -ENOMEM;
	xa_init(&rd->pages);
	rd->id = atomic_inc_return(&tcm_rd_id) - 1;
	dev->priv = rd;
	return 0;
}

static void tcm_rd_destroy(struct tcm_device *dev)
{
	struct tcm_rd *rd = dev->priv;
	struct page *page;
	unsigned long index;

	xa_for_each(&rd->pages, index, page)
		__free_page(page);
	xa_destroy(&rd->pages);
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
	dev->limits = (struct tcm_limits) {
		.block_size	= 512,
		.max_sectors	= round_down(U32_MAX, PAGE_SIZE / 512),
		.queue_depth	= 128,
		.nonrot		= true,
	};
	return 0;
}

static void tcm_rd_close(struct tcm_device *dev)
{
}

static ssize_t tcm_rd_info(struct tcm_device *dev, char *buf, size_t size)
{
	struct tcm_rd *rd = dev->priv;

	return scnprintf(buf, size, "TCM RamDisk ID: %u  RamDisk Makeup: rd_mcp\n"
			 "        PAGES/PAGE_SIZE: %u*%lu  SG_table_count: %u  nullio: %d dummy: %d\n",
			 rd->id, rd->rd_pages, PAGE_SIZE, 0, rd->nullio, rd->dummy);
}

static u64 tcm_rd_capacity(struct tcm_device *dev)
{
	struct tcm_rd *rd = dev->priv;

	return rd->size;
}

/* Copy between one stretch of the initiator's memory and the pages it falls on. */
static int tcm_rd_copy(struct tcm_rd *rd, u64 pos, void *mem, unsigned int len, bool write)
{
	while (len) {
		unsigned int off = offset_in_page(pos), n = min_t(unsigned int, len, PAGE_SIZE - off);
		struct page *page = xa_load(&rd->pages, pos >> PAGE_SHIFT), *other;

		if (!page && write) {
			page = alloc_page(GFP_NOWAIT | __GFP_ZERO | __GFP_NOWARN);
			if (!page)
				return -ENOSPC;
			other = xa_cmpxchg(&rd->pages, pos >> PAGE_SHIFT, NULL, page,
					   GFP_NOWAIT | __GFP_NOWARN);
			if (other) {
				__free_page(page);
				if (xa_is_err(other))
					return -ENOSPC;
				page = other;
			}
		}
		if (write)
			memcpy(page_address(page) + off, mem, n);
		else if (page)
			memcpy(mem, page_address(page) + off, n);
		else
			memset(mem, 0, n);
		pos += n;
		mem += n;
		len -= n;
	}
	return 0;
}

static void tcm_rd_submit(struct tcm_io *io)
{
	struct tcm_rd *rd = io->dev->priv;
	u64 pos = io->pos, end = io->pos + io->len;
	struct scatterlist *sg = io->sg;
	unsigned int skip = io->skip;
	int err = 0;

	if (rd->nullio && io->write)
		goto done;
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
		if (rd->nullio)
			memset64(mem, 0, len / 8);
		else
			err = tcm_rd_copy(rd, pos, mem, len, io->write);
		pos += len;
	}
done:
	tcm_io_done(io, tcm_sense_from_errno(err, io->write));
}

static struct tcm_backend_ops tcm_rd_ops = {
	.name		= "rd_mcp",
	.product	= "RAMDISK-MCP",
	.owner		= THIS_MODULE,
	.flags		= TCM_BE_ATOMIC,
	.create		= tcm_rd_create,
	.destroy	= tcm_rd_destroy,
	.parse		= tcm_rd_parse,
	.open		= tcm_rd_open,
	.close		= tcm_rd_close,
	.info		= tcm_rd_info,
	.capacity	= tcm_rd_capacity,
	.submit		= tcm_rd_submit,
};

static int __init tcm_rd_init(void)
{
	return tcm_backend_register(&tcm_rd_ops);
}

static void __exit tcm_rd_exit(void)
{
	tcm_backend_unregister(&tcm_rd_ops);
}

module_init(tcm_rd_init);
module_exit(tcm_rd_exit);
MODULE_DESCRIPTION("TCM ramdisk backend");
MODULE_ALIAS("target_core_rd_mcp");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
