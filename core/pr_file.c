// SPDX-License-Identifier: GPL-2.0-only
/*
 * <dbroot>/pr/aptpl_<serial>: registrations that outlive a power cycle (SPC-4 5.13.5). Files are
 * written by a work item of their own, so that a file system that hangs delays a
 * PERSISTENT RESERVE OUT by TCM_PR_FILE_PATIENCE and nothing longer.
 */
#include <linux/completion.h>
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include <linux/workqueue.h>
#include "dbroot.h"
#include "device.h"
#include "pr.h"
#include "target.h"

#define TCM_PR_FILE_PATIENCE	(10 * HZ)

/* One write. Two hold it: who asked for it, and the work item until it is done. */
struct tcm_pr_file {
	refcount_t		ref;
	struct work_struct	work;
	struct completion	done;
	int			err;		/* valid when @done */
	char			name[TCM_SERIAL_MAX + 8];
	size_t			len;
	char			text[];
};

void tcm_pr_file_put(struct tcm_pr_file *file)
{
	if (file && refcount_dec_and_test(&file->ref))
		kvfree(file);
}

static void tcm_pr_file_work(struct work_struct *work)
{
	struct tcm_pr_file *file = container_of(work, struct tcm_pr_file, work);

	file->err = tcm_dbroot_write("pr", file->name, file->text, file->len);
	complete_all(&file->done);
	tcm_pr_file_put(file);
}

static struct tcm_pr_file *tcm_pr_file_new(const struct tcm_device *dev,
					   const struct tcm_pr_state *st)
{
	size_t size = tcm_pr_text_size(st);
	struct tcm_pr_file *file = kvmalloc(sizeof(*file) + size, GFP_KERNEL);

	if (!file)
		return NULL;
	refcount_set(&file->ref, 2);
	init_completion(&file->done);
	INIT_WORK(&file->work, tcm_pr_file_work);
	snprintf(file->name, sizeof(file->name), "aptpl_%s", dev->serial);
	file->len = tcm_pr_text(st, file->text, size);
	return file;
}

/* Larger ones are not looked at: a thousand registrations are less. */
#define TCM_PR_FILE_MAX		SZ_1M

/* Is the device about to get its first LUN, and has nobody restored what it had? */
static bool tcm_pr_powers_on(const struct tcm_device *dev)
{
	lockdep_assert_held(&tcm_config_mutex);
	lockdep_assert_held(&dev->pr->change);
	return !dev->exports && test_bit(TCM_DEV_CONFIGURED, &dev->flags) && tcm_pr_on(dev) &&
	       !(dev->ops->flags & TCM_BE_PASSTHROUGH) && !dev->pr->state->n &&
	       tcm_pr_file_possible(dev);
}

static void tcm_pr_set_lost(struct tcm_device *dev, const char *name, bool lost)
{
	struct tcm_pr_state *st;

	mutex_lock(&tcm_config_mutex);
	if (!mutex_trylock(&dev->pr->change))
		goto unlock_config;
	if (!tcm_pr_powers_on(dev) || dev->pr->state->lost == lost)
		goto unlock;
	st = tcm_pr_clone(dev->pr, 0);
	if (!st)
		goto unlock;
	if (lost)
		pr_warn("tcm: device %s: pr/%s is damaged: who has reserved is lost until REPLACE LOST RESERVATION\n",
			dev->name, name);
	st->lost = lost;
	tcm_pr_publish(dev, st, NULL);
unlock:
	mutex_unlock(&dev->pr->change);
unlock_config:
	mutex_unlock(&tcm_config_mutex);
}

void tcm_pr_power_on(struct tcm_device *dev)
{
	char name[TCM_SERIAL_MAX + 8], *text;
	bool look;

	mutex_lock(&tcm_config_mutex);
	/* While a PERSISTENT RESERVE OUT is out this is no power on. */
	look = mutex_trylock(&dev->pr->change);
	if (look) {
		look = tcm_pr_powers_on(dev);
		mutex_unlock(&dev->pr->change);
	}
	snprintf(name, sizeof(name), "aptpl_%s", dev->serial);
	mutex_unlock(&tcm_config_mutex);
	if (!look)
		return;
	text = tcm_dbroot_read("pr", name, TCM_PR_FILE_MAX);
	if (!IS_ERR(text)) {
		tcm_pr_set_lost(dev, name, !tcm_pr_text_whole(text));
		kfree(text);
	} else if (text == ERR_PTR(-ENOENT)) {
		tcm_pr_set_lost(dev, name, false);
	}
}

/* Two devices without serial numbers would share a file, and a slash leads elsewhere. */
bool tcm_pr_file_possible(const struct tcm_device *dev)
{
	return dev->serial[0] && !strchr(dev->serial, '/');
}

static bool tcm_pr_file_busy(const struct tcm_pr_file *file)
{
	return file && !completion_done(&((struct tcm_pr_file *)file)->done);
}

int tcm_pr_persist(struct tcm_device *dev, const struct tcm_pr_state *st)
{
	struct tcm_pr *pr = dev->pr;
	struct tcm_pr_file *file;
	int err;

	/* One that was given up on still runs: what it writes would come over ours. */
	if (tcm_pr_file_busy(pr->file))
		return -EBUSY;
	tcm_pr_file_put(pr->file);
	pr->file = NULL;
	if (!tcm_pr_file_possible(dev))
		return -EINVAL;
	file = tcm_pr_file_new(dev, st);
	if (!file)
		return -ENOMEM;
	tcm_pr_file_queue(&file->work);
	pr->file = file;
	if (!wait_for_completion_timeout(&file->done, TCM_PR_FILE_PATIENCE))
		err = -ETIMEDOUT;
	else
		err = file->err;
	if (err)
		pr_warn_ratelimited("tcm: device %s: pr/%s is not written: (%pe)\n", dev->name,
				    file->name, ERR_PTR(err));
	return err;
}
