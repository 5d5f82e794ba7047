/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Auto contingent allegiance (SAM-5 5.9): core/aca.c.
 */
#ifndef _TCM_CORE_ACA_H
#define _TCM_CORE_ACA_H

#include <tcm/cmd.h>

struct tcm_task_set;

/* struct tcm_mapping.aca; the task set's lock */
#define TCM_ACA_NONE	0
#define TCM_ACA_ON	1
#define TCM_ACA_GONE	2	/* the nexus goes: there is no condition any more */

/*
 * A command that is not yet in the task set: TCM_OK when it may come, else the status or sense it
 * ends with. The task set's lock is held.
 */
enum tcm_sense tcm_aca_admit(struct tcm_task_set *ts, const struct tcm_cmd *cmd);

/* Does the condition keep a command of the task set from beginning? Its lock is held. */
bool tcm_aca_blocks(const struct tcm_task_set *ts, const struct tcm_cmd *cmd);

/* PREEMPT AND ABORT: it may end the condition of others (SAM-5 5.9, SPC-4 5.13.11.2.6). */
bool tcm_aca_passes(const struct tcm_cmd *cmd);

/* @cmd ends with CHECK CONDITION: a condition may begin, or end. Any context; takes lun_lock. */
void tcm_aca_failed(struct tcm_cmd *cmd);

/*
 * The condition of a nexus ends: what waited for that goes on. RCU or dev->lun_lock keeps @map.
 */
void tcm_aca_clear(struct tcm_mapping *map);
/* ... because the nexus goes, and no command of it may begin another one */
void tcm_aca_map_removed(struct tcm_mapping *map);
/* All of the unit's end. Takes dev->lun_lock. */
void tcm_aca_reset(struct tcm_device *dev);

#endif
