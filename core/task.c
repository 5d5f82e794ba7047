// SPDX-License-Identifier: GPL-2.0-only
/*
 * Task sets (SAM-5 8): SIMPLE, ORDERED and HEAD OF QUEUE commands of a logical unit.
 *
 * Nobody pays for this while all commands are SIMPLE. The first one that is not is put on the
 * list of the task set, TCM_GATE_COUNTED is set on every nexus, and a survey asks the fabrics for
 * the commands that are out: they are put on the list before it. Who comes afterwards sees the gate
 * and takes his place. A command moves to TCM_ST_DATA or TCM_ST_EXEC before it reads the gate and
 * the survey looks at states after it has set the gate, so none is missed. Some time after the last
 * command that was not SIMPLE the gates open again.
 *
 * A command is put on the list together with TCM_ST_TASK in its state word, under the lock. Who
 * ends it sees the mark and takes the lock before the slot is free: what is on the list is there.
 *
 * A command that may run is enabled and stays so. One that is aborted is in nobody's way, also
 * while the backend has it; when it waits, a tick lets it go. Nobody is enabled while who aborts
 * commands may come to him yet.
 */
#include <linux/jiffies.h>
#include <linux/slab.h>
#include <tcm/fabric.h>
#include "aca.h"
#include "cmd.h"
#include "gate.h"
#include "hop.h"
#include "opcode.h"
#include "task.h"

/* How often is looked for aborted ones among those that wait */
#define TCM_TASK_TICK		max(HZ / 100, 1)
/* How long commands are listed after the last special one: the next is seldom alone. */
#define TCM_TASK_LINGER		HZ

static struct workqueue_struct *tcm_task_wq;

/* Those that tell of the unit run at once and hold up nobody (SPC-4 4.6.1). */
static bool tcm_task_counts(const struct tcm_cmd *cmd)
{
	return cmd->op && !(cmd->op->flags & TCM_OP_HOQ);
}

static void tcm_task_let_go(struct tcm_task_set *ts, struct tcm_cmd *cmd)
{
	cmd->task.parked = false;
	ts->parked--;
	tcm_hop_queue(cmd, tcm_cmd_rerun);
}

/* May a command run that comes after what was @seen? SAM-5 8.6 */
static bool tcm_task_may_run(const struct tcm_task_set *ts, const struct tcm_cmd *cmd,
			     const struct tcm_task_seen *seen)
{
	if (ts->held || atomic_read(&cmd->sess->aborting))
		return false;
	if (ts->acas) {
		if (tcm_aca_blocks(ts, cmd))
			return false;
		/* What is before it may wait for it. */
		if (tcm_aca_passes(cmd))
			return true;
	}
	switch (cmd->task.attr) {
	case TCM_ATTR_SIMPLE:
		return !seen->block;
	case TCM_ATTR_ORDERED:
		return !seen->block && !seen->older && ts->complete;
	default:
		return true;
	}
}

/* What this look has come across of the task set that @cmd is in */
static struct tcm_task_seen *tcm_task_seen(struct tcm_task_set *ts, const struct tcm_cmd *cmd)
{
	struct tcm_task_seen *seen = ts->per_nexus ? &cmd->map->seen : &ts->seen;

	if (seen->round != ts->round) {
		seen->round = ts->round;
		seen->older = false;
		seen->block = false;
	}
	return seen;
}

void tcm_task_hold_nexus(struct tcm_session *sess)
{
	atomic_inc(&sess->aborting);
	/* Who sees a command gone sees that; pairs with tcm_task_schedule(). */
	smp_mb__after_atomic();
}

/* Those of it that are left are looked at by the tick. */
void tcm_task_release_nexus(struct tcm_session *sess)
{
	/* Who sees it over sees all that it has marked. */
	smp_mb__before_atomic();
	atomic_dec(&sess->aborting);
}

void tcm_task_hold(struct tcm_device *dev)
{
	struct tcm_task_set *ts = dev->tasks;
	unsigned long flags;

	spin_lock_irqsave(&ts->lock, flags);
	ts->held++;
	spin_unlock_irqrestore(&ts->lock, flags);
}

void tcm_task_release(struct tcm_device *dev)
{
	struct tcm_task_set *ts = dev->tasks;
	unsigned long flags;

	spin_lock_irqsave(&ts->lock, flags);
	if (!--ts->held && ts->parked)
		tcm_task_schedule(ts);
	spin_unlock_irqrestore(&ts->lock, flags);
}

/* Enable who may run. */
void tcm_task_schedule(struct tcm_task_set *ts)
{
	struct tcm_cmd *cmd, *next;

	lockdep_assert_held(&ts->lock);
	ts->round++;
	list_for_each_entry_safe(cmd, next, &ts->tasks, task.node) {
		struct tcm_task_seen *seen = tcm_task_seen(ts, cmd);

		if (tcm_cmd_is_unwanted(cmd)) {
			/* Its walk is seen below; pairs with tcm_task_hold_nexus(). */
			smp_rmb();
			if (cmd->task.parked)
				tcm_task_let_go(ts, cmd);
			continue;
		}
		if (!cmd->task.enabled && tcm_task_may_run(ts, cmd, seen)) {
			cmd->task.enabled = true;
			if (cmd->task.parked)
				tcm_task_let_go(ts, cmd);
		}
		seen->older = true;
		seen->block |= cmd->task.attr != TCM_ATTR_SIMPLE;
	}
}

/* Put @cmd, whose state word was @seen, on the list unless it is there or somebody else by now. */
static bool tcm_task_list(struct tcm_task_set *ts, struct tcm_cmd *cmd, int seen)
{
	int gen = seen & TCM_ST_GEN_MASK;

	lockdep_assert_held(&ts->lock);
	do {
		int st = seen & TCM_ST_MASK;

		if ((st != TCM_ST_DATA && st != TCM_ST_EXEC) || seen & TCM_ST_TASK ||
		    (seen & TCM_ST_GEN_MASK) != gen)
			return false;
	} while (!atomic_try_cmpxchg(&cmd->state, &seen, seen | TCM_ST_TASK));
	cmd->task.parked = false;
	cmd->task.enabled = false;
	cmd->task.attr = TCM_ATTR_SIMPLE;
	cmd->map->tasks++;
	ts->count++;
	return true;
}

static bool tcm_task_visit(struct tcm_cmd *cmd, void *arg)
{
	struct tcm_task_set *ts = arg;
	int st = atomic_read_acquire(&cmd->state);
	unsigned long flags;

	/* One that is not SIMPLE comes by itself. */
	if (!tcm_cmd_in_task_set(st) || st & TCM_ST_ATTR)
		return false;
	if (cmd->dev != ts->dev || !tcm_task_counts(cmd))
		return false;
	spin_lock_irqsave(&ts->lock, flags);
	/* It came before there was a list, and may run already. */
	if (tcm_task_list(ts, cmd, st)) {
		list_add(&cmd->task.node, &ts->tasks);
		cmd->task.enabled = true;
	}
	spin_unlock_irqrestore(&ts->lock, flags);
	return false;
}

/* Set the gates, and list who has passed them before. */
void tcm_task_survey(struct tcm_task_set *ts)
{
	struct tcm_device *dev = ts->dev;
	struct tcm_mapping *map = NULL;
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	if (!ts->gated) {
		ts->gated = true;
		tcm_gate_device(dev, TCM_GATE_COUNTED, true);
		/* Pairs with tcm_cmd_move(): who is not seen below will see the gate. */
		smp_mb();
		while ((map = tcm_nexus_next(dev, map)))
			map->sess->ops->for_each_cmd(map->sess, NULL, tcm_task_visit, ts);
	}
	spin_lock(&ts->lock);
	ts->complete = true;
	tcm_task_schedule(ts);
	spin_unlock(&ts->lock);
	spin_unlock_irqrestore(&dev->lun_lock, flags);
}

/* SAM-5 5.3.1: TASK SET FULL when there is no room. One of the ACA attribute is alone. */
static bool tcm_task_full(const struct tcm_task_set *ts, const struct tcm_cmd *cmd)
{
	if (cmd->attr == TCM_ATTR_ACA)
		return false;
	return (ts->max && ts->count >= ts->max) ||
	       (ts->nexus_max && cmd->map->tasks >= ts->nexus_max);
}

/* May a command that is not in the task set come into it? */
static enum tcm_sense tcm_task_admit(struct tcm_task_set *ts, const struct tcm_cmd *cmd)
{
	enum tcm_sense sense;

	lockdep_assert_held(&ts->lock);
	if (atomic_read(&cmd->state) & TCM_ST_TASK)
		return TCM_OK;
	sense = tcm_aca_admit(ts, cmd);
	if (!sense && tcm_task_counts(cmd) && tcm_task_full(ts, cmd))
		return TCM_TASK_SET_FULL;
	return sense;
}

enum tcm_sense tcm_task_refuse(struct tcm_cmd *cmd, enum tcm_sense sense)
{
	struct tcm_task_set *ts = cmd->dev->tasks;
	enum tcm_sense aca = TCM_OK;
	unsigned long flags;

	spin_lock_irqsave(&ts->lock, flags);
	if (ts->acas && !(atomic_read(&cmd->state) & TCM_ST_TASK))
		aca = tcm_aca_admit(ts, cmd);
	spin_unlock_irqrestore(&ts->lock, flags);
	return aca ?: sense;
}

/* Give it its place. Must those that came before it be looked for? */
static bool tcm_task_enter(struct tcm_task_set *ts, struct tcm_cmd *cmd)
{
	u8 attr = cmd->attr;

	lockdep_assert_held(&ts->lock);
	if (!tcm_task_list(ts, cmd, atomic_read(&cmd->state)))
		return false;
	if (attr == TCM_ATTR_SIMPLE && ts->strict)
		attr = TCM_ATTR_ORDERED;
	cmd->task.attr = attr;
	if (attr == TCM_ATTR_HEAD_OF_QUEUE)
		list_add(&cmd->task.node, &ts->tasks);
	else
		list_add_tail(&cmd->task.node, &ts->tasks);
	if (attr != TCM_ATTR_SIMPLE)
		ts->special++;
	/* Nothing can be in its way, and so nothing's place is there to take. */
	if (!ts->special && !ts->acas)
		cmd->task.enabled = true;
	else
		tcm_task_schedule(ts);
	return attr != TCM_ATTR_SIMPLE && !ts->complete;
}

void tcm_task_arrive(struct tcm_cmd *cmd)
{
	struct tcm_task_set *ts;
	unsigned long flags;
	bool survey = false;

	if (!cmd->map)
		return;
	ts = cmd->dev->tasks;
	spin_lock_irqsave(&ts->lock, flags);
	cmd->sense = tcm_task_admit(ts, cmd);
	if (!cmd->sense && tcm_task_counts(cmd))
		survey = tcm_task_enter(ts, cmd);
	spin_unlock_irqrestore(&ts->lock, flags);
	if (survey)
		tcm_task_survey(ts);
}

enum tcm_sense tcm_task_gate(struct tcm_cmd *cmd)
{
	struct tcm_task_set *ts = cmd->dev->tasks;
	enum tcm_sense sense = TCM_OK;
	unsigned long flags;

	tcm_task_arrive(cmd);
	if (cmd->sense || !tcm_task_counts(cmd))
		return cmd->sense;
	spin_lock_irqsave(&ts->lock, flags);
	if (!cmd->task.enabled && !tcm_cmd_is_unwanted(cmd)) {
		cmd->task.parked = true;
		WRITE_ONCE(cmd->flags, cmd->flags | TCM_CMD_PARKED);
		if (!ts->parked++)
			mod_delayed_work(tcm_task_wq, &ts->work, TCM_TASK_TICK);
		sense = TCM_PENDING;
	}
	/* From here on one that waits may be over and gone. */
	spin_unlock_irqrestore(&ts->lock, flags);
	return sense;
}

void tcm_task_lingers(struct tcm_task_set *ts)
{
	lockdep_assert_held(&ts->lock);
	ts->idle = jiffies;
	queue_delayed_work(tcm_task_wq, &ts->work, TCM_TASK_LINGER);
}

void tcm_task_leave(struct tcm_cmd *cmd)
{
	struct tcm_task_set *ts = cmd->dev->tasks;
	unsigned long flags;

	spin_lock_irqsave(&ts->lock, flags);
	list_del(&cmd->task.node);
	cmd->map->tasks--;
	ts->count--;
	if (cmd->task.attr != TCM_ATTR_SIMPLE && !--ts->special)
		tcm_task_lingers(ts);
	if (ts->parked)
		tcm_task_schedule(ts);
	spin_unlock_irqrestore(&ts->lock, flags);
}

void tcm_task_set_strict(struct tcm_device *dev, bool strict)
{
	struct tcm_task_set *ts = dev->tasks;
	unsigned long flags;
	bool changed;

	spin_lock_irqsave(&ts->lock, flags);
	changed = ts->strict != strict;
	WRITE_ONCE(ts->strict, strict);
	if (changed && !strict)
		tcm_task_lingers(ts);
	spin_unlock_irqrestore(&ts->lock, flags);
	if (changed && strict)
		tcm_task_survey(ts);
}

void tcm_task_set_per_nexus(struct tcm_device *dev, bool per_nexus)
{
	struct tcm_task_set *ts = dev->tasks;
	unsigned long flags;

	spin_lock_irqsave(&ts->lock, flags);
	WRITE_ONCE(ts->per_nexus, per_nexus);
	tcm_task_schedule(ts);
	spin_unlock_irqrestore(&ts->lock, flags);
}

void tcm_task_limit(struct tcm_device *dev, u32 max, u32 nexus_max)
{
	struct tcm_task_set *ts = dev->tasks;

	spin_lock_irq(&ts->lock);
	ts->max = max;
	ts->nexus_max = nexus_max;
	tcm_task_lingers(ts);
	spin_unlock_irq(&ts->lock);
	if (max || nexus_max)
		tcm_task_survey(ts);
}

/* Open the gates when there was no special command for a while; else when to look again. */
static unsigned long tcm_task_end(struct tcm_task_set *ts)
{
	struct tcm_device *dev = ts->dev;
	unsigned long again = 0;

	spin_lock_irq(&dev->lun_lock);
	spin_lock(&ts->lock);
	if (ts->parked) {
		tcm_task_schedule(ts);
		again = TCM_TASK_TICK;
	} else if (ts->special || ts->strict || ts->acas || ts->max || ts->nexus_max) {
		/* Whose end, or the end of which, queues the work anew. */
	} else if (time_before(jiffies, ts->idle + TCM_TASK_LINGER)) {
		again = TCM_TASK_LINGER;
	} else if (ts->gated) {
		ts->gated = false;
		ts->complete = false;
		tcm_gate_device(dev, TCM_GATE_COUNTED, false);
	}
	spin_unlock(&ts->lock);
	spin_unlock_irq(&dev->lun_lock);
	return again;
}

static void tcm_task_work(struct work_struct *work)
{
	struct tcm_task_set *ts = container_of(to_delayed_work(work), struct tcm_task_set, work);
	unsigned long again = tcm_task_end(ts);

	if (again)
		queue_delayed_work(tcm_task_wq, &ts->work, again);
}

int tcm_task_device_init(struct tcm_device *dev)
{
	struct tcm_task_set *ts = kzalloc(sizeof(*ts), GFP_KERNEL);

	if (!ts)
		return -ENOMEM;
	ts->dev = dev;
	spin_lock_init(&ts->lock);
	INIT_LIST_HEAD(&ts->tasks);
	INIT_DELAYED_WORK(&ts->work, tcm_task_work);
	dev->tasks = ts;
	return 0;
}

void tcm_task_device_exit(struct tcm_device *dev)
{
	if (!dev->tasks)
		return;
	cancel_delayed_work_sync(&dev->tasks->work);
	kfree(dev->tasks);
}

int tcm_task_init(void)
{
	/* Commands that wait for its tick may be those that write memory out. */
	tcm_task_wq = alloc_workqueue("tcm_task", WQ_MEM_RECLAIM, 0);
	return tcm_task_wq ? 0 : -ENOMEM;
}

void tcm_task_exit(void)
{
	destroy_workqueue(tcm_task_wq);
}
