/* SPDX-License-Identifier: GPL-2.0-only */
/* What a task gathers for the block layer: from 6.9 on a time stamp as well, told by a flag. */
#ifndef _TCM_COMPAT_PLUG_H
#define _TCM_COMPAT_PLUG_H

#include <linux/blkdev.h>
#include <linux/sched.h>
#include <linux/version.h>

#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 9, 0)

static inline void tcm_plug_forget_time(void)
{
}

#else

static inline void tcm_plug_forget_time(void)
{
	blk_plug_invalidate_ts();
	/* Whoever preempts this task looks at the flag first. */
	barrier();
}

#endif

/* What a task is gathering, put aside */
struct tcm_gathered {
	struct bio_list	*bios;
	struct blk_plug	*plug;
};

/*
 * What is submitted from here on goes to its device at once: it neither joins a plug that may
 * be the one that is just being emptied, nor queues up behind bios of a caller below whom
 * this runs. Ends with tcm_plug_take_back().
 */
static inline struct tcm_gathered tcm_plug_put_aside(void)
{
	struct tcm_gathered g = { .bios = current->bio_list, .plug = current->plug };

	tcm_plug_forget_time();
	current->bio_list = NULL;
	current->plug = NULL;
	return g;
}

static inline void tcm_plug_take_back(const struct tcm_gathered *g)
{
	current->plug = g->plug;
	current->bio_list = g->bios;
}

#endif
