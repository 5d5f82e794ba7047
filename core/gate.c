// SPDX-License-Identifier: GPL-2.0-only
/*
 * The slow path of the gate: everything that is checked only while some bit is set.
 */
#include <linux/bitops.h>
#include "alua_state.h"
#include "cmd.h"
#include "gate.h"
#include "hop.h"
#include "opcode.h"
#include "orphan.h"
#include "range.h"
#include "pr.h"
#include "sbc.h"
#include "session.h"
#include "task.h"
#include "thin.h"
#include "ua.h"
#include "wipe.h"

/* The first command on a nexus gives it its counters. */
static enum tcm_sense tcm_gate_stats(struct tcm_cmd *cmd)
{
	if (tcm_map_stats_alloc(cmd->map))
		return TCM_BUSY;
	if (cmd->flags & TCM_CMD_PINNED) {
		this_cpu_inc(cmd->map->stats->started);
		cmd->flags ^= TCM_CMD_PINNED | TCM_CMD_COUNTED;
		/* Who no longer sees the pin sees the count; pairs with tcm_map_quiet(). */
		smp_mb__before_atomic();
		atomic_dec(&cmd->map->pinned);
	}
	return TCM_OK;
}

/* What refuses a command for a state of the unit, the port or the nexus, and does nothing else */
static enum tcm_sense tcm_gate_judge(struct tcm_cmd *cmd, unsigned long gate)
{
	const struct tcm_opcode *op = cmd->op;
	enum tcm_sense sense;

	if (gate & BIT(TCM_GATE_RESERVED)) {
		sense = tcm_pr_check(cmd);
		if (sense)
			return sense;
	}
	if (gate & BIT(TCM_GATE_ALUA)) {
		sense = tcm_alua_check(cmd);
		if (sense)
			return sense;
	}
	if ((gate & BIT(TCM_GATE_DEAD)) && (op->flags & (TCM_OP_MEDIUM | TCM_OP_WRITES)))
		return TCM_LUN_FAILURE;
	if ((gate & BIT(TCM_GATE_EJECTED)) && (op->flags & TCM_OP_READY))
		return TCM_MEDIUM_NOT_PRESENT;
	if ((gate & BIT(TCM_GATE_STOPPED)) && (op->flags & TCM_OP_READY))
		return TCM_NOT_READY_INIT_REQUIRED;
	if ((gate & BIT(TCM_GATE_WP)) && (op->flags & TCM_OP_WRITES))
		return TCM_WRITE_PROTECTED;
	if ((gate & BIT(TCM_GATE_SWP)) && (op->flags & TCM_OP_WRITES))
		return TCM_SW_WRITE_PROTECTED;
	if (gate & BIT(TCM_GATE_WIPE))
		return tcm_wipe_check(cmd);
	return TCM_OK;
}

enum tcm_sense tcm_gate_check(struct tcm_cmd *cmd, unsigned long gate,
			      void (*resume)(struct tcm_cmd *cmd))
{
	const struct tcm_opcode *op = cmd->op;
	enum tcm_sense sense;

	if ((gate & BIT(TCM_GATE_QUEUE)) && !(cmd->flags & TCM_CMD_HOPPED)) {
		/* The order is that in which they come, not that in which they hop. */
		if (gate & BIT(TCM_GATE_COUNTED))
			tcm_task_arrive(cmd);
		tcm_hop_queue(cmd, tcm_cmd_rerun);
		return TCM_PENDING;
	}
	if (gate & BIT(TCM_GATE_STATS)) {
		sense = tcm_gate_stats(cmd);
		if (sense)
			return sense;
	}
	/* All else is looked at when the command may run (SAM-5 8.5). */
	if (gate & BIT(TCM_GATE_COUNTED)) {
		sense = tcm_task_gate(cmd);
		if (sense)
			return sense;
	}
	if ((gate & BIT(TCM_GATE_UA)) && !(op->flags & TCM_OP_NO_UA) &&
	    !(op->flags & TCM_OP_PASSTHRU && cmd->cdb[0] == INQUIRY)) {
		tcm_thin_arrive(cmd->map);
		sense = tcm_ua_report(cmd->map, &cmd->extra);
		if (sense)
			return sense;
	}
	sense = tcm_gate_judge(cmd, gate);
	if (sense)
		return sense;
	if (gate & BIT(TCM_GATE_ALUA)) {
		sense = tcm_alua_slow(cmd);
		if (sense)
			return sense;
	}
	if ((gate & BIT(TCM_GATE_RESTING)) && (op->flags & TCM_OP_MEDIUM))
		tcm_sbc_set_power(cmd->dev, TCM_POWER_IS_ACTIVE);
	if (gate & BIT(TCM_GATE_ORPHAN)) {
		sense = tcm_orphan_check(cmd);
		if (sense)
			return sense;
	}
	/* Last: from here on it counts as an access. */
	if (gate & BIT(TCM_GATE_RANGE)) {
		sense = tcm_range_enter(cmd, resume);
		/* One that waits may be over and gone. */
		return sense ?: tcm_gate_granted(cmd);
	}
	return TCM_OK;
}

enum tcm_sense tcm_gate_granted(struct tcm_cmd *cmd)
{
	/*
	 * Who has seen it wait has changed the gate before; pairs with tcm_gate_visit(). A wipe
	 * sets its bit before it asks for the blocks: who gets them after it sees that, too.
	 */
	smp_mb();
	if (tcm_cmd_is_unwanted(cmd))
		return TCM_TASK_ABORTED;
	return tcm_gate_judge(cmd, READ_ONCE(cmd->map->gate));
}

struct tcm_gate_walk {
	const struct tcm_cmd	*but;
	tcm_gate_stops_fn	stops;
	const struct tcm_mapping *map;
	unsigned int		found;
};

/*
 * May it have read the gate before that became what it is, and go on from there? One that waits,
 * for its turn or for its blocks, is judged anew when it goes on.
 */
static bool tcm_gate_past(const struct tcm_cmd *cmd)
{
	u32 flags = READ_ONCE(cmd->flags);

	return !(flags & TCM_CMD_PARKED) &&
	       (!(flags & TCM_CMD_RANGED) || READ_ONCE(cmd->range.runs));
}

static bool tcm_gate_visit(struct tcm_cmd *cmd, void *arg)
{
	struct tcm_gate_walk *walk = arg;
	int st = atomic_read_acquire(&cmd->state), gen = st & TCM_ST_GEN_MASK;

	if (!tcm_cmd_in_task_set(st) || (st & TCM_ST_MASK) != TCM_ST_EXEC || cmd == walk->but ||
	    cmd->map != walk->map)
		return false;
	if (!tcm_gate_past(cmd) || !walk->stops(walk->map, cmd->op))
		return false;
	do {
		if ((st & TCM_ST_MASK) != TCM_ST_EXEC || (st & TCM_ST_GEN_MASK) != gen)
			break;
	} while (!atomic_try_cmpxchg(&cmd->state, &st, st | TCM_ST_PASSED));
	return false;
}

static bool tcm_gate_count(struct tcm_cmd *cmd, void *arg)
{
	struct tcm_gate_walk *walk = arg;
	int st = atomic_read_acquire(&cmd->state);

	if (tcm_cmd_in_task_set(st) && (st & TCM_ST_MASK) == TCM_ST_EXEC && st & TCM_ST_PASSED &&
	    cmd->map == walk->map && tcm_gate_past(cmd))
		walk->found++;
	return false;
}

static void tcm_gate_walk(struct tcm_device *dev, struct tcm_gate_walk *walk, tcm_cmd_fn fn)
{
	const unsigned long shut = BIT(TCM_GATE_RESERVED) | BIT(TCM_GATE_ALUA);
	struct tcm_mapping *map = NULL;
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	/* Pairs with tcm_cmd_move(): who is not in TCM_ST_EXEC below will see the gate. */
	smp_mb();
	while ((map = tcm_nexus_next(dev, map))) {
		if (!(READ_ONCE(map->gate) & shut))
			continue;
		walk->map = map;
		map->sess->ops->for_each_cmd(map->sess, NULL, fn, walk);
	}
	spin_unlock_irqrestore(&dev->lun_lock, flags);
}

void tcm_gate_mark_passed(struct tcm_device *dev, const struct tcm_cmd *but,
			  tcm_gate_stops_fn stops)
{
	struct tcm_gate_walk walk = { .but = but, .stops = stops };

	tcm_gate_walk(dev, &walk, tcm_gate_visit);
}

bool tcm_gate_passed_left(struct tcm_device *dev)
{
	struct tcm_gate_walk walk = { };

	tcm_gate_walk(dev, &walk, tcm_gate_count);
	return walk.found;
}

struct tcm_mapping *tcm_nexus_next(struct tcm_device *dev, struct tcm_mapping *map)
{
	struct tcm_lun *lun;

	lockdep_assert_held(&dev->lun_lock);
	if (map && !list_is_last(&map->lun_node, &map->lun->maps))
		return list_next_entry(map, lun_node);
	lun = map ? map->lun : list_entry(&dev->luns, struct tcm_lun, dev_node);
	list_for_each_entry_continue(lun, &dev->luns, dev_node)
		if (!list_empty(&lun->maps))
			return list_first_entry(&lun->maps, struct tcm_mapping, lun_node);
	return NULL;
}

void tcm_gate_device(struct tcm_device *dev, enum tcm_gate bit, bool set)
{
	struct tcm_mapping *map = NULL;

	lockdep_assert_held(&dev->lun_lock);
	while ((map = tcm_nexus_next(dev, map))) {
		if (set)
			set_bit(bit, &map->gate);
		else
			clear_bit(bit, &map->gate);
	}
}
