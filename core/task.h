/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Task sets: the order in which commands run (SAM-5 8): core/task.c.
 */
#ifndef _TCM_CORE_TASK_H
#define _TCM_CORE_TASK_H

#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <tcm/cmd.h>

/* QERR of the Control mode page: what is aborted together with a command that fails */
#define TCM_QERR_NONE		0
#define TCM_QERR_ALL		1
#define TCM_QERR_NEXUS		3

/* The task set of a logical unit: one for all nexuses, or with TST 001b one for each */
struct tcm_task_set {
	struct tcm_device	*dev;
	/*
	 * @lock protects all that follows, but for @gated and @qerr, the tcm_cmd.task of the
	 * commands in @tasks and the members of nexuses that say so. Taken in any context, below
	 * dev->lun_lock and a fabric's lock of its commands; a leaf but for the queues of work.
	 */
	spinlock_t		lock;
	struct list_head	tasks;		/* HEAD OF QUEUE, then the others as they came */
	unsigned int		special;	/* in @tasks: those that are not SIMPLE */
	unsigned int		parked;		/* in @tasks: those that wait at the gate */
	unsigned int		count;		/* in @tasks */
	unsigned int		max, nexus_max;	/* TASK SET FULL beyond; 0: never */
	unsigned int		acas;		/* nexuses with an ACA condition: core/aca.c */
	u32			round;		/* counts the looks of tcm_task_schedule() */
	struct tcm_task_seen	seen;
	bool			strict;		/* SIMPLE ones keep their order, too */
	bool			per_nexus;	/* TST 001b; READ_ONCE */
	unsigned int		held;		/* walks that abort commands of several nexuses */
	bool			complete;	/* every command on the device is in @tasks */
	unsigned long		idle;		/* jiffies when the last special one went */
	bool			gated;		/* the gates send commands here; dev->lun_lock */
	u8			qerr;		/* TCM_QERR_*; READ_ONCE */
	struct delayed_work	work;
};

int tcm_task_init(void);
void tcm_task_exit(void);
int tcm_task_device_init(struct tcm_device *dev);
/* No command is left. May sleep. */
void tcm_task_device_exit(struct tcm_device *dev);

/*
 * A command that is in TCM_ST_DATA or TCM_ST_EXEC takes its place in the task set, if it has none
 * yet. Any context; takes dev->lun_lock.
 */
void tcm_task_arrive(struct tcm_cmd *cmd);

/*
 * A command that found TCM_GATE_COUNTED: TCM_OK, or TCM_PENDING when it passes the gate anew once
 * it may run or was aborted. Any context.
 */
enum tcm_sense tcm_task_gate(struct tcm_cmd *cmd);

/* For tcm_cmd_complete(): a command with TCM_ST_TASK has ended. Any context. */
void tcm_task_leave(struct tcm_cmd *cmd);

/*
 * For core/aca.c, which keeps commands from running: may more of them run? ts->lock held. And:
 * the last of what makes the set listed may have gone; ts->lock held. And: have all commands
 * listed from now on; takes dev->lun_lock. Any context.
 */
void tcm_task_schedule(struct tcm_task_set *ts);
void tcm_task_lingers(struct tcm_task_set *ts);
void tcm_task_survey(struct tcm_task_set *ts);

/*
 * While commands are aborted one after the other, none that is to go as well runs in the place of
 * one that went: of one nexus, or of all nexuses of @dev. Any context, takes ts->lock; they nest.
 */
void tcm_task_hold_nexus(struct tcm_session *sess);
void tcm_task_release_nexus(struct tcm_session *sess);
void tcm_task_hold(struct tcm_device *dev);
void tcm_task_release(struct tcm_device *dev);

/* The status of a command that has failed already: ACA has precedence. Any context. */
enum tcm_sense tcm_task_refuse(struct tcm_cmd *cmd, enum tcm_sense sense);

/* How many commands there may be on @dev, and on each nexus of it; 0: no limit. May sleep. */
void tcm_task_limit(struct tcm_device *dev, u32 max, u32 nexus_max);

/* TST of the Control mode page. Any context. */
void tcm_task_set_per_nexus(struct tcm_device *dev, bool per_nexus);

/* QUEUE ALGORITHM MODIFIER: do SIMPLE commands run in the order in which they came? Any context. */
void tcm_task_set_strict(struct tcm_device *dev, bool strict);

#endif
