/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Locks on ranges of logical blocks: core/range.c.
 */
#ifndef _TCM_CORE_RANGE_H
#define _TCM_CORE_RANGE_H

#include <tcm/cmd.h>

int tcm_range_init(void);
void tcm_range_exit(void);

void tcm_range_device_init(struct tcm_device *dev);
/* No access is left. May sleep. */
void tcm_range_device_exit(struct tcm_device *dev);

/*
 * An access to [first, last] on behalf of @r->cmd begins; @r->cmd and @r->run are set. Return:
 * true when it may run; else r->run() is called when it may, or when the command is aborted.
 * Any context; an exclusive one takes dev->lun_lock.
 */
bool tcm_range_add(struct tcm_device *dev, struct tcm_range *r, u64 first, u64 last, bool excl);

/*
 * The same for one that reads, holds other blocks and so must not wait. Return: false, and nothing
 * has begun, when it would have to. Any context.
 */
bool tcm_range_try(struct tcm_device *dev, struct tcm_range *r, u64 first, u64 last);

/* It has ended. Any context. */
void tcm_range_drop(struct tcm_device *dev, struct tcm_range *r);

/*
 * A command that found TCM_GATE_RANGE. Return: TCM_OK, or TCM_PENDING when resume(cmd) is called
 * by the hop once the command may run or was aborted. tcm_cmd_complete() ends it.
 */
enum tcm_sense tcm_range_enter(struct tcm_cmd *cmd, void (*resume)(struct tcm_cmd *cmd));

/*
 * A command of a row with TCM_OP_EXCL wants its blocks for itself until tcm_cmd_complete().
 * Return: true when it has them; else resume(cmd) is called as above. Process context.
 */
bool tcm_range_lock(struct tcm_cmd *cmd, void (*resume)(struct tcm_cmd *cmd));

/* The blocks that a command accesses; false: none. Any context. */
bool tcm_range_blocks(const struct tcm_cmd *cmd, u64 *first, u64 *last);

/*
 * Watch the spans of @w, of which the caller has a range around all of them for itself. Nobody
 * changes one of their blocks from here on without @w->on being cleared before. Any context.
 */
void tcm_watch_add(struct tcm_device *dev, struct tcm_watch *w);
/* No longer; @w may have been hit before. Any context. */
void tcm_watch_del(struct tcm_device *dev, struct tcm_watch *w);
/* For a command with TCM_OP_EXTENTS: it is about to change these blocks. Any context. */
void tcm_watch_hit(struct tcm_device *dev, u64 first, u64 last);

/* For tcm_cmd_complete(): a command with TCM_CMD_RANGED has ended. Any context. */
void tcm_range_leave(struct tcm_cmd *cmd);

#endif
