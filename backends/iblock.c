// SPDX-License-Identifier: GPL-2.0-only
/*
 * A block device as the medium: configuration, limits, and the watch over what may
 * happen to it. The accesses are in iblock_io.c.
 */
#include <linux/blk-mq.h>
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include "iblock.h"

/* How long a new device waits for a removed one that has the same disk. */
#define TCM_IBLOCK_CLOSING	(3 * HZ / 4)

/* protects tcm_iblock_claims */
static DEFINE_SPINLOCK(tcm_iblock_claims_lock);
static LIST_HEAD(tcm_iblock_claims);
static DECLARE_WAIT_QUEUE_HEAD(tcm_iblock_claims_wait);

static int tcm_iblock_create(struct tcm_device *dev)
{
	struct tcm_iblock *ib = kzalloc(sizeof(*ib), GFP_KERNEL);

	if (!ib)
		return -ENOMEM;
	ib->dev = dev;
	dev->priv = ib;
	return 0;
}

static void tcm_iblock_destroy(struct tcm_device *dev)
{
	kfree(dev->priv);
}

static int tcm_iblock_parse_path(struct tcm_iblock *ib, const char *value)
{
	if (test_bit(TCM_IBLOCK_OPEN, &ib->flags))
		return -EEXIST;
	if (!*value || strscpy(ib->path, value, sizeof(ib->path)) < 0)
		return -EINVAL;
	return 0;
}

static int tcm_iblock_parse(struct tcm_device *dev, const char *key, char *value)
{
	struct tcm_iblock *ib = dev->priv;
	unsigned long n;
	int err, force;

	if (!strcmp(key, "udev_path"))
		return tcm_iblock_parse_path(ib, value);
	if (!strcmp(key, "force"))
		return kstrtoint(value, 0, &force);
	if (strcmp(key, "readonly") && strcmp(key, "exclusive"))
		return -ENOENT;
	err = kstrtoul(value, 0, &n);
	/* An open disk stays as it was opened. */
	if (err || test_bit(TCM_IBLOCK_OPEN, &ib->flags))
		return err;
	if (!strcmp(key, "readonly"))
		ib->readonly = n;
	else
		ib->shared = !n;
	return 0;
}

static void tcm_iblock_gone(struct tcm_iblock *ib)
{
	if (!test_and_set_bit(TCM_IBLOCK_GONE, &ib->flags))
		tcm_device_event(ib->dev, TCM_DEV_GONE);
}

void tcm_iblock_check(struct tcm_iblock *ib)
{
	struct block_device *bdev = ib->bd.bdev;
	u64 sectors = bdev_nr_sectors(bdev);

	/* A disk that is removed is marked dead before its capacity becomes 0. */
	smp_rmb();
	if (test_bit(GD_DEAD, &bdev->bd_disk->state)) {
		tcm_iblock_gone(ib);
	} else if (sectors != READ_ONCE(ib->sectors)) {
		WRITE_ONCE(ib->sectors, sectors);
		tcm_device_event(ib->dev, TCM_DEV_RESIZED);
	}
}

/*
 * A write cache that came or went: another table of device mapper, or somebody told the disk. What
 * was written since it came was taken for stable, and goes there now.
 */
static void tcm_iblock_check_cache(struct tcm_iblock *ib)
{
	struct block_device *bdev = ib->bd.bdev;
	struct tcm_limits *lim = &ib->dev->limits;
	bool cache = bdev_write_cache(bdev);

	if (likely(cache == lim->write_cache))
		return;
	if (cache)
		WRITE_ONCE(lim->late_cache, true);
	WRITE_ONCE(lim->write_cache, cache);
	tcm_device_event(ib->dev, TCM_DEV_CACHE);
	if (cache && blkdev_issue_flush(bdev))
		tcm_device_flush_failed(ib->dev, TCM_WRITE_ERROR);
}

static void tcm_iblock_poll(struct tcm_device *dev)
{
	struct tcm_iblock *ib = dev->priv;

	tcm_iblock_check(ib);
	if (!test_bit(TCM_IBLOCK_GONE, &ib->flags))
		tcm_iblock_check_cache(ib);
}

/* The disk is being removed; the claim keeps @ib. */
static void tcm_iblock_mark_dead(struct block_device *bdev, bool surprise)
{
	tcm_iblock_gone(bdev->bd_holder);
	tcm_bdev_mark_dead_done(bdev);
}

static const struct blk_holder_ops tcm_iblock_holder_ops = {
	.mark_dead = tcm_iblock_mark_dead,
};

static u32 tcm_iblock_max_sectors(struct block_device *bdev)
{
	u32 bs = bdev_logical_block_size(bdev), max = queue_max_hw_sectors(bdev_get_queue(bdev));

	if (TCM_MAX_SECTORS_SCALED)
		max /= bs / SECTOR_SIZE;
	return max(1U, round_down(max, max_t(u32, 1, PAGE_SIZE / bs)));
}

/*
 * Does submitting to it wait, whatever the bio says? A driver that sleeps in its dispatch does, and
 * what is stacked may have one of them below.
 */
static bool tcm_iblock_waits(struct block_device *bdev)
{
	struct request_queue *q = bdev_get_queue(bdev);

	return !queue_is_mq(q) || (q->tag_set->flags & BLK_MQ_F_BLOCKING) || !bdev_nowait(bdev);
}

static void tcm_iblock_limits(struct tcm_iblock *ib)
{
	struct block_device *bdev = ib->bd.bdev;
	struct request_queue *q = bdev_get_queue(bdev);
	u32 bs = bdev_logical_block_size(bdev), sectors = bs / SECTOR_SIZE;
	u32 zeroes = bdev_write_zeroes_sectors(bdev) / sectors;
	int align = bdev_alignment_offset(bdev);

	ib->dev->limits = (struct tcm_limits) {
		.block_size		= bs,
		.max_sectors		= tcm_iblock_max_sectors(bdev),
		.queue_depth		= q->nr_requests,
		.phys_block_exp		= ilog2(bdev_physical_block_size(bdev) / bs),
		.align_offset		= align > 0 ? align / bs : 0,
		.io_min			= bdev_io_min(bdev),
		.io_opt			= bdev_io_opt(bdev),
		.max_unmap_lba		= bdev_max_discard_sectors(bdev) / sectors,
		.max_unmap_desc		= bdev_max_discard_sectors(bdev) ? 1 : 0,
		.unmap_granularity	= max(q->limits.discard_granularity / bs, 1U),
		.unmap_alignment	= bdev_discard_alignment(bdev) / bs,
		.max_write_same		= zeroes ?: 0xffff,
		.unmap_zeroes		= zeroes,
		.nonrot			= bdev_nonrot(bdev),
		.pi_type		= tcm_iblock_pi_type(bdev),
		.pr_pass		= tcm_iblock_pr_pass(bdev),
		.waits			= tcm_iblock_waits(bdev) ? TCM_WAITS_ALWAYS : 0,
		.write_cache		= bdev_write_cache(bdev),
		.read_only		= ib->readonly,
	};
	ib->addr_mask = bdev_dma_alignment(bdev);
	ib->len_mask = bs - 1;
}

/* -EACCES says many things: tell a read-only disk from the others. */
static bool tcm_iblock_is_read_only(const struct tcm_iblock *ib)
{
	struct tcm_bdev bd;
	bool ro;

	if (tcm_bdev_open(&bd, ib->path, false, NULL, NULL))
		return false;
	ro = bdev_read_only(bd.bdev);
	tcm_bdev_close(&bd);
	return ro;
}

/* Is it one of our own, whose directory was removed, that still holds the disk? */
static bool tcm_iblock_closing(dev_t devt)
{
	struct tcm_iblock *ib;
	bool found = false;

	spin_lock(&tcm_iblock_claims_lock);
	list_for_each_entry(ib, &tcm_iblock_claims, node)
		if (ib->devt == devt && !READ_ONCE(ib->dev->hba))
			found = true;
	spin_unlock(&tcm_iblock_claims_lock);
	return found;
}

/*
 * A removed device gives its disk back when its last command has ended, shortly after
 * rmdir returned. Who creates it anew at once waits for that, but not for a disk that hangs.
 */
static void tcm_iblock_wait_closed(const struct tcm_iblock *ib)
{
	dev_t devt;

	if (lookup_bdev(ib->path, &devt))
		return;
	if (!wait_event_killable_timeout(tcm_iblock_claims_wait, !tcm_iblock_closing(devt),
					 TCM_IBLOCK_CLOSING))
		pr_warn("tcm: device %s: %s is held by a removed device whose I/O has not ended\n",
			ib->dev->name, ib->path);
}

static int tcm_iblock_claim(struct tcm_iblock *ib)
{
	return tcm_bdev_open(&ib->bd, ib->path, !ib->readonly, ib->shared ? NULL : ib,
			     &tcm_iblock_holder_ops);
}

static int tcm_iblock_open(struct tcm_device *dev)
{
	struct tcm_iblock *ib = dev->priv;
	int err;

	if (!ib->path[0])
		return -EINVAL;
	err = tcm_iblock_claim(ib);
	if (err == -EBUSY) {
		tcm_iblock_wait_closed(ib);
		err = tcm_iblock_claim(ib);
	}
	if (err == -EACCES && !ib->readonly && tcm_iblock_is_read_only(ib))
		err = -EROFS;
	if (err)
		return err;
	ib->devt = ib->bd.bdev->bd_dev;
	ib->sectors = bdev_nr_sectors(ib->bd.bdev);
	tcm_iblock_limits(ib);
	spin_lock(&tcm_iblock_claims_lock);
	list_add(&ib->node, &tcm_iblock_claims);
	spin_unlock(&tcm_iblock_claims_lock);
	set_bit(TCM_IBLOCK_OPEN, &ib->flags);
	return 0;
}

static void tcm_iblock_close(struct tcm_device *dev)
{
	struct tcm_iblock *ib = dev->priv;

	clear_bit(TCM_IBLOCK_OPEN, &ib->flags);
	tcm_bdev_close(&ib->bd);
	spin_lock(&tcm_iblock_claims_lock);
	list_del(&ib->node);
	spin_unlock(&tcm_iblock_claims_lock);
	wake_up_all(&tcm_iblock_claims_wait);
}

static ssize_t tcm_iblock_info(struct tcm_device *dev, char *buf, size_t size)
{
	struct tcm_iblock *ib = dev->priv;
	bool open = test_bit(TCM_IBLOCK_OPEN, &ib->flags);
	struct block_device *bdev = ib->bd.bdev;
	ssize_t len = 0;

	if (open)
		len += scnprintf(buf, size, "iBlock device: %pg", bdev);
	if (ib->path[0])
		len += scnprintf(buf + len, size - len, "  UDEV PATH: %s", ib->path);
	len += scnprintf(buf + len, size - len, "  readonly: %d", ib->readonly);
	if (ib->shared)
		len += scnprintf(buf + len, size - len, "  exclusive: 0");
	if (open)
		len += scnprintf(buf + len, size - len,
				 "\n        Major: %d Minor: %d  CLAIMED: IBLOCK\n",
				 MAJOR(bdev->bd_dev), MINOR(bdev->bd_dev));
	else
		len += scnprintf(buf + len, size - len, "\n        Major: 0 Minor: 0\n");
	return len;
}

static u64 tcm_iblock_capacity(struct tcm_device *dev)
{
	struct tcm_iblock *ib = dev->priv;

	if (!test_bit(TCM_IBLOCK_OPEN, &ib->flags))
		return 0;
	/* What is gone keeps its last size. */
	if (test_bit(TCM_IBLOCK_GONE, &ib->flags) ||
	    test_bit(GD_DEAD, &ib->bd.bdev->bd_disk->state))
		return READ_ONCE(ib->sectors) << SECTOR_SHIFT;
	return bdev_nr_bytes(ib->bd.bdev);
}

static struct tcm_backend_ops tcm_iblock_ops = {
	.name		= "iblock",
	.product	= "IBLOCK",
	.owner		= THIS_MODULE,
	.flags		= TCM_BE_OWN_CACHE | TCM_BE_NOWAIT,
	.create		= tcm_iblock_create,
	.destroy	= tcm_iblock_destroy,
	.parse		= tcm_iblock_parse,
	.open		= tcm_iblock_open,
	.close		= tcm_iblock_close,
	.info		= tcm_iblock_info,
	.capacity	= tcm_iblock_capacity,
	.poll		= tcm_iblock_poll,
	.submit		= tcm_iblock_submit,
	.flush		= tcm_iblock_flush,
	.unmap		= tcm_iblock_unmap,
	.write_zeroes	= tcm_iblock_write_zeroes,
	.pi_submit	= tcm_iblock_pi_submit,
	.pr_out		= tcm_iblock_pr_out,
	.pr_keys	= tcm_iblock_pr_keys,
	.pr_holder	= tcm_iblock_pr_holder,
};

static int __init tcm_iblock_init(void)
{
	int err;

	err = tcm_iblock_io_init();
	if (err)
		return err;
	err = tcm_iblock_error_init();
	if (err)
		goto exit_io;
	err = tcm_iblock_pi_init();
	if (err)
		goto exit_error;
	err = tcm_backend_register(&tcm_iblock_ops);
	if (err)
		goto exit_pi;
	return 0;

exit_pi:
	tcm_iblock_pi_exit();
exit_error:
	tcm_iblock_error_exit();
exit_io:
	tcm_iblock_io_exit();
	return err;
}

static void __exit tcm_iblock_exit(void)
{
	tcm_backend_unregister(&tcm_iblock_ops);
	tcm_iblock_pi_exit();
	tcm_iblock_error_exit();
	tcm_iblock_io_exit();
}

module_init(tcm_iblock_init);
module_exit(tcm_iblock_exit);
MODULE_DESCRIPTION("TCM block device backend");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
