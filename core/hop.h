/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The one hop from a context that must not sleep to one that may: a lock-free list
 * and a work item for each device and CPU. A device that blocks its worker
 * delays nobody else.
 */
#ifndef _TCM_HOP_H
#define _TCM_HOP_H

#include <linux/llist.h>
#include <linux/percpu.h>
#include <linux/workqueue.h>
#include <tcm/cmd.h>

struct tcm_hop {
	struct llist_head	list;		/* multi producer, drained as a whole by @work */
	struct work_struct	work;
};

int tcm_hop_init(void);
void tcm_hop_exit(void);

struct tcm_hop __percpu *tcm_hop_alloc(void);
/* No command of the device is left: wait for a worker that is just returning. */
void tcm_hop_flush(struct tcm_hop __percpu *hop);
/* No command of the device is left. Waits for an RCU period. */
void tcm_hop_free(struct tcm_hop __percpu *hop);

/*
 * Go on with resume(cmd) in process context on this CPU, under one plug and
 * memalloc_noio with whatever else is queued. Any context.
 */
void tcm_hop_queue(struct tcm_cmd *cmd, void (*resume)(struct tcm_cmd *cmd));

/* Instead: run(cmd) in the call, which is from TCM_CTX_NOWAIT, under memalloc_noio and no plug. */
void tcm_hop_not(struct tcm_cmd *cmd, void (*run)(struct tcm_cmd *cmd));

#endif
