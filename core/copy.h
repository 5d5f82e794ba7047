/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copying between logical units of this target: core/copy.c does it, core/spc_copy.c reads EXTENDED
 * COPY's parameter list and keeps what became of it.
 */
#ifndef _TCM_COPY_H
#define _TCM_COPY_H

#include <tcm/cmd.h>

#define TCM_COPY_CSCDS		16	/* MAXIMUM TARGET (CSCD) DESCRIPTOR COUNT */
#define TCM_COPY_SEGMENTS	16	/* MAXIMUM SEGMENT DESCRIPTOR COUNT */
#define TCM_COPY_LIST_MAX	4096	/* MAXIMUM DESCRIPTOR LIST LENGTH */
#define TCM_COPY_SEGMENT_MAX	SZ_256M	/* MAXIMUM SEGMENT LENGTH, bytes */

/* A logical unit that takes part; holds its LUN. */
struct tcm_copy_unit {
	struct tcm_lun	*lun;
	/* of the nexus that asks, when it asks */
	unsigned long	gate;
	u8		deny;		/* enum tcm_pr_deny */
	bool		away;		/* its port's access state */
};

/* A segment in bytes */
struct tcm_copy_segment {
	struct tcm_copy_unit	*from, *to;
	u64			from_pos, to_pos, len;
};

/* cmd->work of a command that copies */
struct tcm_copy {
	struct tcm_cmd		*cmd;
	void			(*ended)(struct tcm_copy *copy, enum tcm_sense sense);
	unsigned int		nunits, nsegments;
	unsigned int		segment;	/* under way; those before are done */
	u64			done;		/* bytes of it */
	u64			total;		/* bytes of all that are done */
	u8			step;		/* enum tcm_copy_step */
	bool			ranged;		/* @range is in a tree */
	bool			by_hand;	/* the backend cannot do this segment */
	u32			chunk;		/* bytes under way */
	enum tcm_sense		sense;
	struct scatterlist	*sg;		/* TCM_COPY_CHUNK */
	struct tcm_range	range;
	struct tcm_device	*ranged_dev;
	struct work_struct	work;
	struct tcm_io		io;
	u32			list_id;
	u8			list_usage;
	struct tcm_copy_unit	units[TCM_COPY_CSCDS];
	struct tcm_copy_segment	segments[TCM_COPY_SEGMENTS];
};

int tcm_copy_init(void);
void tcm_copy_exit(void);

/* For one command; NULL: no memory. May sleep. */
struct tcm_copy *tcm_copy_alloc(struct tcm_cmd *cmd);
void tcm_copy_free(struct tcm_copy *copy);

/* Segments have been checked: copy->ended() is called once, in process context. */
void tcm_copy_start(struct tcm_copy *copy);

/*
 * The logical unit that the nexus of @cmd knows by this designator of VPD 83h; @unit holds its LUN.
 * False: there is none. May sleep.
 */
bool tcm_copy_find(struct tcm_cmd *cmd, const u8 *desig, struct tcm_copy_unit *unit);

enum tcm_sense tcm_spc_copy_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_copy(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_copy_status(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_copy_params(struct tcm_cmd *cmd);
bool tcm_spc_copy_offered(const struct tcm_device *dev);

#endif
