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
	if ((gate & BIT(TCM_GATE_RESTING)) && (op->flags & TCM_OP_MEDIUM))
		tcm_sbc_set_power(cmd->dev, TCM_POWER_IS_ACTIVE);
	if ((gate & BIT(TCM_GATE_WP)) && (op->flags & TCM_OP_WRITES))
		return TCM_WRITE_PROTECTED;
	if ((gate & BIT(TCM_GATE_SWP)) && (op->flags & TCM_OP_WRITES))
		return TCM_SW_WRITE_PROTECTED;
	if (gate & BIT(TCM_GATE_WIPE)) {
		sense = tcm_wipe_check(cmd);
		if (sense)
			return sense;
	}
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
	/* A wipe sets the bit before it asks for the blocks: who gets them after it sees it. */
	if (likely(!(READ_ONCE(cmd->map->gate) & BIT(TCM_GATE_WIPE))))
		return TCM_OK;
	return tcm_wipe_check(cmd);
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
