/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Orphans: commands that nobody waits for any more and that have not come back: core/orphan.c.
 */
#ifndef _TCM_CORE_ORPHAN_H
#define _TCM_CORE_ORPHAN_H

#include <tcm/cmd.h>

/* What a copy that has been ended may write yet: an orphan without a command of its own */
struct tcm_orphan_chunk {
	struct tcm_orphan	orphan;
	struct tcm_device	*dev;		/* held by who owns this */
	u64			first, last;	/* logical blocks, both included */
};

int tcm_orphan_init(void);
void tcm_orphan_exit(void);
void tcm_orphan_device_init(struct tcm_device *dev);

/*
 * Add @mark to the state word @seen of a command that is in the task set, and make it an orphan if
 * it executes. Return: the state that it was in, or TCM_ST_FREE when it is not there any more. Who
 * has marked the last one calls tcm_orphans_fence() before he answers anybody. Any context.
 */
enum tcm_cmd_state tcm_orphan_mark(struct tcm_cmd *cmd, int seen, int mark);

/*
 * From here on no access passes the gate that overlaps one of the orphans there are, or what a copy
 * that was ended has with a backend. Any context; takes dev->lun_lock.
 */
void tcm_orphans_fence(void);

/* A nexus is gone: what it has with backends are orphans. Any context. */
void tcm_orphans_session(struct tcm_session *sess);

/* For tcm_cmd_complete(): an orphan has ended. Any context; takes dev->lun_lock. */
void tcm_orphan_end(struct tcm_cmd *cmd);

/*
 * For core/copy.c: @chunk, but for its orphan filled in, is one; it has ended. Any context; the
 * second takes dev->lun_lock.
 */
void tcm_orphan_chunk_add(struct tcm_orphan_chunk *chunk);
void tcm_orphan_chunk_end(struct tcm_orphan_chunk *chunk);

/* Does one that writes access one of these blocks? Any context. */
bool tcm_orphan_meets(const struct tcm_device *dev, u64 first, u64 last);

/* A command that found TCM_GATE_ORPHAN: TCM_OK or TCM_BUSY. Any context. */
enum tcm_sense tcm_orphan_check(const struct tcm_cmd *cmd);

#endif
