/* SPDX-License-Identifier: GPL-2.0-only */
/* A SCSI host whose queuecommand may sleep: 6.5 has a word for it. */
#ifndef _TCM_COMPAT_SCSI_HOST_H
#define _TCM_COMPAT_SCSI_HOST_H

#include <linux/version.h>
#include <scsi/scsi_host.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 5, 0)

static inline void tcm_host_may_block(struct Scsi_Host *host)
{
}

#else

static inline void tcm_host_may_block(struct Scsi_Host *host)
{
	host->queuecommand_may_block = true;
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
		host->tag_set.flags |= BLK_MQ_F_BLOCKING | BLK_MQ_F_NO_SCHED_BY_DEFAULT;
	return err;
}

#endif
