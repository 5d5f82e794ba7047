/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * RODs (representations of data) and their tokens: core/rod.c keeps them, core/sbc_token.c has the
 * commands.
 */
#ifndef _TCM_ROD_H
#define _TCM_ROD_H

#include <linux/sizes.h>
#include "copy.h"

#define TCM_ROD_RANGES		64		/* MAXIMUM RANGE DESCRIPTORS */
#define TCM_ROD_BYTES_MAX	(4ULL * SZ_1G)	/* MAXIMUM TOKEN TRANSFER SIZE */
#define TCM_ROD_BYTES_OPT	SZ_64M		/* OPTIMAL TRANSFER COUNT */
#define TCM_ROD_IDLE		60		/* DEFAULT INACTIVITY TIMEOUT, seconds */
#define TCM_ROD_IDLE_MAX	900
#define TCM_ROD_LIFE		3600		/* how long a token is good at most, seconds */
#define TCM_RODS		128		/* of one device, with those no longer good */

/* ROD TYPEs */
#define TCM_ROD_VULNERABLE	0x00800001	/* point in time copy, change vulnerable */
#define TCM_ROD_ANY		0x0080ffff	/* point in time copy, any */
#define TCM_ROD_ZERO		0xffff0001	/* block device zero */

#define TCM_ROD_TOKEN_LENGTH	0x01f8		/* ROD TOKEN LENGTH */
#define TCM_ROD_MANAGEMENT_LEN	96		/* what of it REPORT ALL ROD TOKENS tells */

struct tcm_rod_range {
	u64	pos, len;			/* bytes */
};

enum tcm_rod_state {
	TCM_ROD_GOOD,
	TCM_ROD_EXPIRED,
	TCM_ROD_DELETED,
};

/*
 * Data of a logical unit as they were when the token was made: it is good as long as nobody has
 * written to one of the blocks (@watch), and neither inactivity timeout nor lifetime are over.
 */
struct tcm_rod {
	refcount_t		ref;		/* the list, and each command that uses it */
	u64			bytes;
	u32			idle;		/* inactivity timeout, jiffies */
	unsigned int		n;
	struct tcm_rod_range	*ranges;
	struct tcm_watch	watch;

	/* tcm_rod_lock protects what follows */
	struct list_head	node;
	/*
	 * Through which it was made. Holds no reference: tcm_rod_lun_gone() ends the token before
	 * the LUN goes.
	 */
	struct tcm_lun		*lun;
	enum tcm_rod_state	state;
	unsigned int		users;		/* copies that read by it: no time runs */
	unsigned long		idle_end, end;	/* jiffies */

	u8			token[TCM_ROD_TOKEN_LEN];
};

void tcm_rod_exit(void);

/* For so many ranges; NULL: no memory. May sleep. */
struct tcm_rod *tcm_rod_alloc(unsigned int n);
void tcm_rod_put(struct tcm_rod *rod);

/*
 * Make the token of @rod, whose watch is on, and put it in the list; the caller's reference goes
 * there. @idle: INACTIVITY TIMEOUT, seconds. On error the caller keeps the reference. May sleep.
 */
enum tcm_sense tcm_rod_publish(struct tcm_rod *rod, struct tcm_lun *lun, u32 idle);

/*
 * The ROD of a token that is good, with references to it and to its LUN; else why not. May sleep.
 */
enum tcm_sense tcm_rod_find(const u8 *token, struct tcm_rod **rod, struct tcm_lun **lun);
/* A copy that read by it has ended. Takes the reference back; the LUN is the copy's. */
void tcm_rod_release(struct tcm_rod *rod, bool delete);

/* Are the data what they were? Any context. */
static inline bool tcm_rod_intact(const struct tcm_rod *rod)
{
	return READ_ONCE(rod->watch.on);
}

/* @lun ends: no command is left on it. May sleep. */
void tcm_rod_lun_gone(struct tcm_lun *lun);

/* ROD management tokens of @dev's tokens that are good, at most TCM_RODS; their number */
unsigned int tcm_rod_report(const struct tcm_device *dev, u8 *buf);

enum tcm_sense tcm_sbc_token_parse(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_populate_token(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_write_using_token(struct tcm_cmd *cmd);
enum tcm_sense tcm_sbc_report_tokens(struct tcm_cmd *cmd);

#endif
