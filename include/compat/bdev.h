/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Block devices opened by path. 6.12 hands out a file and tells the holder when the
 * disk dies; 6.1 hands out the block device and tells nothing.
 */
#ifndef _TCM_COMPAT_BDEV_H
#define _TCM_COMPAT_BDEV_H

#include <linux/blk-integrity.h>
#include <linux/blkdev.h>
#include <linux/file.h>
#include <linux/pr.h>
#include <linux/string.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 12, 0)

#include <linux/nvme.h>
#include <scsi/scsi_proto.h>

/* hw_max_sectors counts 512 byte sectors whatever the block size (configfs contract, section 12) */
#define TCM_MAX_SECTORS_SCALED	0

struct blk_holder_ops {
	void (*mark_dead)(struct block_device *bdev, bool surprise);
};

struct tcm_bdev {
	struct block_device	*bdev;
	fmode_t			mode;
};

static inline int tcm_bdev_open(struct tcm_bdev *b, const char *path, bool write, void *holder,
				const struct blk_holder_ops *hops)
{
	struct block_device *bdev;

	b->mode = FMODE_READ | (write ? FMODE_WRITE : 0) | (holder ? FMODE_EXCL : 0);
	bdev = blkdev_get_by_path(path, b->mode, holder);
	if (IS_ERR(bdev))
		return PTR_ERR(bdev);
	b->bdev = bdev;
	return 0;
}

static inline int tcm_bdev_claim(struct tcm_bdev *b, const char *path, bool write, void *holder)
{
	struct block_device *bdev;

	b->mode = FMODE_READ | (write ? FMODE_WRITE : 0) | FMODE_EXCL | FMODE_NDELAY;
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

static inline void tcm_bdev_mark_dead_done(struct block_device *bdev)
{
}

/* By name: comparing with the profiles themselves would want t10-pi.ko to be there. */
static inline u8 tcm_integrity_type(const struct blk_integrity *bi)
{
	if (!strcmp(bi->profile->name, "T10-DIF-TYPE1-CRC"))
		return 1;
	return strcmp(bi->profile->name, "T10-DIF-TYPE3-CRC") ? 0 : 3;
}

/* 6.5: drivers can be asked who has registered, and how they failed has names */
struct pr_keys {
	u32	generation;
	u32	num_keys;
	u64	keys[];
};

struct pr_held_reservation {
	u64		key;
	u32		generation;
	enum pr_type	type;
};

static inline bool tcm_bdev_pr_reads(const struct pr_ops *ops)
{
	return false;
}

static inline int tcm_bdev_pr_keys(const struct pr_ops *ops, struct block_device *bdev,
				   struct pr_keys *keys)
{
	return -EOPNOTSUPP;
}

static inline int tcm_bdev_pr_holder(const struct pr_ops *ops, struct block_device *bdev,
				     struct pr_held_reservation *held)
{
	return -EOPNOTSUPP;
}

/* The result of a SCSI command, of which the low byte is the status, or the status of NVMe */
static inline bool tcm_bdev_pr_conflict(int ret)
{
	return ret > 0 && ((ret & 0xff) == SAM_STAT_RESERVATION_CONFLICT ||
			   (ret & 0x7ff) == NVME_SC_RESERVATION_CONFLICT);
}

/* A unit attention is left to the caller, who is not told that it was one. */
static inline bool tcm_bdev_pr_again(int ret)
{
	return ret > 0 && (ret & 0xff) == SAM_STAT_CHECK_CONDITION;
}

#else

#define TCM_MAX_SECTORS_SCALED	1

struct tcm_bdev {
	struct block_device	*bdev;
	struct file		*file;
};

/**
 * tcm_bdev_open - open a block device
 * @b: filled in
 * @path: of the device node
 * @write: for writing too; a read-only disk gives -EACCES then
 * @holder: who claims it for itself alone, or NULL
 * @hops: what the holder is told, where the kernel can tell
 *
 * Context: may sleep. Return: 0 or an errno.
 */
static inline int tcm_bdev_open(struct tcm_bdev *b, const char *path, bool write, void *holder,
				const struct blk_holder_ops *hops)
{
	blk_mode_t mode = BLK_OPEN_READ | (write ? BLK_OPEN_WRITE : 0);
	struct file *file = bdev_file_open_by_path(path, mode, holder, holder ? hops : NULL);

	if (IS_ERR(file))
		return PTR_ERR(file);
	b->file = file;
	b->bdev = file_bdev(file);
	return 0;
}

/**
 * tcm_bdev_claim - keep others from a block device
 * @b: filled in
 * @path: of the device node
 * @write: for writing too
 * @holder: who claims it for itself alone
 *
 * Unlike tcm_bdev_open() it does not ask for a medium. Context: may sleep. Return: 0 or
 * an errno.
 */
static inline int tcm_bdev_claim(struct tcm_bdev *b, const char *path, bool write, void *holder)
{
	blk_mode_t mode = BLK_OPEN_READ | (write ? BLK_OPEN_WRITE : 0) | BLK_OPEN_NDELAY;
	struct file *file = bdev_file_open_by_path(path, mode, holder, NULL);

	if (IS_ERR(file))
		return PTR_ERR(file);
	b->file = file;
	b->bdev = file_bdev(file);
	return 0;
}

/*
 * At once and not by a task of its own, as fput() has it: the next open may be one for itself
 * alone, and what is below may be removed next.
 */
static inline void tcm_bdev_close(struct tcm_bdev *b)
{
	__fput_sync(b->file);
	b->bdev = NULL;
}

/* A holder's mark_dead() is entered with the holder lock and leaves without. */
static inline void tcm_bdev_mark_dead_done(struct block_device *bdev)
	__releases(&bdev->bd_holder_lock)
{
	mutex_unlock(&bdev->bd_holder_lock);
}

/**
 * tcm_integrity_type - the protection type of a disk's tuples as the block layer sees them
 * @bi: its integrity profile
 *
 * Type 2 looks like type 1. Return: 1, 3, or 0 when it is not that of T10 with a CRC.
 */
static inline u8 tcm_integrity_type(const struct blk_integrity *bi)
{
	if (bi->csum_type != BLK_INTEGRITY_CSUM_CRC || bi->pi_offset)
		return 0;
	return bi->flags & BLK_INTEGRITY_REF_TAG ? 1 : 3;
}

/* Can the driver be asked for keys and reservation, too? */
static inline bool tcm_bdev_pr_reads(const struct pr_ops *ops)
{
	return ops->pr_read_keys && ops->pr_read_reservation;
}

static inline int tcm_bdev_pr_keys(const struct pr_ops *ops, struct block_device *bdev,
				   struct pr_keys *keys)
{
	return ops->pr_read_keys(bdev, keys);
}

static inline int tcm_bdev_pr_holder(const struct pr_ops *ops, struct block_device *bdev,
				     struct pr_held_reservation *held)
{
	return ops->pr_read_reservation(bdev, held);
}

/* Did a member of struct pr_ops fail for somebody's reservation? */
static inline bool tcm_bdev_pr_conflict(int ret)
{
	return ret == PR_STS_RESERVATION_CONFLICT;
}

/* May it have been a unit attention, which ends a command before it has begun? */
static inline bool tcm_bdev_pr_again(int ret)
{
	return false;
}

#endif

#endif
