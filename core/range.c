// SPDX-License-Identifier: GPL-2.0-only
/*
 * Locks on ranges of logical blocks.
 *
 * Exclusive commands (COMPARE AND WRITE, ORWRITE, WRITE ATOMIC, a FORMAT UNIT or SANITIZE that
 * begins) are alone on their blocks; all others share them. Two accesses conflict when they
 * overlap and one of them is exclusive; then the one that came first runs first.
 *
 * Nobody pays for this while there is no exclusive command. With the first one TCM_GATE_RANGE is
 * set on every nexus: who executes from then on is tracked in the tree. Those that passed the gate
 * before are not, so the survey asks the fabrics for their commands: one that executes, is not
 * tracked and overlaps holds the exclusive one back. A command moves to TCM_ST_EXEC before it reads
 * the gate and the survey looks at states after it has set the gate, so none is missed. One that
 * waits at the gate (TCM_CMD_PARKED), maybe for the exclusive one, holds back nobody: it reads the
 * gate anew when it goes on.
 * Between surveys there is a tick; only when the disk is already at work on the very blocks does a
 * command wait for it. Some time after the last exclusive command the gates open again.
 *
 * A watch (a ROD token's blocks) is taken by who has the blocks for itself; while there is one the
 * gates stay closed, so every write is in the tree before it runs, and that clears the watch.
 *
 * Nothing waits for ever: a command that waits and is not wanted any more is let go by the next
 * tick, and its own code sees that. One that is aborted while the backend has it keeps its blocks
 * until it comes back: whoever overlaps waits, or is aborted.
 */
#include <linux/interval_tree_generic.h>
#include <linux/jiffies.h>
#include <tcm/fabric.h>
#include "cmd.h"
#include "device.h"
#include "gate.h"
#include "hop.h"
#include "opcode.h"
#include "range.h"

/* How often is looked at those that wait */
#define TCM_RANGE_TICK		max(HZ / 100, 1)
/* How long commands are tracked after the last exclusive one: the next is seldom alone. */
#define TCM_RANGE_LINGER	(HZ / 5)

static struct workqueue_struct *tcm_range_wq;

#define tcm_span_start(n)	((n)->start)
#define tcm_span_last(n)	((n)->last)

/* The kernel's own instance is there only where a driver has selected it. */
INTERVAL_TREE_DEFINE(struct interval_tree_node, rb, unsigned long, __subtree_last,
		     tcm_span_start, tcm_span_last, static inline, tcm_span)

#define tcm_range_of(n)	container_of(n, struct tcm_range, node)

static struct interval_tree_node *tcm_range_first(struct tcm_ranges *rs, u64 first, u64 last)
{
	lockdep_assert_held(&rs->lock);
	return tcm_span_iter_first(&rs->tree, first, last);
}

/* Is everything that it conflicts with behind it? */
static bool tcm_range_free(struct tcm_ranges *rs, const struct tcm_range *r)
{
	struct interval_tree_node *n;

	for (n = tcm_range_first(rs, r->node.start, r->node.last); n;
	     n = tcm_span_iter_next(n, r->node.start, r->node.last)) {
		const struct tcm_range *o = tcm_range_of(n);

		if (o->seq < r->seq && (o->excl || r->excl))
			return false;
	}
	return true;
}

static bool tcm_range_may_run(struct tcm_ranges *rs, const struct tcm_range *r)
{
	lockdep_assert_held(&rs->lock);
	return (!r->excl || r->settled) && tcm_range_free(rs, r);
}

static void tcm_watch_off(struct tcm_ranges *rs, struct tcm_watch *w)
{
	unsigned int i;

	lockdep_assert_held(&rs->lock);
	if (w->on)
		for (i = 0; i < w->n; i++)
			tcm_span_remove(&w->spans[i].node, &rs->watches);
	WRITE_ONCE(w->on, false);
}

/* These blocks are about to be changed. */
static void tcm_watch_clear(struct tcm_ranges *rs, u64 first, u64 last)
{
	struct interval_tree_node *n;

	lockdep_assert_held(&rs->lock);
	if (likely(RB_EMPTY_ROOT(&rs->watches.rb_root)))
		return;
	while ((n = tcm_span_iter_first(&rs->watches, first, last)))
		tcm_watch_off(rs, container_of(n, struct tcm_watch_span, node)->watch);
}

void tcm_watch_add(struct tcm_device *dev, struct tcm_watch *w)
{
	struct tcm_ranges *rs = &dev->ranges;
	unsigned long flags;
	unsigned int i;

	spin_lock_irqsave(&rs->lock, flags);
	for (i = 0; i < w->n; i++) {
		w->spans[i].watch = w;
		tcm_span_insert(&w->spans[i].node, &rs->watches);
	}
	WRITE_ONCE(w->on, true);
	spin_unlock_irqrestore(&rs->lock, flags);
}

void tcm_watch_del(struct tcm_device *dev, struct tcm_watch *w)
{
	unsigned long flags;

	spin_lock_irqsave(&dev->ranges.lock, flags);
	tcm_watch_off(&dev->ranges, w);
	spin_unlock_irqrestore(&dev->ranges.lock, flags);
}

void tcm_watch_hit(struct tcm_device *dev, u64 first, u64 last)
{
	unsigned long flags;

	spin_lock_irqsave(&dev->ranges.lock, flags);
	tcm_watch_clear(&dev->ranges, first, last);
	spin_unlock_irqrestore(&dev->ranges.lock, flags);
}

static void tcm_range_run(struct tcm_ranges *rs, struct tcm_range *r)
{
	r->runs = true;
	if (r->writes)
		tcm_watch_clear(rs, r->node.start, r->node.last);
	rs->waiting--;
	r->run(r);
}

/* An untracked command on [first, last] holds back whoever is being surveyed. */
static void tcm_range_hold(struct tcm_ranges *rs, u64 first, u64 last)
{
	struct interval_tree_node *n;

	spin_lock(&rs->lock);
	for (n = tcm_range_first(rs, first, last); n;
	     n = tcm_span_iter_next(n, first, last))
		tcm_range_of(n)->surveyed = false;
	spin_unlock(&rs->lock);
}

bool tcm_range_blocks(const struct tcm_cmd *cmd, u64 *first, u64 *last)
{
	const struct tcm_opcode *op = cmd->op;

	if (!op || (op->flags & (TCM_OP_MEDIUM | TCM_OP_NO_RANGE)) != TCM_OP_MEDIUM)
		return false;
	*first = 0;
	*last = U64_MAX;
	/* Several extents, as UNMAP has: taken for all blocks. */
	if (!op->lba_at)
		return true;
	if (!cmd->nblocks)
		return false;
	*first = cmd->lba;
	if (cmd->lba + cmd->nblocks - 1 >= cmd->lba)
		*last = cmd->lba + cmd->nblocks - 1;
	return true;
}

struct tcm_range_walk {
	struct tcm_device	*dev;
	bool			untracked;	/* there was one */
};

static bool tcm_range_visit(struct tcm_cmd *cmd, void *arg)
{
	struct tcm_range_walk *walk = arg;
	int st = atomic_read_acquire(&cmd->state);
	u64 first, last;

	/* Aborted or not: what the backend has, it has. */
	if ((st & TCM_ST_MASK) != TCM_ST_EXEC || cmd->dev != walk->dev)
		return false;
	if ((READ_ONCE(cmd->flags) & (TCM_CMD_RANGED | TCM_CMD_PARKED)) ||
	    !tcm_range_blocks(cmd, &first, &last))
		return false;
	if (cmd->op->flags & TCM_OP_EXCL)
		return false;
	smp_rmb(); /* what was looked at was read before this */
	if ((atomic_read(&cmd->state) ^ st) & (TCM_ST_GEN_MASK | TCM_ST_MASK))
		return false;
	walk->untracked = true;
	tcm_range_hold(&walk->dev->ranges, first, last);
	return false;
}

/* Set the gates if they are not, and settle the exclusive ones that nothing untracked overlaps. */
static void tcm_range_survey(struct tcm_device *dev)
{
	struct tcm_range_walk walk = { .dev = dev };
	struct tcm_ranges *rs = &dev->ranges;
	struct interval_tree_node *n;
	struct tcm_mapping *map = NULL;
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	if (!rs->gated) {
		rs->gated = true;
		tcm_gate_device(dev, TCM_GATE_RANGE, true);
	}
	/* Pairs with tcm_cmd_move(): who is not in TCM_ST_EXEC below will see the gate. */
	smp_mb();
	spin_lock(&rs->lock);
	for (n = tcm_range_first(rs, 0, ULONG_MAX); n;
	     n = tcm_span_iter_next(n, 0, ULONG_MAX))
		tcm_range_of(n)->surveyed = tcm_range_of(n)->excl;
	spin_unlock(&rs->lock);

	while ((map = tcm_nexus_next(dev, map)))
		map->sess->ops->for_each_cmd(map->sess, NULL, tcm_range_visit, &walk);

	spin_lock(&rs->lock);
	rs->quiet = !walk.untracked;
	for (n = tcm_range_first(rs, 0, ULONG_MAX); n;
	     n = tcm_span_iter_next(n, 0, ULONG_MAX)) {
		struct tcm_range *r = tcm_range_of(n);

		/* One that came meanwhile makes a survey of its own. */
		if (!r->surveyed)
			continue;
		r->settled = true;
		if (!r->runs && tcm_range_may_run(rs, r))
			tcm_range_run(rs, r);
	}
	spin_unlock(&rs->lock);
	spin_unlock_irqrestore(&dev->lun_lock, flags);
}

static void tcm_range_set(struct tcm_ranges *rs, struct tcm_range *r, u64 first, u64 last,
			  bool excl)
{
	lockdep_assert_held(&rs->lock);
	r->node.start = first;
	r->node.last = last;
	r->excl = excl;
	r->seq = rs->seq++;
	r->surveyed = false;
	r->settled = rs->quiet;
}

bool tcm_range_add(struct tcm_device *dev, struct tcm_range *r, u64 first, u64 last, bool excl)
{
	struct tcm_ranges *rs = &dev->ranges;
	unsigned long flags;
	bool runs, settled;

	if (excl)
		tcm_device_get(dev);
	spin_lock_irqsave(&rs->lock, flags);
	tcm_range_set(rs, r, first, last, excl);
	tcm_span_insert(&r->node, &rs->tree);
	rs->excl += excl;
	r->runs = tcm_range_may_run(rs, r);
	runs = r->runs;
	settled = r->settled;
	if (runs && r->writes)
		tcm_watch_clear(rs, first, last);
	if (!runs) {
		rs->waiting++;
		mod_delayed_work(tcm_range_wq, &rs->work, TCM_RANGE_TICK);
	} else if (excl) {
		queue_delayed_work(tcm_range_wq, &rs->work, TCM_RANGE_LINGER);
	}
	/* From here on one that waits may be over and gone, and with it what it held. */
	spin_unlock_irqrestore(&rs->lock, flags);
	if (excl) {
		if (!settled)
			tcm_range_survey(dev);
		tcm_device_put(dev);
	}
	return runs;
}

bool tcm_range_try(struct tcm_device *dev, struct tcm_range *r, u64 first, u64 last)
{
	struct tcm_ranges *rs = &dev->ranges;
	unsigned long flags;
	bool runs;

	spin_lock_irqsave(&rs->lock, flags);
	tcm_range_set(rs, r, first, last, false);
	runs = tcm_range_may_run(rs, r);
	if (runs)
		tcm_span_insert(&r->node, &rs->tree);
	r->runs = runs;
	spin_unlock_irqrestore(&rs->lock, flags);
	return runs;
}

void tcm_range_drop(struct tcm_device *dev, struct tcm_range *r)
{
	struct tcm_ranges *rs = &dev->ranges;
	struct interval_tree_node *n;
	unsigned long flags;

	spin_lock_irqsave(&rs->lock, flags);
	tcm_span_remove(&r->node, &rs->tree);
	if (r->excl && !--rs->excl)
		rs->idle = jiffies;
	if (rs->waiting) {
		for (n = tcm_range_first(rs, r->node.start, r->node.last); n;
		     n = tcm_span_iter_next(n, r->node.start, r->node.last))
			if (!tcm_range_of(n)->runs && tcm_range_may_run(rs, tcm_range_of(n)))
				tcm_range_run(rs, tcm_range_of(n));
	}
	spin_unlock_irqrestore(&rs->lock, flags);
}

/* Let go who waits and is not wanted any more. Return: how many still wait. */
static unsigned int tcm_range_let_go(struct tcm_ranges *rs)
{
	struct interval_tree_node *n;
	unsigned int waiting;

	spin_lock_irq(&rs->lock);
	if (rs->waiting) {
		for (n = tcm_range_first(rs, 0, ULONG_MAX); n;
		     n = tcm_span_iter_next(n, 0, ULONG_MAX)) {
			struct tcm_range *r = tcm_range_of(n);

			if (!r->runs && r->cmd && tcm_cmd_is_unwanted(r->cmd))
				tcm_range_run(rs, r);
		}
	}
	waiting = rs->waiting;
	spin_unlock_irq(&rs->lock);
	return waiting;
}

/* Open the gates when there was no exclusive command for a while. */
static bool tcm_range_end(struct tcm_device *dev)
{
	struct tcm_ranges *rs = &dev->ranges;
	bool end;

	spin_lock_irq(&dev->lun_lock);
	spin_lock(&rs->lock);
	end = !rs->excl && RB_EMPTY_ROOT(&rs->watches.rb_root) &&
	      time_after_eq(jiffies, rs->idle + TCM_RANGE_LINGER);
	if (end) {
		rs->quiet = false;
		rs->gated = false;
		tcm_gate_device(dev, TCM_GATE_RANGE, false);
	}
	spin_unlock(&rs->lock);
	spin_unlock_irq(&dev->lun_lock);
	return end;
}

static void tcm_range_tick(struct work_struct *work)
{
	struct tcm_ranges *rs = container_of(to_delayed_work(work), struct tcm_ranges, work);
	struct tcm_device *dev = container_of(rs, struct tcm_device, ranges);
	unsigned int waiting = tcm_range_let_go(rs);

	if (waiting && !READ_ONCE(rs->quiet))
		tcm_range_survey(dev);
	if (waiting || !tcm_range_end(dev))
		queue_delayed_work(tcm_range_wq, &rs->work,
				   waiting ? TCM_RANGE_TICK : TCM_RANGE_LINGER);
}

static void tcm_range_resume(struct tcm_range *r)
{
	tcm_hop_queue(r->cmd, r->cmd->resume);
}

static void tcm_range_track(struct tcm_cmd *cmd, void (*resume)(struct tcm_cmd *cmd))
{
	cmd->resume = resume;
	cmd->range.cmd = cmd;
	cmd->range.run = tcm_range_resume;
	cmd->range.writes = (cmd->op->flags & (TCM_OP_WRITES | TCM_OP_EXTENTS)) == TCM_OP_WRITES;
	/* Before it is in the tree: a survey in between has come first anyway. */
	cmd->flags |= TCM_CMD_RANGED;
}

enum tcm_sense tcm_range_enter(struct tcm_cmd *cmd, void (*resume)(struct tcm_cmd *cmd))
{
	u64 first, last;

	/* Exclusive ones take their blocks by themselves, when they know them to be there. */
	if (!tcm_range_blocks(cmd, &first, &last) || (cmd->op->flags & TCM_OP_EXCL))
		return TCM_OK;
	tcm_range_track(cmd, resume);
	return tcm_range_add(cmd->dev, &cmd->range, first, last, false) ? TCM_OK : TCM_PENDING;
}

bool tcm_range_lock(struct tcm_cmd *cmd, void (*resume)(struct tcm_cmd *cmd))
{
	u64 first, last;

	if (!tcm_range_blocks(cmd, &first, &last))
		return true;
	tcm_range_track(cmd, resume);
	return tcm_range_add(cmd->dev, &cmd->range, first, last, true);
}

void tcm_range_leave(struct tcm_cmd *cmd)
{
	tcm_range_drop(cmd->dev, &cmd->range);
}

void tcm_range_device_init(struct tcm_device *dev)
{
	struct tcm_ranges *rs = &dev->ranges;

	spin_lock_init(&rs->lock);
	rs->tree = RB_ROOT_CACHED;
	rs->watches = RB_ROOT_CACHED;
	INIT_DELAYED_WORK(&rs->work, tcm_range_tick);
}

void tcm_range_device_exit(struct tcm_device *dev)
{
	cancel_delayed_work_sync(&dev->ranges.work);
}

int tcm_range_init(void)
{
	/* Commands that wait for its tick may be those that write memory out. */
	tcm_range_wq = alloc_workqueue("tcm_range", WQ_MEM_RECLAIM, 0);
	return tcm_range_wq ? 0 : -ENOMEM;
}

void tcm_range_exit(void)
{
	destroy_workqueue(tcm_range_wq);
}
