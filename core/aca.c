// SPDX-License-Identifier: GPL-2.0-only
/*
 * Auto contingent allegiance (SAM-5 5.9).
 *
 * A command with NACA in its CONTROL byte that ends with CHECK CONDITION leaves its nexus, the
 * faulted one, in this condition. Until that ends, commands that have come before wait, and those
 * that come are refused: the initiator looks at what went wrong with commands of the ACA attribute,
 * one at a time, and says CLEAR ACA.
 *
 * The condition is kept on the I_T_L nexus and counted by the task set. While there is one
 * every command on the device takes its place in the task set, as it does beside ORDERED ones:
 * nobody else pays.
 */
#include <tcm/fabric.h>
#include "aca.h"
#include "gate.h"
#include "opcode.h"
#include "pr_state.h"
#include "task.h"

bool tcm_aca_passes(const struct tcm_cmd *cmd)
{
	return cmd->cdb[0] == PERSISTENT_RESERVE_OUT &&
	       (cmd->cdb[1] & 0x1f) == TCM_PR_PREEMPT_AND_ABORT;
}

/* Is one of the ACA attribute on its way on this nexus? */
static bool tcm_aca_busy(const struct tcm_task_set *ts, const struct tcm_mapping *map)
{
	const struct tcm_cmd *other;

	list_for_each_entry(other, &ts->tasks, task.node)
		if (other->map == map && other->task.attr == TCM_ATTR_ACA &&
		    !tcm_cmd_is_unwanted(other))
			return true;
	return false;
}

/* On another nexus than the faulted one: TST tells whether that is any business of its. */
static bool tcm_aca_of_others(const struct tcm_task_set *ts, const struct tcm_cmd *cmd)
{
	return ts->acas && !ts->per_nexus && !tcm_aca_passes(cmd);
}

enum tcm_sense tcm_aca_admit(struct tcm_task_set *ts, const struct tcm_cmd *cmd)
{
	bool aca = cmd->attr == TCM_ATTR_ACA;

	lockdep_assert_held(&ts->lock);
	/* The faulted nexus */
	if (cmd->map->aca == TCM_ACA_ON)
		return aca && !tcm_aca_busy(ts, cmd->map) ? TCM_OK : TCM_ACA_ACTIVE;
	if (tcm_aca_of_others(ts, cmd))
		return tcm_cdb_naca(cmd->cdb, cmd->cdb_len) ? TCM_ACA_ACTIVE : TCM_BUSY;
	return aca ? TCM_INVALID_MESSAGE : TCM_OK;
}

bool tcm_aca_blocks(const struct tcm_task_set *ts, const struct tcm_cmd *cmd)
{
	lockdep_assert_held(&ts->lock);
	if (cmd->map->aca == TCM_ACA_ON)
		return cmd->task.attr != TCM_ATTR_ACA;
	return tcm_aca_of_others(ts, cmd);
}

/* Returns whether there was one. */
static bool tcm_aca_end(struct tcm_task_set *ts, struct tcm_mapping *map, u8 then)
{
	bool was = map->aca == TCM_ACA_ON;

	lockdep_assert_held(&ts->lock);
	map->aca = then;
	if (was) {
		ts->acas--;
		tcm_task_lingers(ts);
	}
	return was;
}

void tcm_aca_failed(struct tcm_cmd *cmd)
{
	struct tcm_task_set *ts = cmd->dev->tasks;
	struct tcm_mapping *map = cmd->map;
	bool naca = tcm_cdb_naca(cmd->cdb, cmd->cdb_len);
	unsigned long flags;
	bool begun = false;

	if ((!naca && cmd->attr != TCM_ATTR_ACA) || !cmd->dev->attr.emulate_aca)
		return;
	spin_lock_irqsave(&ts->lock, flags);
	/* The end of one of the ACA attribute ends it, or with NACA begins it anew. */
	if (cmd->attr == TCM_ATTR_ACA && map->aca == TCM_ACA_ON && !naca) {
		tcm_aca_end(ts, map, TCM_ACA_NONE);
		tcm_task_schedule(ts);
	} else if (naca && map->aca == TCM_ACA_NONE) {
		map->aca = TCM_ACA_ON;
		ts->acas++;
		begun = true;
	}
	spin_unlock_irqrestore(&ts->lock, flags);
	if (begun)
		tcm_task_survey(ts);
}

static void tcm_aca_over(struct tcm_mapping *map, u8 then)
{
	struct tcm_task_set *ts = map->lun->dev->tasks;
	unsigned long flags;

	spin_lock_irqsave(&ts->lock, flags);
	if (tcm_aca_end(ts, map, then))
		tcm_task_schedule(ts);
	spin_unlock_irqrestore(&ts->lock, flags);
}

void tcm_aca_clear(struct tcm_mapping *map)
{
	if (READ_ONCE(map->aca) == TCM_ACA_ON)
		tcm_aca_over(map, TCM_ACA_NONE);
}

void tcm_aca_map_removed(struct tcm_mapping *map)
{
	tcm_aca_over(map, TCM_ACA_GONE);
}

void tcm_aca_reset(struct tcm_device *dev)
{
	struct tcm_mapping *map = NULL;
	unsigned long flags;

	spin_lock_irqsave(&dev->lun_lock, flags);
	while ((map = tcm_nexus_next(dev, map)))
		tcm_aca_clear(map);
	spin_unlock_irqrestore(&dev->lun_lock, flags);
}
