/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The gate: one word per I_T_L nexus. Zero lets a command pass with one load; any
 * bit sends it through tcm_gate_check().
 */
#ifndef _TCM_GATE_H
#define _TCM_GATE_H

#include <tcm/cmd.h>

/*
 * Why a command must not run now, or TCM_OK; TCM_PENDING when it has to wait: resume(cmd) is
 * called by the hop when it may run or was aborted. May sleep.
 */
enum tcm_sense tcm_gate_check(struct tcm_cmd *cmd, unsigned long gate,
			      void (*resume)(struct tcm_cmd *cmd));

/*
 * A command has got its blocks, maybe long after it passed the gate: TCM_OK, TCM_TASK_ABORTED when
 * nobody waits for it any more, or what a state that was entered meanwhile has to say (a
 * reservation, an access state, a wipe). A wipe that begins
 * from here on waits for the command. Any context; takes dev->lun_lock.
 */
enum tcm_sense tcm_gate_granted(struct tcm_cmd *cmd);

/* Does what shut the gate of @map refuse a row? dev->lun_lock held. */
typedef bool (*tcm_gate_stops_fn)(const struct tcm_mapping *map, const struct tcm_opcode *op);

/* How long who shut a gate waits for those that had passed it: what hangs is not waited for. */
#define TCM_GATE_PASSED_WAIT	HZ

/*
 * The gates of a device have been shut by a reservation or an access state. Mark the commands, all
 * but @but, that may have read theirs before and would be refused now, as @stops tells; are any of
 * those marked, by whomever, still to come back? Any context; take dev->lun_lock.
 */
void tcm_gate_mark_passed(struct tcm_device *dev, const struct tcm_cmd *but,
			  tcm_gate_stops_fn stops);
bool tcm_gate_passed_left(struct tcm_device *dev);

/*
 * The I_T_L nexuses of a device, those that are removed but not gone among them: the one after
 * @map, the first after NULL; NULL: there is no other. dev->lun_lock held from first to last.
 */
struct tcm_mapping *tcm_nexus_next(struct tcm_device *dev, struct tcm_mapping *map);

/* Set or clear one bit on every nexus of a device. dev->lun_lock held. */
void tcm_gate_device(struct tcm_device *dev, enum tcm_gate bit, bool set);

#endif
