// SPDX-License-Identifier: GPL-2.0-only
/*
 * Devices: from mkdir to the later of rmdir and the last LUN's end.
 */
#include <linux/export.h>
#include <linux/slab.h>
#include <linux/wait.h>
#include "alua.h"
#include "attr.h"
#include "device.h"
#include "gate.h"
#include "hop.h"
#include "lu.h"
#include "orphan.h"
#include "poll.h"
#include "pi.h"
#include "pr.h"
#include "range.h"
#include "registry.h"
#include "session.h"
#include "target.h"
#include "task.h"
#include "wipe.h"

/* protects tcm_devices and the counters; a device's lun_lock may be taken below it */
static DEFINE_SPINLOCK(tcm_devices_lock);
static LIST_HEAD(tcm_devices);
static unsigned int tcm_devices_made, tcm_next_dev_index = 1, tcm_next_hba = 1;
/* shared by HBAs and targets' statistics: `inst` is another counter than the HBA index */
static u32 tcm_next_inst = 2;
static DECLARE_WAIT_QUEUE_HEAD(tcm_devices_wait);
static struct workqueue_struct *tcm_device_wq;

int tcm_device_init(void)
{
	int err = tcm_poll_init();

	if (err)
		return err;
	/* A medium that does not close blocks its work item: let there be many. */
	tcm_device_wq = alloc_workqueue("tcm_device", WQ_UNBOUND, WQ_MAX_ACTIVE);
	if (!tcm_device_wq)
		tcm_poll_exit();
	return tcm_device_wq ? 0 : -ENOMEM;
}

void tcm_device_exit(void)
{
	destroy_workqueue(tcm_device_wq);
	tcm_poll_exit();
}

struct tcm_hba *tcm_hba_create(const char *plugin, u32 number)
{
	struct tcm_backend_ops *ops = tcm_backend_get(plugin);
	struct tcm_hba *hba;

	if (!ops)
		return ERR_PTR(-EINVAL);
	hba = kzalloc(sizeof(*hba), GFP_KERNEL);
	if (!hba) {
		tcm_backend_put(ops);
		return ERR_PTR(-ENOMEM);
	}
	hba->ops = ops;
	hba->number = number;
	spin_lock(&tcm_devices_lock);
	hba->index = tcm_next_hba++;
	hba->stat_index = tcm_next_inst++;
	spin_unlock(&tcm_devices_lock);
	return hba;
}

void tcm_hba_destroy(struct tcm_hba *hba)
{
	if (hba->physical)
		hba->ops->set_physical(hba, false);
	tcm_backend_put(hba->ops);
	kfree(hba);
}

int tcm_hba_set_mode(struct tcm_hba *hba, bool physical, const char **why)
{
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	if (hba->physical == physical) {
		err = 0;
	} else if (!hba->ops->set_physical) {
		*why = "this kind of HBA has one mode only";
		err = -EINVAL;
	} else if (hba->devices) {
		*why = "the HBA has devices";
		err = -EINVAL;
	} else {
		err = hba->ops->set_physical(hba, physical);
		if (!err)
			hba->physical = physical;
	}
	mutex_unlock(&tcm_config_mutex);
	return err;
}

int tcm_hba_make_physical(struct tcm_hba *hba)
{
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	if (!hba->physical) {
		err = hba->devices > 1 ? -EEXIST : hba->ops->set_physical(hba, true);
		hba->physical = !err;
	}
	mutex_unlock(&tcm_config_mutex);
	return err;
}
EXPORT_SYMBOL_GPL(tcm_hba_make_physical);

/* The defaults of the contract, section 4.1. */
static const struct tcm_dev_attr tcm_attr_defaults = {
	.emulate_dpo		= 1,
	.emulate_fua_write	= 1,
	.emulate_fua_read	= 1,
	.emulate_tas		= 1,
	.emulate_caw		= 1,
	.emulate_atomic_write	= 1,
	.emulate_3pc		= 1,
	.emulate_pr		= 1,
	.emulate_rsoc		= 1,
	.enforce_pr_isids	= 1,
	.pr_abort_secs		= 30,
	.block_size		= 512,
	.alua_support		= 1,
	.pgr_support		= 1,
};

static void tcm_device_defaults(struct tcm_device *dev)
{
	dev->attr = tcm_attr_defaults;
	if (dev->ops->flags & TCM_BE_PASSTHROUGH) {
		dev->attr.alua_support = 0;
		dev->attr.pgr_support = 0;
	}
	dev->block_shift = 9;
	dev->company_id = 0x001405;
	if (!(dev->ops->flags & TCM_BE_PASSTHROUGH)) {
		strscpy(dev->vendor, "LIO-ORG", sizeof(dev->vendor));
		strscpy(dev->product, dev->ops->product ?: "", sizeof(dev->product));
		strscpy(dev->revision, "4.0", sizeof(dev->revision));
	}
}

struct tcm_device *tcm_device_create(struct tcm_hba *hba, const char *name)
{
	struct tcm_device *dev;
	int err = -ENOMEM;

	dev = kzalloc(sizeof(*dev), GFP_KERNEL);
	if (!dev)
		return ERR_PTR(-ENOMEM);
	dev->ops = hba->ops;
	dev->backend = hba->ops;
	mutex_init(&dev->pi_lock);
	dev->hba = hba;
	dev->inst = hba->stat_index;
	spin_lock_init(&dev->lun_lock);
	INIT_LIST_HEAD(&dev->luns);
	tcm_range_device_init(dev);
	tcm_orphan_device_init(dev);
	tcm_poll_init_device(dev);
	refcount_set(&dev->ref, 1);
	dev->created = get_jiffies_64();
	dev->next_rtpi = 1;
	tcm_device_defaults(dev);
	dev->name = kstrdup(name, GFP_KERNEL);
	dev->hop = tcm_hop_alloc();
	if (!dev->name || !dev->hop || tcm_alua_create(dev) || tcm_pr_create(dev) ||
	    tcm_lu_create(dev) || tcm_task_device_init(dev))
		goto free_dev;
	err = dev->ops->create(dev);
	if (err)
		goto free_dev;
	/*
	 * Who unloads the backend while a device still closes, maybe for ever, is told that it is
	 * in use; in the module's exit function he would wait, and could not be killed.
	 */
	__module_get(dev->backend->owner);
	spin_lock(&tcm_devices_lock);
	dev->index = tcm_next_dev_index++;
	list_add_tail(&dev->node, &tcm_devices);
	tcm_devices_made++;
	spin_unlock(&tcm_devices_lock);
	mutex_lock(&tcm_config_mutex);
	hba->devices++;
	mutex_unlock(&tcm_config_mutex);
	return dev;

free_dev:
	tcm_task_device_exit(dev);
	tcm_lu_destroy(dev);
	tcm_pr_destroy(dev);
	tcm_alua_destroy(dev);
	tcm_hop_free(dev->hop);
	kfree(dev->name);
	kfree(dev);
	return ERR_PTR(err);
}

static void tcm_device_free_work(struct work_struct *work)
{
	struct tcm_device *dev = container_of(work, struct tcm_device, free_work);

	if (test_bit(TCM_DEV_CONFIGURED, &dev->flags)) {
		/* Who ran the last command may still be on its way out of the backend. */
		tcm_hop_flush(dev->hop);
		tcm_range_device_exit(dev);
		tcm_poll_stop(dev);
		tcm_pi_device_exit(dev);
		dev->ops->close(dev);
	}
	tcm_wipe_free(dev->wipe);
	dev->ops->destroy(dev);
	/* The module may be unloaded now; its exit function waits for what is left of this. */
	module_put(dev->backend->owner);
	spin_lock(&tcm_devices_lock);
	list_del(&dev->node);
	/* From here on the backend's module may go: nothing of it is touched. */
	wake_up_all(&tcm_devices_wait);
	spin_unlock(&tcm_devices_lock);
	tcm_hop_free(dev->hop);
	tcm_task_device_exit(dev);
	tcm_lu_destroy(dev);
	tcm_pr_destroy(dev);
	tcm_alua_destroy(dev);
	kfree(dev->name);
	kfree(dev);
}

void tcm_device_get(struct tcm_device *dev)
{
	refcount_inc(&dev->ref);
}

void tcm_device_put(struct tcm_device *dev)
{
	if (!refcount_dec_and_test(&dev->ref))
		return;
	INIT_WORK(&dev->free_work, tcm_device_free_work);
	queue_work(tcm_device_wq, &dev->free_work);
}

void tcm_device_destroy(struct tcm_device *dev)
{
	tcm_selftest_stop(dev, TCM_SELFTEST_RESET);
	mutex_lock(&tcm_config_mutex);
	dev->hba->devices--;
	WRITE_ONCE(dev->hba, NULL);
	tcm_alua_removed(dev);
	mutex_unlock(&tcm_config_mutex);
	spin_lock(&tcm_devices_lock);
	tcm_devices_made--;
	spin_unlock(&tcm_devices_lock);
	tcm_device_put(dev);
}

/*
 * How long rmdir waits for the medium. Without commands in flight it is an RCU period or two and
 * some work items, whatever that takes on a busy machine; those that are in flight may be about to
 * end, or never end.
 */
#define TCM_DEVICE_PATIENCE	(2 * HZ)
#define TCM_DEVICE_PATIENCE_BUSY (HZ / 4)

static bool tcm_device_busy(struct tcm_device *dev)
{
	struct tcm_map_stats sum;
	struct tcm_mapping *map = NULL;
	bool busy = false;

	spin_lock_irq(&dev->lun_lock);
	while ((map = tcm_nexus_next(dev, map))) {
		tcm_map_sum(map, &sum);
		busy |= sum.started != sum.done;
	}
	spin_unlock_irq(&dev->lun_lock);
	return busy;
}

/* Is there nothing to wait for any more, @waited jiffies after rmdir? */
static bool tcm_device_settled(u32 index, unsigned long waited)
{
	struct tcm_device *dev;
	bool settled = true;

	if (waited > TCM_DEVICE_PATIENCE)
		return true;
	spin_lock(&tcm_devices_lock);
	list_for_each_entry(dev, &tcm_devices, node)
		if (dev->index == index) {
			settled = waited > TCM_DEVICE_PATIENCE_BUSY && tcm_device_busy(dev);
			break;
		}
	spin_unlock(&tcm_devices_lock);
	return settled;
}

void tcm_device_settle(u32 index)
{
	unsigned long begin = jiffies;

	while (!wait_event_killable_timeout(tcm_devices_wait,
					    tcm_device_settled(index, jiffies - begin), HZ / 20))
		;
}

unsigned int tcm_device_count(void)
{
	return READ_ONCE(tcm_devices_made);
}

static struct tcm_device *tcm_device_of(const struct tcm_backend_ops *ops, char *name, size_t size)
{
	struct tcm_device *dev, *found = NULL;

	spin_lock(&tcm_devices_lock);
	list_for_each_entry(dev, &tcm_devices, node)
		if (dev->backend == ops) {
			strscpy(name, dev->name, size);
			found = dev;
			break;
		}
	spin_unlock(&tcm_devices_lock);
	return found;
}

void tcm_device_drain(const struct tcm_backend_ops *ops)
{
	char name[64];

	/* Ends when the backend gives its last I/O back; only the module's unload waits. */
	while (!wait_event_timeout(tcm_devices_wait, !tcm_device_of(ops, name, sizeof(name)),
				   10 * HZ))
		pr_warn("tcm: unloading %s waits for I/O of device %s\n", ops->name, name);
}

int tcm_device_control(struct tcm_device *dev, char *text)
{
	char *token, *value;
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	while (!err && tcm_control_next(&text, &token, &value)) {
		if (test_bit(TCM_DEV_OPENING, &dev->flags))
			err = -EBUSY;
		else
			err = dev->ops->parse(dev, token, value);
		if (err == -ENOENT)
			err = 0;
		if (err)
			pr_warn("tcm: device %s: control %.32s=%*pE refused: (%pe)\n", dev->name,
				token, (int)strnlen(value, 64), value, ERR_PTR(err));
	}
	mutex_unlock(&tcm_config_mutex);
	return err;
}

static void tcm_device_set_capacity(struct tcm_device *dev)
{
	if (dev->ops->capacity)
		WRITE_ONCE(dev->nblocks, dev->ops->capacity(dev) >> dev->block_shift);
}

/* The backend counts in blocks of its own; a command's bytes are counted in 32 bits. */
static void tcm_device_set_max_blocks(struct tcm_device *dev)
{
	u64 bytes = (u64)dev->limits.max_sectors * dev->limits.block_size;

	WRITE_ONCE(dev->max_blocks, min_t(u64, bytes, U32_MAX) >> dev->block_shift);
}

void tcm_device_adopt_block_size(struct tcm_device *dev)
{
	lockdep_assert_held(&tcm_config_mutex);
	dev->block_shift = ilog2(dev->attr.block_size);
	if (!test_bit(TCM_DEV_CONFIGURED, &dev->flags))
		return;
	tcm_device_set_capacity(dev);
	tcm_device_set_max_blocks(dev);
}

static void tcm_device_adopt_limits(struct tcm_device *dev)
{
	struct tcm_limits *lim = &dev->limits;
	struct tcm_dev_attr *attr = &dev->attr;

	lockdep_assert_held(&tcm_config_mutex);
	attr->hw_block_size = lim->block_size;
	attr->block_size = lim->block_size;
	attr->hw_max_sectors = lim->max_sectors;
	attr->optimal_sectors = lim->max_sectors;
	attr->hw_queue_depth = lim->queue_depth;
	attr->queue_depth = lim->queue_depth;
	attr->max_write_same_len = lim->max_write_same;
	attr->is_nonrot = lim->nonrot;
	if (lim->write_cache && !lim->cache_off && !(dev->ops->flags & TCM_BE_OWN_CACHE))
		attr->emulate_write_cache = 1;
	if (!lim->unmap_quiet)
		tcm_attr_fill_unmap(dev);
	tcm_device_adopt_block_size(dev);
}

/* open() may wait for a file system or a disk: the tree stays usable meanwhile. */
int tcm_device_enable(struct tcm_device *dev, const char **why)
{
	int err = 0;

	mutex_lock(&tcm_config_mutex);
	if (test_bit(TCM_DEV_CONFIGURED, &dev->flags)) {
		*why = "the device is enabled already";
		err = -EEXIST;
	} else if (test_and_set_bit(TCM_DEV_OPENING, &dev->flags)) {
		*why = "another enable is under way";
		err = -EBUSY;
	}
	mutex_unlock(&tcm_config_mutex);
	if (err)
		return err;

	err = dev->ops->open(dev);
	mutex_lock(&tcm_config_mutex);
	clear_bit(TCM_DEV_OPENING, &dev->flags);
	if (!err) {
		err = tcm_pi_adopt(dev);
		if (err)
			dev->ops->close(dev);
	}
	if (!err) {
		set_bit(TCM_DEV_CONFIGURED, &dev->flags);
		tcm_device_adopt_limits(dev);
		tcm_mode_adopt_attrs(dev);
		tcm_alua_enabled(dev);
		tcm_poll_start(dev);
	}
	mutex_unlock(&tcm_config_mutex);
	if (err)
		*why = "the backend cannot open it";
	return err;
}

void tcm_device_event(struct tcm_device *dev, enum tcm_dev_event event)
{
	unsigned long flags;
	u64 old = dev->nblocks;

	switch (event) {
	case TCM_DEV_RESIZED:
		tcm_device_set_capacity(dev);
		if (dev->nblocks != old)
			tcm_ua_raise_device(dev, TCM_UA_CAPACITY_CHANGED, NULL);
		break;
	case TCM_DEV_GONE:
		set_bit(TCM_DEV_DEAD, &dev->flags);
		spin_lock_irqsave(&dev->lun_lock, flags);
		tcm_gate_device(dev, TCM_GATE_DEAD, true);
		spin_unlock_irqrestore(&dev->lun_lock, flags);
		break;
	case TCM_DEV_LIMITS:
		tcm_device_set_max_blocks(dev);
		tcm_ua_raise_device(dev, TCM_UA_INQUIRY_CHANGED, NULL);
		break;
	case TCM_DEV_CACHE:
		tcm_ua_raise_device(dev, TCM_UA_MODE_CHANGED, NULL);
		break;
	}
}
EXPORT_SYMBOL_GPL(tcm_device_event);

u64 tcm_device_blocks(struct tcm_device *dev)
{
	tcm_device_event(dev, TCM_DEV_RESIZED);
	return READ_ONCE(dev->nblocks);
}

/* dev->lun_lock held */
static void tcm_lun_sum_locked(struct tcm_lun *lun, struct tcm_map_stats *sum)
{
	struct tcm_mapping *map;
	struct tcm_map_stats one;

	tcm_stats_add(sum, &lun->old);
	list_for_each_entry(map, &lun->maps, lun_node) {
		tcm_map_sum(map, &one);
		tcm_stats_add(sum, &one);
	}
}

void tcm_lun_sum(struct tcm_lun *lun, struct tcm_map_stats *sum)
{
	memset(sum, 0, sizeof(*sum));
	spin_lock_irq(&lun->dev->lun_lock);
	tcm_lun_sum_locked(lun, sum);
	spin_unlock_irq(&lun->dev->lun_lock);
}

void tcm_device_sum(struct tcm_device *dev, struct tcm_map_stats *sum)
{
	struct tcm_lun *lun;

	spin_lock_irq(&dev->lun_lock);
	*sum = dev->old;
	list_for_each_entry(lun, &dev->luns, dev_node)
		tcm_lun_sum_locked(lun, sum);
	spin_unlock_irq(&dev->lun_lock);
}
