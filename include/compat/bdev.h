/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Exclusive open of a block device. 6.8 made the handle a struct file; before, it is
 * the block device and the mode it was opened with.
 */
#ifndef _TCM_COMPAT_BDEV_H
#define _TCM_COMPAT_BDEV_H

#include <linux/blkdev.h>
#include <linux/err.h>
#include <linux/file.h>

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 12, 0)

struct tcm_bdev {
	struct block_device	*bdev;
	struct file		*file;
};

static inline int tcm_bdev_open(struct tcm_bdev *b, const char *path, bool write, bool nodelay,
				void *holder)
{
	blk_mode_t mode = BLK_OPEN_READ | (write ? BLK_OPEN_WRITE : 0) |
			  (nodelay ? BLK_OPEN_NDELAY : 0);

	b->file = bdev_file_open_by_path(path, mode, holder, NULL);
	if (IS_ERR(b->file))
		return PTR_ERR(b->file);
	b->bdev = file_bdev(b->file);
	return 0;
}

static inline void tcm_bdev_close(struct tcm_bdev *b)
{
	/* Not fput() alone: the claim is to end now, not when the task work runs. */
	bdev_fput(b->file);
	b->bdev = NULL;
}

#else

struct tcm_bdev {
	struct block_device	*bdev;
	fmode_t			mode;
};

static inline int tcm_bdev_open(struct tcm_bdev *b, const char *path, bool write, bool nodelay,
				void *holder)
{
	struct block_device *bdev;

	b->mode = FMODE_READ | FMODE_EXCL | (write ? FMODE_WRITE : 0) |
		  (nodelay ? FMODE_NDELAY : 0);
	bdev = blkdev_get_by_path(path, b->mode, holder);
	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	b->bdev = bdev;
	return 0;
}

static inline void tcm_bdev_close(struct tcm_bdev *b)
{
	blkdev_put(b->bdev, b->mode);
	b->bdev = NULL;
}

#endif

#endif
