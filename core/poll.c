// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the kernel tells nobody (a disk has grown, a file was truncated) is looked at once
 * a second. Each device has a work item of its own: a backend that hangs in poll(), a file on
 * a server that is away for one, holds up the end of its own device and nothing else.
 */
#include <linux/workqueue.h>
#include "poll.h"
#include "thin.h"

static struct workqueue_struct *tcm_poll_wq;

static void tcm_poll_again(struct tcm_device *dev)
{
	/* Rounded: the machine wakes once for all devices. */
	queue_delayed_work(tcm_poll_wq, &dev->poll_work, round_jiffies_relative(HZ));
}

static void tcm_poll_work(struct work_struct *work)
{
	struct tcm_device *dev = container_of(to_delayed_work(work), struct tcm_device, poll_work);

	if (dev->ops->poll)
		dev->ops->poll(dev);
	tcm_thin_sample(dev);
	tcm_poll_start(dev);
}

void tcm_poll_init_device(struct tcm_device *dev)
{
	INIT_DELAYED_WORK(&dev->poll_work, tcm_poll_work);
}

void tcm_poll_start(struct tcm_device *dev)
{
	if (dev->ops->poll || tcm_thin_offered(dev))
		tcm_poll_again(dev);
}

void tcm_poll_stop(struct tcm_device *dev)
{
	cancel_delayed_work_sync(&dev->poll_work);
}

int tcm_poll_init(void)
{
	tcm_poll_wq = alloc_workqueue("tcm_poll", WQ_UNBOUND | WQ_FREEZABLE, WQ_MAX_ACTIVE);
	return tcm_poll_wq ? 0 : -ENOMEM;
}

void tcm_poll_exit(void)
{
	destroy_workqueue(tcm_poll_wq);
}
