/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Error history (SPC-4 5.5, 6.18.9): the last errors of a unit, and the snapshot of them that one
 * nexus at a time reads.
 */
#ifndef _TCM_CORE_HISTORY_H
#define _TCM_CORE_HISTORY_H

#include <tcm/cmd.h>

#define TCM_HISTORY_RECORDS	64

/* BUFFER ID of READ BUFFER in error history mode, SPC-4 table 231 */
enum tcm_history_id {
	TCM_HISTORY_DIRECTORY,		/* 00h to 03h: two bits of their own */
	TCM_HISTORY_ANEW	= 0x01,	/* with a new snapshot */
	TCM_HISTORY_TAKE_OVER	= 0x02,	/* whoever reads it now */
	TCM_HISTORY_LAST_DIRECTORY = 0x03,
	TCM_HISTORY_ERRORS	= 0x10,	/* what there is to read */
	TCM_HISTORY_CLEAR_NEXUS	= 0xfe,
	TCM_HISTORY_RELEASE	= 0xff,
};

/* Buffer 10h: this, then the records, the oldest first. Documentation/standards.md tells it. */
struct tcm_history_head {
	__be32	records;		/* in this snapshot */
	__be32	record_len;
	__be64	recorded;		/* ever, of this device */
} __packed;
static_assert(sizeof(struct tcm_history_head) == 16);

struct tcm_history_record {
	__be64	ms;			/* since 1970 */
	u8	key, asc, ascq;
	u8	opcode;
	__be16	rtpi;			/* RELATIVE TARGET PORT IDENTIFIER */
	u8	flags;
#define TCM_HISTORY_INFO	0x01	/* @info is valid */
	u8	reserved;
	__be64	info;			/* INFORMATION */
	__be64	lba;			/* first of the command */
} __packed;
static_assert(sizeof(struct tcm_history_record) == 32);

#define TCM_HISTORY_MAX	(sizeof(struct tcm_history_head) + \
			 TCM_HISTORY_RECORDS * sizeof(struct tcm_history_record))

/* Member of struct tcm_lu; lu->lock protects it. Who reads it is in tcm_mapping.historian. */
struct tcm_history {
	struct tcm_history_record *ring;	/* NULL: nothing happened yet */
	u64		recorded;
	u8		*snapshot;		/* TCM_HISTORY_MAX bytes, or NULL */
	unsigned int	len;			/* of @snapshot */
	bool		retrieved;		/* EHS_RETRIEVED */
	unsigned long	deadline;		/* jiffies: until then it is the nexus's */
};

/* A command ended with @sense: keep it if it is an error of the unit. Any context. */
void tcm_history_add(const struct tcm_cmd *cmd, enum tcm_sense sense);

/* READ BUFFER in error history mode; the BUFFER ID is one of the above. May sleep. */
enum tcm_sense tcm_history_read(struct tcm_cmd *cmd);

/* Power on, or LOGICAL UNIT RESET: no snapshot, no nexus (SPC-4 5.5.2). Any context. */
void tcm_history_reset(struct tcm_device *dev);
void tcm_history_destroy(struct tcm_history *history);

#endif
