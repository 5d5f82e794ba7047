// SPDX-License-Identifier: GPL-2.0-only
/*
 * Pass-through: any device of the SCSI layer (disk, tape, changer, optical drive,
 * enclosure) as a logical unit. Commands, data and sense data go to and from the device
 * as they are; the target answers only REPORT LUNS.
 */
#include <linux/kstrtox.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <scsi/scsi_host.h>
#include "pscsi.h"

struct workqueue_struct *tcm_pscsi_wq;

static int tcm_pscsi_create(struct tcm_device *dev)
{
	struct tcm_pscsi *ps = kzalloc(sizeof(*ps), GFP_KERNEL);

	if (!ps)
		return -ENOMEM;
	ps->dev = dev;
	ps->host_id = -1;
	ps->channel_id = -1;
	ps->target_id = -1;
	ps->lun_id = -1;
	spin_lock_init(&ps->lock);
	INIT_LIST_HEAD(&ps->waiting);
	INIT_WORK(&ps->work, tcm_pscsi_work);
	dev->priv = ps;
	return 0;
}

static void tcm_pscsi_destroy(struct tcm_device *dev)
{
	struct tcm_pscsi *ps = dev->priv;

	kfree(ps->ids);
	kfree(ps);
}

static int tcm_pscsi_parse(struct tcm_device *dev, const char *key, char *value)
{
	struct tcm_pscsi *ps = dev->priv;
	int err, n, *where;

	if (!strcmp(key, "scsi_host_id")) {
		if (dev->hba->physical)
			return -EINVAL;
		where = &ps->host_id;
	} else if (!strcmp(key, "scsi_channel_id")) {
		where = &ps->channel_id;
	} else if (!strcmp(key, "scsi_target_id")) {
		where = &ps->target_id;
	} else if (!strcmp(key, "scsi_lun_id")) {
		where = &ps->lun_id;
	} else {
		return -ENOENT;
	}
	err = kstrtoint(value, 0, &n);
	if (err)
		return err;
	if (n < 0)
		return -EINVAL;
	*where = n;
	return 0;
}

static int tcm_pscsi_set_physical(struct tcm_hba *hba, bool physical)
{
	if (!physical) {
		scsi_host_put(hba->priv);
		hba->priv = NULL;
		return 0;
	}
	hba->priv = scsi_host_lookup(hba->number);
	return hba->priv ? 0 : -EINVAL;
}

/* The host the device is on, with a reference. */
static struct Scsi_Host *tcm_pscsi_host(struct tcm_pscsi *ps)
{
	struct tcm_hba *hba = ps->dev->hba;
	struct Scsi_Host *host;
	int err;

	if (ps->host_id >= 0) {
		if (READ_ONCE(hba->physical))
			return ERR_PTR(-EEXIST);
		host = scsi_host_lookup(ps->host_id);
		return host ?: ERR_PTR(-EINVAL);
	}
	/* The way of the first version: the directory's number is the host's. */
	err = tcm_hba_make_physical(hba);
	if (err)
		return ERR_PTR(err == -EINVAL ? -ENODEV : err);
	ps->physical = true;
	return scsi_host_get(hba->priv) ?: ERR_PTR(-ENODEV);
}

static bool tcm_pscsi_is_disk(const struct scsi_device *sdev)
{
	return sdev->type == TYPE_DISK || sdev->type == TYPE_ZBC;
}

/*
 * Nobody else on this machine shall mount a disk that initiators write to. A drive without a
 * medium, or with one that is write protected, is claimed all the same.
 */
static int tcm_pscsi_claim(struct tcm_pscsi *ps)
{
	struct tcm_device *dev = ps->dev;
	int err;

	err = tcm_bdev_claim(&ps->claim, dev->udev_path, true, ps);
	if (err == -EROFS || err == -EACCES)
		err = tcm_bdev_claim(&ps->claim, dev->udev_path, false, ps);
	if (err)
		return err;
	if (disk_to_dev(ps->claim.bdev->bd_disk)->parent == &ps->sdev->sdev_gendev)
		return 0;
	pr_warn("tcm: device %s: %s is not the disk of %s\n", dev->name, dev->udev_path,
		dev_name(&ps->sdev->sdev_gendev));
	tcm_bdev_close(&ps->claim);
	return -EINVAL;
}

static void tcm_pscsi_limits(struct tcm_pscsi *ps)
{
	struct scsi_device *sdev = ps->sdev;
	struct request_queue *q = sdev->request_queue;
	u32 sectors = min(sdev->host->max_sectors, queue_max_hw_sectors(q));
	u32 block = sdev->sector_size;
	u64 bytes;

	/* Tapes have blocks of any size and a drive without a medium none at all. */
	if (block < 512)
		block = 512;
	sectors = round_down(sectors, PAGE_SIZE / SECTOR_SIZE);
	bytes = min_t(u64, (u64)sectors << SECTOR_SHIFT,
		      (u64)queue_max_segments(q) *
		      min_t(u32, queue_max_segment_size(q), PAGE_SIZE << PAGE_ALLOC_COSTLY_ORDER));
	ps->max_bytes = min_t(u64, bytes, round_down(U32_MAX, PAGE_SIZE));
	ps->block_size = block;
	ps->dev->limits = (struct tcm_limits) {
		.block_size	= block,
		.max_sectors	= block == 512 ? sectors :
				  div_u64((u64)sectors << SECTOR_SHIFT, block),
		.queue_depth	= sdev->queue_depth,
	};
}

/* The strings of the device, padded with blanks as it sends them. */
static void tcm_pscsi_strings(struct tcm_pscsi *ps)
{
	struct tcm_device *dev = ps->dev;

	snprintf(dev->vendor, sizeof(dev->vendor), "%-8.8s", ps->sdev->vendor ?: "");
	snprintf(dev->product, sizeof(dev->product), "%-16.16s", ps->sdev->model ?: "");
	snprintf(dev->revision, sizeof(dev->revision), "%-4.4s", ps->sdev->rev ?: "");
}

static int tcm_pscsi_open(struct tcm_device *dev)
{
	struct tcm_pscsi *ps = dev->priv;
	struct Scsi_Host *host;
	int err = 0;

	if (ps->channel_id < 0 || ps->target_id < 0 || ps->lun_id < 0)
		return -EINVAL;
	if (!dev->hba->physical && !dev->udev_path[0])
		return -EINVAL;
	host = tcm_pscsi_host(ps);
	if (IS_ERR(host))
		return PTR_ERR(host);
	ps->sdev = scsi_device_lookup(host, ps->channel_id, ps->target_id, ps->lun_id);
	scsi_host_put(host);
	if (!ps->sdev)
		return -ENODEV;
	if (tcm_pscsi_is_disk(ps->sdev))
		err = tcm_pscsi_claim(ps);
	if (err)
		goto put_sdev;
	err = tcm_pscsi_id_read(ps);
	if (err)
		goto unclaim;
	tcm_pscsi_strings(ps);
	tcm_pscsi_limits(ps);
	dev->type = ps->sdev->type;
	/* What a tape or changer did once is not done again because a cable was loose. */
	ps->retries = dev->type == TYPE_TAPE || dev->type == TYPE_MEDIUM_CHANGER ? 0 : 3;
	return 0;

unclaim:
	if (ps->claim.bdev)
		tcm_bdev_close(&ps->claim);
put_sdev:
	scsi_device_put(ps->sdev);
	ps->sdev = NULL;
	return err;
}

static void tcm_pscsi_close(struct tcm_device *dev)
{
	struct tcm_pscsi *ps = dev->priv;

	flush_work(&ps->work);
	if (ps->claim.bdev)
		tcm_bdev_close(&ps->claim);
	scsi_device_put(ps->sdev);
	ps->sdev = NULL;
}

static ssize_t tcm_pscsi_info(struct tcm_device *dev, char *buf, size_t size)
{
	struct tcm_pscsi *ps = dev->priv;
	char host[16] = "PHBA Mode";
	ssize_t len;

	if (!ps->physical && !dev->hba->physical)
		snprintf(host, sizeof(host), "%d", max(ps->host_id, 0));
	len = scnprintf(buf, size, "SCSI Device Bus Location: Channel ID: %d Target ID: %d ",
			max(ps->channel_id, 0), max(ps->target_id, 0));
	len += scnprintf(buf + len, size - len, "LUN: %d Host ID: %s\n", max(ps->lun_id, 0), host);
	if (test_bit(TCM_DEV_CONFIGURED, &dev->flags))
		len += scnprintf(buf + len, size - len, "        Vendor: %s Model: %s Rev: %s\n",
				 dev->vendor, dev->product, dev->revision);
	return len;
}

static struct tcm_backend_ops tcm_pscsi_ops = {
	.name		= "pscsi",
	.owner		= THIS_MODULE,
	.flags		= TCM_BE_PASSTHROUGH,
	.create		= tcm_pscsi_create,
	.destroy	= tcm_pscsi_destroy,
	.parse		= tcm_pscsi_parse,
	.open		= tcm_pscsi_open,
	.close		= tcm_pscsi_close,
	.info		= tcm_pscsi_info,
	.pass		= tcm_pscsi_pass,
	.ident		= tcm_pscsi_id_show,
	.set_physical	= tcm_pscsi_set_physical,
};

static int __init tcm_pscsi_init(void)
{
	int err;

	tcm_pscsi_wq = alloc_workqueue("tcm_pscsi", WQ_UNBOUND | WQ_MEM_RECLAIM, 0);
	if (!tcm_pscsi_wq)
		return -ENOMEM;
	err = tcm_backend_register(&tcm_pscsi_ops);
	if (err)
		destroy_workqueue(tcm_pscsi_wq);
	return err;
}

static void __exit tcm_pscsi_exit(void)
{
	tcm_backend_unregister(&tcm_pscsi_ops);
	destroy_workqueue(tcm_pscsi_wq);
}

module_init(tcm_pscsi_init);
module_exit(tcm_pscsi_exit);
MODULE_DESCRIPTION("TCM pass-through backend");
MODULE_LICENSE("GPL");
MODULE_VERSION("5.0.0");
