/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What a logical unit keeps for the commands of SPC-4 that are not I/O: mode parameters, logs,
 * results of self-tests, identifying information, what was to be wiped, and what of that is saved.
 *
 * What initiators save is in the file <dbroot>/lu/<unit serial number>, lines of text. It is read
 * once, before the first LUN links to the device, and replaced as a whole with each command that
 * saves. A unit without a serial number saves nothing.
 */
#ifndef _TCM_CORE_LU_H
#define _TCM_CORE_LU_H

#include <linux/llist.h>
#include <linux/mutex.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <tcm/cmd.h>
#include "group.h"
#include "history.h"
#include "log.h"
#include "mode.h"
#include "selftest.h"
#include "thin.h"

#define TCM_LU_FILE_MAX	SZ_16K

/* READ BUFFER and WRITE BUFFER: bytes */
#define TCM_BUFFER_SIZE	SZ_64K
#define TCM_ECHO_SIZE	SZ_4K

/* Identifying information (SPC-4 5.6): for the device, and as text */
#define TCM_IDENTS		2
#define TCM_IDENT_MAX		64
#define TCM_IDENT_TEXT_MAX	256

struct tcm_ident_info {
	unsigned int	len;
	u8		data[TCM_IDENT_TEXT_MAX];
};

/* What FORMAT UNIT and SANITIZE leave behind: core/wipe.c */
struct tcm_wipe_left {
	bool	undone;		/* one began and has not succeeded */
	bool	ause;
	u8	kind;		/* enum tcm_wipe_kind */
	bool	formatted;	/* by FORMAT UNIT, to the protection type @pi_type */
	u8	pi_type;
};

struct tcm_lu {
	struct tcm_device	*dev;
	/*
	 * @lock protects all that follows, and the attributes that MODE SELECT changes against
	 * each other's writers (readers do without). Taken in any context; dev->lun_lock
	 * may be taken below it.
	 */
	spinlock_t		lock;
	struct tcm_mode_state	mode;
	struct tcm_log_state	log;
	struct tcm_groups	groups;
	struct tcm_selftest_state selftest;
	struct tcm_thin_state	thin;
	struct tcm_history	history;
	struct tcm_ident_info	ident[TCM_IDENTS];
	struct tcm_wipe_left	left;
	u8			power;		/* enum tcm_power; atomic */
	bool			time_set;	/* by SET TIMESTAMP */
	u64			time_ms, time_at;	/* what it said, and when (boot time, ms) */
	bool			loaded;		/* the file was looked for; tcm_config_mutex */
	bool			used;		/* a LUN has linked to it; tcm_config_mutex */

	struct llist_head	savers;		/* commands that end when it is saved */
	struct work_struct	save_work;

	/* @buffer_lock protects the buffers, and tcm_mapping.echoed of the device's nexuses */
	struct mutex		buffer_lock;
	u8			*buffer;	/* NULL: nobody wrote one yet */
	u8			*echo;		/* behind it */
	unsigned int		echo_len;
	u32			echo_owner;	/* index of the session that wrote it */
};

int tcm_lu_init(void);
void tcm_lu_exit(void);
int tcm_lu_create(struct tcm_device *dev);
void tcm_lu_destroy(struct tcm_device *dev);

/* Is there a place to save something? */
static inline bool tcm_lu_can_save(const struct tcm_device *dev)
{
	return dev->serial[0];
}

/* A work item of the unit's own: it may sleep, but wait for no I/O but to save. Any context. */
void tcm_lu_queue(struct work_struct *work);

/*
 * Save, then complete @cmd. Returns TCM_PENDING. The file system is asked in a work item: it may
 * be as slow as it likes. Any context.
 */
enum tcm_sense tcm_lu_save(struct tcm_cmd *cmd);
/*
 * The same, and wait for it: what was changed before is saved, or a line in the log says that it is
 * not. May sleep as long as the file system likes; from a work item of tcm_lu_queue().
 */
void tcm_lu_save_now(struct tcm_device *dev);
/* The same with nobody waiting; what goes wrong is one line in the log. */
void tcm_lu_save_behind(struct tcm_device *dev);

/*
 * The first LUN is about to link to @dev: it has the saved values, or its default ones. May sleep
 * in the file system; no locks.
 */
void tcm_lu_power_on(struct tcm_device *dev);
/* The serial number has changed, and with it the file. tcm_config_mutex held. */
void tcm_lu_renamed(struct tcm_device *dev);

/* Lines of text for the file, and back; lu->lock held. False: the line is of something else. */
size_t tcm_ident_save(const struct tcm_ident_info *info, char *buf, size_t size);
bool tcm_ident_restore(struct tcm_ident_info *info, const char *what, const char *line);
size_t tcm_selftest_save(const struct tcm_selftest_state *state, char *buf, size_t size);
void tcm_selftest_restore(struct tcm_selftest_state *state, const char *line);

/* All of the file, and back; lu->lock held. False: it is not one of ours. @text is cut up. */
size_t tcm_lu_print(const struct tcm_lu *lu, char *buf, size_t size);
bool tcm_lu_parse(struct tcm_lu *lu, char *text);

#endif
