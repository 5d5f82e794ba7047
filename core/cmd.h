/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Command life inside the core.
 */
#ifndef _TCM_CORE_CMD_H
#define _TCM_CORE_CMD_H

#include <tcm/cmd.h>

/*
 * Is a command with this state word in the task set: submitted, not ended, not aborted? One that
 * is only initialised is not: its tag and the like may be those of the slot's former life.
 */
static inline bool tcm_cmd_in_task_set(int state)
{
	int st = state & TCM_ST_MASK;

	return (st == TCM_ST_DATA || st == TCM_ST_EXEC) && !(state & TCM_ST_ABORTED);
}

/* For one that the gate has put off: pass it anew. Process context. */
void tcm_cmd_rerun(struct tcm_cmd *cmd);

/*
 * Data for rows that compute their answer. tcm_cmd_put_data() copies @len bytes to
 * the data buffer, as many as allocation length and initiator allow, and sets what
 * moved; tcm_cmd_get_data() fetches up to @len bytes of parameter list and returns how many
 * there are.
 */
void tcm_cmd_put_data(struct tcm_cmd *cmd, const void *buf, unsigned int len);
unsigned int tcm_cmd_get_data(struct tcm_cmd *cmd, void *buf, unsigned int len);

#endif
