// SPDX-License-Identifier: GPL-2.0-only
/*
 * <dbroot>/pr/aptpl_<serial>: registrations that outlive a power cycle (SPC-4 5.13.5). Files are
 * written by work items of their own, so that a file system that hangs delays a
 * PERSISTENT RESERVE OUT by TCM_SAVE_PATIENCE and nothing longer.
 */
#include <linux/mm.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "dbroot.h"
#include "device.h"
#include "pr.h"
#include "target.h"

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

static char *tcm_pr_file_text(const struct tcm_pr_state *st)
{
	size_t size = tcm_pr_text_size(st);
	char *text = kvmalloc(size, GFP_KERNEL);

	if (text)
		tcm_pr_text(st, text, size);
	return text;
}

int tcm_pr_persist(struct tcm_device *dev, const struct tcm_pr_state *st)
{
	char name[TCM_SERIAL_MAX + 8], *text, *back;
	struct tcm_pr *pr = dev->pr;

	/* Nobody but us replaces the state. */
	lockdep_assert_held(&pr->change);
	/* One that was given up on still runs: what it writes would come over ours. */
	if (tcm_save_busy(pr->file))
		return -EBUSY;
	tcm_save_put(pr->file);
	pr->file = NULL;
	if (!tcm_pr_file_possible(dev))
		return -EINVAL;
	snprintf(name, sizeof(name), "aptpl_%s", dev->serial);
	text = tcm_pr_file_text(st);
	/* An initiator that was told of an error must not find it done after the next power on. */
	back = tcm_pr_file_text(pr->state);
	if (text && back)
		pr->file = tcm_save_start("pr", name, text, back);
	if (!pr->file) {
		kvfree(back);
		kvfree(text);
	}
	return tcm_save_wait(pr->file, TCM_SAVE_PATIENCE);
}
