/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Ranges of logical blocks that are being accessed: the parts that commands and devices embed.
 * core/range.c has the rules.
 */
#ifndef _TCM_RANGE_H
#define _TCM_RANGE_H

#include <linux/interval_tree.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>

struct tcm_cmd;

/* The tree counts in unsigned long. */
static_assert(sizeof(unsigned long) == sizeof(u64));

/*
 * One access. All members are protected by the device's tcm_ranges.lock from the moment that it
 * is in the tree; node.start and node.last are logical blocks, both included.
 */
struct tcm_range {
	struct interval_tree_node node;
	u64		seq;		/* order of arrival */
	struct tcm_cmd	*cmd;		/* for whom; NULL: nobody can abort it */
	/* may run now; called once, under the lock, in any context: it queues and returns */
	void		(*run)(struct tcm_range *r);
	bool		excl;		/* alone on its blocks */
	bool		writes;		/* changes them: who watches them is to know */
	bool		runs;
	bool		settled;	/* @excl: nothing untracked is on its blocks */
	bool		surveyed;	/* @excl: the survey that runs decides on it */
};

struct tcm_watch;

struct tcm_watch_span {
	struct interval_tree_node node;		/* blocks, both included */
	struct tcm_watch	*watch;
};

/*
 * Blocks that somebody has to know unchanged. @on is cleared once one of them may have been; it is
 * protected by the device's tcm_ranges.lock, and read without.
 */
struct tcm_watch {
	bool			on;
	unsigned int		n;
	struct tcm_watch_span	*spans;
};

struct tcm_ranges {
	/* @lock protects all of this but @gated */
	spinlock_t		lock;
	struct rb_root_cached	tree;		/* struct tcm_range that run or wait */
	struct rb_root_cached	watches;	/* struct tcm_watch_span */
	u64			seq;
	unsigned int		excl;		/* exclusive ones in @tree */
	unsigned int		waiting;	/* in @tree and not running */
	unsigned long		idle;		/* jiffies when the last exclusive one went */
	bool			quiet;		/* every command on the device is in @tree */
	bool			gated;		/* the gates send commands here; dev->lun_lock */
	struct delayed_work	work;
};

#endif
