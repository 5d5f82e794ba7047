/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A SCSI host whose queuecommand may sleep: 6.5 has a word for it.
 *
 * Before that a queue that may block has an SRCU of its own, and when a request has been issued
 * that of rq->q is left, whatever that is by then: the request may be over, and its tag one of
 * another disk of the host. That one is left then, the first never, and who removes the disk waits
 * for ever. So there the queue is one that does not block, and the dispatch leaves the RCU section
 * that it is called in.
 * What that section is for holds all the same: the queue and its hardware contexts stay for who has
 * the disk open, for the queue's own work items and for who holds the SCSI device, and whoever
 * quiesces a queue to change it freezes it first, which waits for the request.
 */
#ifndef _TCM_COMPAT_SCSI_HOST_H
#define _TCM_COMPAT_SCSI_HOST_H

#include <linux/preempt.h>
#include <linux/rcupdate.h>
#include <linux/version.h>
#include <scsi/scsi_host.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)

static inline void tcm_host_may_block(struct Scsi_Host *host)
{
}

/* Is the block layer's RCU section all that keeps queuecommand from sleeping? */
static inline bool tcm_host_may_leave(void)
{
	return preemptible() && rcu_preempt_depth() == 1;
}

static inline void tcm_host_leave(void)
	__releases(RCU)
{
	rcu_read_unlock();
}

static inline void tcm_host_return(void)
	__acquires(RCU)
{
	rcu_read_lock();
}

#else

static inline void tcm_host_may_block(struct Scsi_Host *host)
{
	host->queuecommand_may_block = true;
}

static inline bool tcm_host_may_leave(void)
{
	return true;
}

static inline void tcm_host_leave(void)
	__releases(RCU)
{
	__release(RCU);
}

static inline void tcm_host_return(void)
	__acquires(RCU)
{
	__acquire(RCU);
}

#endif

/*
 * As scsi_add_host(). Where there is one hardware queue its disks would get a scheduler, and each
 * command would go by a work item: the medium below has one of its own.
 */
static inline int tcm_add_blocking_host(struct Scsi_Host *host, struct device *parent)
{
	int err;

	tcm_host_may_block(host);
	err = scsi_add_host(host, parent);
	/* No disk has taken its queue from these flags yet. */
	if (!err)
		host->tag_set.flags |= BLK_MQ_F_NO_SCHED_BY_DEFAULT;
	return err;
}

#endif
