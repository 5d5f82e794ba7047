/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Copying between logical units of this target. core/copy.c does it, for every command that asks
 * for it; core/copy_record.c knows what became of it; core/spc_copy.c reads EXTENDED COPY's
 * parameter lists, core/sbc_token.c those of the commands that copy by a token.
 */
#ifndef _TCM_COPY_H
#define _TCM_COPY_H

#include <tcm/cmd.h>
#include "orphan.h"

#define TCM_COPY_CSCDS		16	/* MAXIMUM TARGET (CSCD) DESCRIPTOR COUNT */
#define TCM_COPY_SEGMENTS	16	/* MAXIMUM SEGMENT DESCRIPTOR COUNT */
#define TCM_COPY_LIST_MAX	4096	/* MAXIMUM DESCRIPTOR LIST LENGTH */
#define TCM_COPY_SEGMENT_MAX	SZ_256M	/* MAXIMUM SEGMENT LENGTH, bytes */

/* Descriptors that are understood */
#define TCM_CSCD_IDENT		0xe4	/* CSCD: a designator of VPD 83h */
#define TCM_SEGMENT_BLOCKS	0x02	/* block device to block device */
#define TCM_SEGMENT_OFFSETS	0x0a	/* the same with byte offsets */

#define TCM_COPY_LANES		4	/* chunks of one copy under way */

struct tcm_copy;
struct tcm_copy_record;

/* A logical unit that takes part; holds its LUN and, where the nexus has one, keeps its mapping. */
struct tcm_copy_unit {
	struct tcm_lun		*lun;
	struct tcm_mapping	*map;	/* of the nexus that asks; NULL: it was given a token */
};

/* A segment in bytes */
struct tcm_copy_segment {
	struct tcm_copy_unit	*from;	/* NULL: zeros */
	struct tcm_copy_unit	*to;
	u64			from_pos, to_pos, len;
	bool			by_hand;	/* the backend cannot do this one; copy->lock */
};

/* A chunk under way. Its members are the lane's own while it is busy. */
struct tcm_copy_lane {
	struct tcm_copy		*copy;
	bool			busy;		/* copy->lock */
	bool			writes;		/* the backend may have its write; copy->lock */
	bool			orphaned;	/* @chunk is an orphan; copy->lock */
	bool			ranged;		/* @range is in a tree */
	bool			held;		/* @source is in a tree */
	bool			whole;		/* by one member of the backend */
	u8			step;		/* enum tcm_copy_step */
	unsigned int		segment;
	u64			done;		/* bytes of the segment before it */
	u64			at;		/* bytes of the copy before it */
	u64			from_pos, to_pos, len;
	enum tcm_sense		sense;
	struct scatterlist	*sg;		/* TCM_COPY_CHUNK; NULL: not yet */
	struct tcm_range	range;
	struct tcm_device	*ranged_dev;
	struct tcm_range	source;		/* of a whole one, beside @range */
	struct tcm_orphan_chunk	chunk;
	struct work_struct	work;
	struct tcm_io		io;
};

/* cmd->work of a command that copies; one in the background has outlived its command */
struct tcm_copy {
	struct tcm_cmd		*cmd;		/* NULL: in the background */
	struct tcm_session	*sess;		/* holds a reference */
	void			(*ended)(struct tcm_copy *copy, enum tcm_sense sense);
	/* asked after data were read: are they still what they are to be? May be NULL. */
	enum tcm_sense		(*check)(struct tcm_copy *copy);
	void			*priv;		/* of @check and @ended */
	struct list_head	node;		/* all that run; tcm_copy_list_lock */
	bool			stop;		/* somebody wants it to end */
	bool			part;		/* less than was asked for, and that is no error */

	/* @lock protects what follows, to the empty line */
	spinlock_t		lock;
	unsigned int		busy;		/* lanes */
	bool			alone;		/* the chunk under way is a whole one */
	bool			over;
	unsigned int		segment;	/* the next chunk is of this one */
	u64			done;		/* bytes of it that are given out */
	u64			at;		/* bytes of all that are given out */
	u64			good;		/* bytes before the first that failed */
	enum tcm_sense		sense;		/* what it failed with */
	struct tcm_sense_extra	told;		/* in which segment, and what a unit said to that */

	unsigned int		nunits, nsegments;
	struct tcm_copy_unit	*units;
	struct tcm_copy_segment	*segments;
	struct tcm_copy_record	*record;	/* core/copy_record.c */
	struct tcm_copy_lane	lanes[TCM_COPY_LANES];
};

int tcm_copy_init(void);
void tcm_copy_exit(void);

/* In process context, where it may wait */
void tcm_copy_queue(struct work_struct *work);

/* For one command, with room for so many; NULL: no memory. May sleep. */
struct tcm_copy *tcm_copy_alloc(struct tcm_cmd *cmd, unsigned int units, unsigned int segments);
/* Lets go of session and units, too. May sleep. */
void tcm_copy_free(struct tcm_copy *copy);

/*
 * Segments have been checked: copy->ended() is called once, in process context. Once it has begun a
 * copy without copy->cmd is the callee's. @cmd asks for it: if that was aborted nothing is copied.
 */
void tcm_copy_start(struct tcm_copy *copy, const struct tcm_cmd *cmd);

/* Is it an error of one of the units, not of the copy? */
bool tcm_copy_is_units(enum tcm_sense sense);

/* Bytes that are copied, from the first on without a gap; and whole segments. Any context. */
u64 tcm_copy_progress(struct tcm_copy *copy, unsigned int *segments);

/*
 * Add the logical unit that the nexus of the command knows by this designator of VPD 83h. False:
 * there is none. May sleep.
 */
bool tcm_copy_find(struct tcm_copy *copy, const u8 *desig);
/* Add the unit that @cmd addresses, or one by its device: as the nexus sees it, if it does. */
void tcm_copy_add_own(struct tcm_copy *copy, struct tcm_cmd *cmd);
/* @lun is held by the caller, the unit takes that over. */
void tcm_copy_add_lun(struct tcm_copy *copy, struct tcm_lun *lun);

/* What READ, or WRITE, of the unit by the same nexus would be told now, in the words of a copy. */
enum tcm_sense tcm_copy_may(const struct tcm_copy_unit *unit, bool write);

/* End all copies that @map takes part in; how many there are yet. Any context. */
void tcm_copy_stop_map(const struct tcm_mapping *map);
unsigned int tcm_copy_count_map(const struct tcm_mapping *map);
/* For tcm_orphans_fence(): what copies that were ended are writing are orphans. Any context. */
void tcm_copy_orphans(void);
/* End all that write to a device or read from it: LOGICAL UNIT RESET, a wipe. Any context. */
void tcm_copy_stop_device(const struct tcm_device *dev);

/* core/copy_record.c: what is to be told of a copy, long after its command */

/* SERVICE ACTIONs of THIRD-PARTY COPY OUT (83h) */
#define TCM_SA_COPY_LID1	0x00
#define TCM_SA_COPY_LID4	0x01
#define TCM_SA_POPULATE_TOKEN	0x10
#define TCM_SA_WRITE_USING_TOKEN 0x11
#define TCM_SA_COPY_ABORT	0x1c

/* All copies with a list identifier that run, and the last ones that ended */
#define TCM_COPY_RECORDS	128

#define TCM_ROD_TOKEN_LEN	512

/*
 * What @cmd asks for begins, under a list identifier. TCM_OPERATION_IN_PROGRESS: that one is in
 * use, TCM_BUSY: too many run. Any context.
 */
enum tcm_sense tcm_copy_record_begin(const struct tcm_cmd *cmd, u32 list_id, bool background,
				     struct tcm_copy *copy, struct tcm_copy_record **record);
/*
 * It has ended, after so many bytes. @x belongs to @sense and may be NULL; @token: a copy of it is
 * made, NULL: none. May sleep.
 */
void tcm_copy_record_end(struct tcm_copy_record *record, enum tcm_sense sense,
			 const struct tcm_sense_extra *x, u64 bytes, const u8 *token);

void tcm_copy_record_exit(void);

/* copy->ended of all: writes down what became of it, ends the command, frees. */
void tcm_copy_ended(struct tcm_copy *copy, enum tcm_sense sense);
/* Begin what has been set up, in the background if @background; what the row returns. */
enum tcm_sense tcm_copy_run(struct tcm_copy *copy, bool background);

bool tcm_spc_copy_offered(const struct tcm_device *dev);
unsigned int tcm_vpd_copy(const struct tcm_lun *lun, u8 *buf);		/* 8Fh */

/* Rows: core/spc_copy.c, core/copy_record.c */
enum tcm_sense tcm_spc_copy_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_copy(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_copy_params(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_copy_status(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_copy_status4(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_copy_rod_info(struct tcm_cmd *cmd);
enum tcm_sense tcm_spc_copy_abort(struct tcm_cmd *cmd);

#endif
