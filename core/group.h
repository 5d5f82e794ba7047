/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The grouping function (SBC-5 4.22): commands with the same GROUP NUMBER are counted together.
 */
#ifndef _TCM_GROUP_H
#define _TCM_GROUP_H

#include <linux/atomic.h>
#include <linux/bits.h>
#include <tcm/cmd.h>

struct tcm_log_buf;

/* 1 to 31, the least that SBC-5 4.22.1 asks for; 0 is no group */
#define TCM_GROUPS		31
#define TCM_GROUPS_ALL		(~0U << 1)

struct tcm_group {
	atomic64_t	reads, writes;			/* commands */
	atomic64_t	read_blocks, written_blocks;	/* that were sent and received */
	atomic64_t	fua_reads, fua_writes;		/* of those commands */
};

/* Member of struct tcm_lu; readers do without its lock. */
struct tcm_groups {
	u32			collect;	/* bit n: commands of group n are counted */
	struct tcm_group	of[TCM_GROUPS];
};

/* A command that has TCM_CMD_GROUP has ended. Any context. */
void tcm_group_count(const struct tcm_cmd *cmd);

/* Group Statistics and Performance (n) log pages; as of struct tcm_log_page */
void tcm_group_log(struct tcm_log_buf *b, struct tcm_device *dev);
void tcm_group_log_reset(struct tcm_device *dev, const struct tcm_map_stats *now, u8 subpage);

#endif
