// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel tells nobody (a disk has grown, a file was truncated) is looked at once
 * a second, for all open devices by one work item.
 */
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/workqueue.h>
#include "poll.h"

/* protects tcm_polled and the poll_node of every device on it; held around ops->poll() */
static DEFINE_MUTEX(tcm_poll_lock);
static LIST_HEAD(tcm_polled);

static void tcm_poll_work(struct work_struct *work);
static DECLARE_DELAYED_WORK(tcm_poll, tcm_poll_work);

static void tcm_poll_work(struct work_struct *work)
{
	struct tcm_device *dev;

	mutex_lock(&tcm_poll_lock);
	list_for_each_entry(dev, &tcm_polled, poll_node)
		dev->ops->poll(dev);
	if (!list_empty(&tcm_polled))
		schedule_delayed_work(&tcm_poll, round_jiffies_relative(HZ));
	mutex_unlock(&tcm_poll_lock);
}

void tcm_poll_start(struct tcm_device *dev)
{
	if (!dev->ops->poll)
		return;
	mutex_lock(&tcm_poll_lock);
	list_add_tail(&dev->poll_node, &tcm_polled);
	schedule_delayed_work(&tcm_poll, round_jiffies_relative(HZ));
	mutex_unlock(&tcm_poll_lock);
}

void tcm_poll_stop(struct tcm_device *dev)
{
	if (!dev->ops->poll)
		return;
	mutex_lock(&tcm_poll_lock);
	list_del(&dev->poll_node);
	mutex_unlock(&tcm_poll_lock);
}

void tcm_poll_exit(void)
{
	cancel_delayed_work_sync(&tcm_poll);
}
