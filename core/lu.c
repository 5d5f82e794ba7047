// SPDX-License-Identifier: GPL-2.0-only
/*
 * A logical unit's kept state: made with the device, loaded before it is first seen, saved
 * when a command asks for it.
 */
#include <linux/slab.h>
#include <linux/string.h>
#include "dbroot.h"
#include "device.h"
#include "lu.h"
#include "target.h"
#include "wipe.h"

#define TCM_LU_FOLDER	"lu"

static struct workqueue_struct *tcm_lu_wq;

int tcm_lu_init(void)
{
	tcm_lu_wq = alloc_workqueue("tcm_lu", WQ_UNBOUND, 0);
	return tcm_lu_wq ? 0 : -ENOMEM;
}

void tcm_lu_exit(void)
{
	destroy_workqueue(tcm_lu_wq);
}

static int tcm_lu_write(struct tcm_device *dev)
{
	struct tcm_lu *lu = dev->lu;
	struct tcm_save *save;
	char *text;
	int err;

	text = kmalloc(TCM_LU_FILE_MAX, GFP_KERNEL);
	if (!text)
		return -ENOMEM;
	spin_lock_irq(&lu->lock);
	tcm_lu_print(lu, text, TCM_LU_FILE_MAX);
	spin_unlock_irq(&lu->lock);
	save = tcm_save_start(TCM_LU_FOLDER, dev->serial, text, NULL);
	if (!save)
		kfree(text);
	err = tcm_save_wait(save, MAX_SCHEDULE_TIMEOUT);
	tcm_save_put(save);
	if (err)
		pr_warn_ratelimited("tcm: device %s: cannot be saved below dbroot: (%pe)\n",
				    dev->name, ERR_PTR(err));
	return err;
}

static void tcm_lu_save_work(struct work_struct *work)
{
	struct tcm_lu *lu = container_of(work, struct tcm_lu, save_work);
	struct tcm_device *dev = lu->dev;
	struct tcm_cmd *cmd, *next;
	struct llist_node *batch;
	int err;

	/* Who is in the batch made its change before: this file has it. */
	batch = llist_del_all(&lu->savers);
	err = tcm_lu_write(dev);
	llist_for_each_entry_safe(cmd, next, batch, hop)
		tcm_cmd_complete(cmd, err ? TCM_INTERNAL_TARGET_FAILURE : TCM_OK);
	tcm_device_put(dev);
}

void tcm_lu_queue(struct work_struct *work)
{
	queue_work(tcm_lu_wq, work);
}

void tcm_lu_save_behind(struct tcm_device *dev)
{
	tcm_device_get(dev);
	if (!queue_work(tcm_lu_wq, &dev->lu->save_work))
		tcm_device_put(dev);
}

void tcm_lu_save_now(struct tcm_device *dev)
{
	if (!tcm_lu_can_save(dev))
		return;
	tcm_lu_save_behind(dev);
	flush_work(&dev->lu->save_work);
}

enum tcm_sense tcm_lu_save(struct tcm_cmd *cmd)
{
	struct tcm_device *dev = cmd->dev;

	/* Held: the work may complete @cmd, and with it the last LUN, before the next line. */
	tcm_device_get(dev);
	llist_add(&cmd->hop, &dev->lu->savers);
	tcm_lu_save_behind(dev);
	tcm_device_put(dev);
	return TCM_PENDING;
}

static void tcm_lu_load(struct tcm_lu *lu)
{
	struct tcm_device *dev = lu->dev;
	char *text = tcm_dbroot_read(TCM_LU_FOLDER, dev->serial, TCM_LU_FILE_MAX);
	bool known;

	if (!IS_ERR(text)) {
		spin_lock_irq(&lu->lock);
		known = tcm_lu_parse(lu, text);
		spin_unlock_irq(&lu->lock);
		if (!known)
			pr_warn("tcm: device %s: what was saved below dbroot is not understood\n",
				dev->name);
		kfree(text);
	} else if (text != ERR_PTR(-ENOENT)) {
		pr_warn("tcm: device %s: what was saved below dbroot cannot be read: (%pe)\n",
			dev->name, text);
	}
}

void tcm_lu_power_on(struct tcm_device *dev)
{
	bool first = false, load = false, used = true;

	if (dev->ops->flags & TCM_BE_PASSTHROUGH)
		return;
	mutex_lock(&tcm_config_mutex);
	if (!dev->exports && test_bit(TCM_DEV_CONFIGURED, &dev->flags)) {
		first = true;
		load = !dev->lu->loaded && dev->serial[0];
		dev->lu->loaded |= load;
		used = dev->lu->used;
		dev->lu->used = true;
	}
	mutex_unlock(&tcm_config_mutex);
	if (load) {
		tcm_lu_load(dev->lu);
		tcm_wipe_power_on(dev, used);
	}
	if (!first)
		return;
	tcm_mode_reset(dev);
	tcm_history_reset(dev);
}

void tcm_lu_renamed(struct tcm_device *dev)
{
	struct tcm_lu *lu = dev->lu;

	lockdep_assert_held(&tcm_config_mutex);
	lu->loaded = false;
	spin_lock_irq(&lu->lock);
	lu->mode.have = 0;
	lu->selftest.n = 0;
	memset(lu->ident, 0, sizeof(lu->ident));
	spin_unlock_irq(&lu->lock);
}

int tcm_lu_create(struct tcm_device *dev)
{
	struct tcm_lu *lu = kzalloc(sizeof(*lu), GFP_KERNEL);

	if (!lu)
		return -ENOMEM;
	lu->dev = dev;
	spin_lock_init(&lu->lock);
	mutex_init(&lu->buffer_lock);
	init_llist_head(&lu->savers);
	INIT_WORK(&lu->save_work, tcm_lu_save_work);
	dev->lu = lu;
	return 0;
}

void tcm_lu_destroy(struct tcm_device *dev)
{
	if (dev->lu) {
		kvfree(dev->lu->log.app);
		kvfree(dev->lu->buffer);
		tcm_history_destroy(&dev->lu->history);
	}
	kfree(dev->lu);
}
