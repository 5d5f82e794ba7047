// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file as the medium: configuration and limits. The accesses are in file_io.c and
 * file_range.c, the size in file_size.c.
 *
 * The file is opened with the credentials of who writes `enable`, and every access is
 * made with those.
 */
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/kstrtox.h>
#include <linux/magic.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/stat.h>
#include "file.h"

#define TCM_FILE_BLOCK		512
#define TCM_FILE_MAX_BYTES	(8 << 20)	/* hw_max_sectors; larger accesses work too */
#define TCM_FILE_QUEUE_DEPTH	128
#define TCM_FILE_UNMAP_BLOCKS	8192
#define TCM_FILE_SAME_BLOCKS	4096

static int tcm_file_create(struct tcm_device *dev)
{
	struct tcm_file *f = kzalloc(sizeof(*f), GFP_KERNEL);

	if (!f)
		return -ENOMEM;
	f->dev = dev;
	spin_lock_init(&f->size_lock);
	spin_lock_init(&f->pi_lock);
	mutex_init(&f->pi_grow);
	init_completion(&f->unused);
	/* Numbered below their HBA; mkdir there is serialised by the directory. */
	f->id = (uintptr_t)dev->hba->priv++;
	dev->priv = f;
	return 0;
}

static void tcm_file_destroy(struct tcm_device *dev)
{
	kfree(dev->priv);
}

/* A switch that can only be turned on. */
static int tcm_file_parse_on(const char *value, bool *on)
{
	int n, err = kstrtoint(value, 0, &n);

	if (err)
		return err;
	if (n != 1)
		return -EINVAL;
	*on = true;
	return 0;
}

static int tcm_file_parse(struct tcm_device *dev, const char *key, char *value)
{
	struct tcm_file *f = dev->priv;
	u64 size;
	int err;

	if (!strcmp(key, "fd_dev_name")) {
		/* The file that is open stays what it is. */
		if (f->file)
			return -EEXIST;
		return *value && strscpy(f->fd_dev_name, value, sizeof(f->fd_dev_name)) >= 0 ?
			0 : -EINVAL;
	}
	if (!strcmp(key, "fd_dev_size")) {
		err = kstrtou64(value, 0, &size);
		if (err)
			return err;
		f->fd_dev_size = size;
		if (f->file)
			tcm_file_size_set(f, size);
		return 0;
	}
	if (!strcmp(key, "fd_buffered_io"))
		return tcm_file_parse_on(value, &f->fd_buffered_io);
	if (!strcmp(key, "fd_async_io"))
		return tcm_file_parse_on(value, &f->fd_async_io);
	return -ENOENT;
}

/* What of direct I/O the file can do. A file system that does not say is asked by trying. */
static void tcm_file_direct_limits(struct tcm_file *f)
{
	struct super_block *sb = f->file->f_mapping->host->i_sb;
	struct kstat stat;

	/* fd_buffered_io and fd_async_io: around the page cache, with a write cache reported. */
	f->direct = (!f->fd_buffered_io || f->fd_async_io) && (f->file->f_mode & FMODE_CAN_ODIRECT);
	f->dio_addr_mask = SECTOR_SIZE - 1;
	f->dio_align = SECTOR_SIZE;
	if (f->block) {
		struct block_device *bdev = I_BDEV(f->file->f_mapping->host);

		f->dio_addr_mask = bdev_dma_alignment(bdev);
		f->dio_align = bdev_logical_block_size(bdev);
	} else if (!vfs_getattr(&f->file->f_path, &stat, STATX_DIOALIGN, AT_STATX_SYNC_AS_STAT) &&
		   (stat.result_mask & STATX_DIOALIGN)) {
		if (!stat.dio_offset_align)
			f->direct = false;
		f->dio_addr_mask = max(stat.dio_mem_align, 1U) - 1;
		f->dio_align = max(stat.dio_offset_align, 1U);
	} else if (sb->s_bdev) {
		f->dio_align = bdev_logical_block_size(sb->s_bdev);
	}
}

static void tcm_file_limits(struct tcm_file *f)
{
	struct tcm_limits *lim = &f->dev->limits;

	*lim = (struct tcm_limits) {
		.block_size		= TCM_FILE_BLOCK,
		.max_sectors		= TCM_FILE_MAX_BYTES / TCM_FILE_BLOCK,
		.queue_depth		= TCM_FILE_QUEUE_DEPTH,
		.max_write_same		= TCM_FILE_SAME_BLOCKS,
		.write_cache		= true,
		.cache_off		= !f->fd_buffered_io,
	};
	if (!f->file->f_op->fallocate)
		return;
	/* A hole reads as zeros. */
	lim->max_unmap_lba = TCM_FILE_UNMAP_BLOCKS;
	lim->max_unmap_desc = 1;
	lim->unmap_granularity = 1;
	lim->unmap_zeroes = true;
	lim->counts_space = true;
}

static void tcm_file_block_limits(struct tcm_file *f)
{
	struct block_device *bdev = I_BDEV(f->file->f_mapping->host);
	u32 bs = bdev_logical_block_size(bdev), sectors = bs / SECTOR_SIZE;
	struct queue_limits *q = &bdev_get_queue(bdev)->limits;

	f->dev->limits = (struct tcm_limits) {
		.block_size		= bs,
		.max_sectors		= TCM_FILE_MAX_BYTES / bs,
		.queue_depth		= TCM_FILE_QUEUE_DEPTH,
		.max_unmap_lba		= bdev_max_discard_sectors(bdev) / sectors,
		.max_unmap_desc		= bdev_max_discard_sectors(bdev) ? 1 : 0,
		.unmap_granularity	= max(q->discard_granularity / bs, 1U),
		.unmap_alignment	= bdev_discard_alignment(bdev) / bs,
		.unmap_zeroes		= bdev_write_zeroes_sectors(bdev),
		.max_write_same		= 0xffff,
		.nonrot			= bdev_nonrot(bdev),
		.write_cache		= true,
		.cache_off		= !f->fd_buffered_io,
		.read_only		= bdev_read_only(bdev),
	};
}

static int tcm_file_check(const struct tcm_file *f)
{
	umode_t mode = file_inode(f->file)->i_mode;

	if (!S_ISREG(mode) && !S_ISBLK(mode))
		return -EINVAL;
	if (!f->file->f_op->read_iter || !f->file->f_op->write_iter)
		return -EINVAL;
	if (S_ISREG(mode) && !f->fd_dev_size)
		return -EINVAL;
	return 0;
}

static void tcm_file_unused(struct percpu_ref *ref)
{
	complete(&container_of(ref, struct tcm_file, users)->unused);
}

/*
 * Reads do not move the time of access: that would be a write to the file's own file system, which
 * may be called for by one that is being mounted on this device.
 */
static struct file *tcm_file_open_path(const char *path, int mode)
{
	struct file *file = filp_open(path, mode | O_LARGEFILE | O_NOATIME, 0600);

	/* for the owner of the file only */
	if (file == ERR_PTR(-EPERM))
		file = filp_open(path, mode | O_LARGEFILE, 0600);
	return file;
}

/* What cannot be written is a write protected unit: a file of a file system mounted read only. */
static struct file *tcm_file_open_either(const char *path)
{
	struct file *file = tcm_file_open_path(path, O_RDWR | O_CREAT), *reader;

	if (file != ERR_PTR(-EROFS))
		return file;
	reader = tcm_file_open_path(path, O_RDONLY);
	return IS_ERR(reader) ? file : reader;
}

static int tcm_file_open(struct tcm_device *dev)
{
	struct tcm_file *f = dev->priv;
	struct file *file;
	int err;

	if (!f->fd_dev_name[0])
		return -EINVAL;
	/* Without O_DSYNC: which writes are to be stable is decided for each of them. */
	file = tcm_file_open_either(f->fd_dev_name);
	if (IS_ERR(file))
		return PTR_ERR(file);
	f->file = file;
	err = tcm_file_check(f);
	if (err)
		goto close_file;
	err = percpu_ref_init(&f->users, tcm_file_unused, 0, GFP_KERNEL);
	if (err)
		goto close_file;
	err = -ENOMEM;
	f->wq = alloc_workqueue("tcm_file_%s", WQ_MEM_RECLAIM | WQ_UNBOUND, 0, dev->name);
	if (!f->wq)
		goto exit_users;

	init_llist_head(&f->writes);
	INIT_WORK(&f->write_work, tcm_file_write_work);
	f->block = S_ISBLK(file_inode(file)->i_mode);
	f->memory = file_inode(file)->i_sb->s_magic == TMPFS_MAGIC;
	/* Buffered accesses of a block device wait for its inode's lock all the same. */
	f->nowait = !f->block && file->f_mode & FMODE_NOWAIT;
	f->nowait_write = f->nowait;
	tcm_file_direct_limits(f);
	if (f->block)
		tcm_file_block_limits(f);
	else
		tcm_file_limits(f);
	if (!(file->f_mode & FMODE_WRITE))
		dev->limits.read_only = true;
	/* What the page cache holds is there at once, and that is all. */
	dev->limits.waits = f->nowait && !f->direct && (file->f_flags & O_NOATIME) ?
			    BIT(DMA_TO_DEVICE) : TCM_WAITS_ALWAYS;
	tcm_file_size_begin(f);
	return 0;

exit_users:
	percpu_ref_exit(&f->users);
close_file:
	f->file = NULL;
	fput(file);
	return err;
}

static void tcm_file_close(struct tcm_device *dev)
{
	struct tcm_file *f = dev->priv;

	/* Every access has ended, but who made it may still be on its way out of there. */
	percpu_ref_kill(&f->users);
	while (!wait_for_completion_timeout(&f->unused, 10 * HZ))
		pr_warn("tcm: closing device %s waits for its file system\n", dev->name);
	percpu_ref_exit(&f->users);
	destroy_workqueue(f->wq);
	/* At once and not by a task of its own: the file system may be unmounted next. */
	__fput_sync(f->file);
	f->file = NULL;
}

static ssize_t tcm_file_info(struct tcm_device *dev, char *buf, size_t size)
{
	struct tcm_file *f = dev->priv;

	return scnprintf(buf, size,
			 "TCM FILEIO ID: %u        File: %s  Size: %llu  Mode: %s Async: %d%s\n",
			 f->id, f->fd_dev_name, tcm_file_capacity(dev),
			 f->fd_buffered_io ? "Buffered-WCE" : "O_DSYNC", f->fd_async_io,
			 dev->limits.read_only ? " Read-only" : "");
}

static struct tcm_backend_ops tcm_file_ops = {
	.name		= "fileio",
	.product	= "FILEIO",
	.owner		= THIS_MODULE,
	.flags		= TCM_BE_NOWAIT,
	.create		= tcm_file_create,
	.destroy	= tcm_file_destroy,
	.parse		= tcm_file_parse,
	.open		= tcm_file_open,
	.close		= tcm_file_close,
	.info		= tcm_file_info,
	.capacity	= tcm_file_capacity,
	.poll		= tcm_file_poll,
	.space		= tcm_file_space,
	.submit		= tcm_file_submit,
	.flush		= tcm_file_flush,
	.unmap		= tcm_file_unmap,
	.write_zeroes	= tcm_file_write_zeroes,
	.lba_status	= tcm_file_lba_status,
	.read_ahead	= tcm_file_read_ahead,
	.copy		= tcm_file_copy,
	.pi_open	= tcm_file_pi_open,
	.pi_close	= tcm_file_pi_close,
	.pi_format	= tcm_file_pi_format,
	.pi_io		= tcm_file_pi_io,
	.pi_flush	= tcm_file_pi_flush,
};

static int __init tcm_file_init(void)
{
	int err;

	err = tcm_file_io_init();
	if (err)
		return err;
	err = tcm_backend_register(&tcm_file_ops);
	if (err)
		tcm_file_io_exit();
	return err;
}

static void __exit tcm_file_exit(void)
{
	tcm_backend_unregister(&tcm_file_ops);
	tcm_file_io_exit();
}

module_init(tcm_file_init);
module_exit(tcm_file_exit);
MODULE_DESCRIPTION("TCM file backend");
MODULE_ALIAS("target_core_fileio");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
