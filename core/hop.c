// SPDX-License-Identifier: GPL-2.0-only
#include <compat/plug.h>
#include <linux/export.h>
#include <linux/sched/mm.h>
#include <linux/slab.h>
#include "hop.h"

static struct workqueue_struct *tcm_hop_wq;
/* for commands that address no device */
static struct tcm_hop __percpu *tcm_hop_none;

static void tcm_hop_work(struct work_struct *work)
{
	struct tcm_hop *hop = container_of(work, struct tcm_hop, work);
	struct llist_node *batch = llist_reverse_order(llist_del_all(&hop->list));
	unsigned int noio = memalloc_noio_save();
	struct tcm_cmd *cmd, *next;
	struct blk_plug plug;

	/* The plug ends the batch: what is queued meanwhile is another run of the work. */
	blk_start_plug(&plug);
	llist_for_each_entry_safe(cmd, next, batch, hop)
		cmd->resume(cmd);
	blk_finish_plug(&plug);
	memalloc_noio_restore(noio);
}

void tcm_hop_queue(struct tcm_cmd *cmd, void (*resume)(struct tcm_cmd *cmd))
{
	struct tcm_hop __percpu *pcpu = cmd->dev ? cmd->dev->hop : tcm_hop_none;
	int cpu = raw_smp_processor_id();
	struct tcm_hop *hop = per_cpu_ptr(pcpu, cpu);

	cmd->resume = resume;
	cmd->flags |= TCM_CMD_HOPPED;
	/* Once it is on the list a run of the work may take it, end it and let the device go. */
	rcu_read_lock();
	if (llist_add(&cmd->hop, &hop->list))
		queue_work_on(cpu, tcm_hop_wq, &hop->work);
	rcu_read_unlock();
}

/* The caller may be the block layer that dispatches to a fabric's host. */
void tcm_hop_not(struct tcm_cmd *cmd, void (*run)(struct tcm_cmd *cmd))
{
	unsigned int noio = memalloc_noio_save();
	struct tcm_gathered gathered = tcm_plug_put_aside();

	run(cmd);
	tcm_plug_take_back(&gathered);
	memalloc_noio_restore(noio);
}

static void tcm_hop_again(struct tcm_cmd *cmd)
{
	/* Nothing of it has begun, and nobody waits for it. */
	if (tcm_cmd_is_unwanted(cmd))
		tcm_cmd_complete(cmd, TCM_TASK_ABORTED);
	else
		cmd->dev->ops->submit(&cmd->io);
}

void tcm_io_later(struct tcm_io *io)
{
	struct tcm_cmd *cmd = container_of(io, struct tcm_cmd, io);

	io->flags = (io->flags & ~TCM_IO_NOWAIT) | TCM_IO_MAY_WAIT;
	tcm_hop_queue(cmd, tcm_hop_again);
}
EXPORT_SYMBOL_GPL(tcm_io_later);

struct tcm_hop __percpu *tcm_hop_alloc(void)
{
	struct tcm_hop __percpu *pcpu = alloc_percpu(struct tcm_hop);
	int cpu;

	if (!pcpu)
		return NULL;
	for_each_possible_cpu(cpu) {
		struct tcm_hop *hop = per_cpu_ptr(pcpu, cpu);

		init_llist_head(&hop->list);
		INIT_WORK(&hop->work, tcm_hop_work);
	}
	return pcpu;
}

void tcm_hop_flush(struct tcm_hop __percpu *pcpu)
{
	int cpu;

	for_each_possible_cpu(cpu)
		flush_work(&per_cpu_ptr(pcpu, cpu)->work);
}

void tcm_hop_free(struct tcm_hop __percpu *pcpu)
{
	if (!pcpu)
		return;
	/* Who has put a command on the list, but not yet queued the work: see tcm_hop_queue(). */
	synchronize_rcu();
	tcm_hop_flush(pcpu);
	free_percpu(pcpu);
}

int tcm_hop_init(void)
{
	/*
	 * A device that hangs blocks its work item: let there be many. None is of high priority:
	 * who submits several commands is to come to the end of them before the first is carried
	 * out.
	 */
	tcm_hop_wq = alloc_workqueue("tcm_hop", WQ_MEM_RECLAIM, WQ_MAX_ACTIVE);
	if (!tcm_hop_wq)
		return -ENOMEM;
	tcm_hop_none = tcm_hop_alloc();
	if (!tcm_hop_none) {
		destroy_workqueue(tcm_hop_wq);
		return -ENOMEM;
	}
	return 0;
}

void tcm_hop_exit(void)
{
	tcm_hop_free(tcm_hop_none);
	destroy_workqueue(tcm_hop_wq);
}
