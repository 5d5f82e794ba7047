/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _TCM_TMF_H
#define _TCM_TMF_H

#include <tcm/fabric.h>

/*
 * Is a task management function carried out for @dev? REPORT SUPPORTED TASK MANAGEMENT FUNCTIONS
 * tells.
 */
bool tcm_tmf_supported(const struct tcm_device *dev, enum tcm_tmf_func func);

/* Which nexuses are meant; called with dev->lun_lock held */
typedef bool (*tcm_map_fn)(const struct tcm_mapping *map, void *arg);

/*
 * PREEMPT AND ABORT (SPC-4 5.13.11.2.6): abort every command of the nexuses of @dev that @match
 * picks, with TASK ABORTED where that is on, else a unit attention; end their ACA conditions and
 * copies, and let the medium out. Takes dev->lun_lock; waits for nothing.
 */
void tcm_tmf_abort_maps(struct tcm_device *dev, tcm_map_fn match, void *arg);
/* How many of those nexuses' aborted commands may still change the medium? */
unsigned int tcm_tmf_writes_left(struct tcm_device *dev, tcm_map_fn match, void *arg);

/*
 * A command ends with CHECK CONDITION and QERR is not zero: abort what else is in the task set, or
 * what of it is the nexus's. Any context; takes dev->lun_lock.
 */
void tcm_tmf_qerr(const struct tcm_cmd *cmd);

#endif
