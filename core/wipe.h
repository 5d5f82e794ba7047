/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * FORMAT UNIT and SANITIZE at work on a device: core/wipe.c does it, core/sbc_wipe.c asks for it.
 */
#ifndef _TCM_WIPE_H
#define _TCM_WIPE_H

#include <tcm/cmd.h>

enum tcm_wipe_kind {
	TCM_WIPE_FORMAT,
	TCM_WIPE_OVERWRITE,	/* SANITIZE */
	TCM_WIPE_ERASE,		/* SANITIZE: block erase */
};

#define TCM_WIPE_CHUNK		SZ_1M		/* of data that are written */
#define TCM_WIPE_CHUNK_ZEROES	SZ_64M		/* of zeroes that are not */

/*
 * dev->wipe, which is there while it runs and after it failed. dev->lun_lock protects the pointer
 * and what is said to be; the rest is its work item's alone.
 */
struct tcm_wipe {
	struct tcm_device	*dev;		/* holds the device while it runs */
	u8			kind;		/* enum tcm_wipe_kind */
	u8			passes;
	u8			pi_type;	/* FORMAT UNIT: the protection type from then on */
	bool			frees;		/* blocks are deallocated at the end */
	bool			invert;		/* the pattern, from one pass to the next */
	bool			immed;		/* @cmd waits for the begin alone */
	bool			ause;		/* a failure may be left by EXIT FAILURE MODE */
	bool			runs;		/* lun_lock; else it has failed */
	enum tcm_sense		sense;		/* what went wrong */
	u8			pass;		/* WRITE_ONCE */
	u64			pos, total;	/* bytes of this pass; WRITE_ONCE */
	u64			mapped;		/* a block erase: up to where there is something */
	bool			flushed;
	struct tcm_cmd		*cmd;		/* waits for the end; NULL: nobody does */
	struct page		*page;		/* the pattern over and over; a block fits in it */
	struct scatterlist	*sg;		/* the page, TCM_WIPE_CHUNK long */
	struct tcm_range	range;		/* all blocks, until they are ours */
	struct work_struct	work;
	struct tcm_io		io;
};

int tcm_wipe_init(void);
void tcm_wipe_exit(void);

/* A wipe of zeros in one pass, to be filled in; NULL: no memory. May sleep. */
struct tcm_wipe *tcm_wipe_alloc(struct tcm_device *dev, enum tcm_wipe_kind kind);
/* One that was not begun, or failed, or NULL */
void tcm_wipe_free(struct tcm_wipe *w);

/*
 * Begin: medium access is refused from here on. @cmd is completed at the end, with @w->immed when
 * it is saved that the wipe began. Takes over @w. Return: TCM_PENDING, or why not; process context.
 */
enum tcm_sense tcm_wipe_start(struct tcm_wipe *w, struct tcm_cmd *cmd);

/*
 * What a unit says of itself that is being wiped, or that failed to be: the sense code, with
 * progress in @x; TCM_OK when there is nothing to say. Any context; takes dev->lun_lock.
 */
enum tcm_sense tcm_wipe_sense(struct tcm_device *dev, struct tcm_sense_extra *x);

/* For the gate: may @cmd run in spite of TCM_GATE_WIPE? */
enum tcm_sense tcm_wipe_check(struct tcm_cmd *cmd);

/*
 * EXIT FAILURE MODE. False: the failure was not to be left like this. *@was: there was one, which
 * is to be saved.
 */
bool tcm_wipe_forgive(struct tcm_device *dev, bool *was);

/*
 * What was saved has been read: a wipe that did not come to its end has failed, and a medium that
 * FORMAT UNIT formatted has its protection type, unless the device was @used before. May sleep.
 */
void tcm_wipe_power_on(struct tcm_device *dev, bool used);
/* The administrator has given it another protection type. dev->pi_lock is held. */
void tcm_wipe_pi_changed(struct tcm_device *dev);

#endif
