/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Thresholds of logical block provisioning (SBC-4 4.7.3.7): how much room there is for blocks that
 * are not mapped yet, and telling when it falls short of what an initiator asked for.
 */
#ifndef _TCM_CORE_THIN_H
#define _TCM_CORE_THIN_H

#include <tcm/target.h>

/* In the order of their descriptors and of their unit attentions */
enum tcm_thin_threshold {
	TCM_THIN_AVAILABLE,	/* falls: armed decreasing */
	TCM_THIN_USED,		/* rises: armed increasing */
	TCM_THIN_THRESHOLDS,
};

/* Byte of a threshold's descriptor in the Logical Block Provisioning mode page */
#define TCM_THIN_DESC(i)	(16 + 8 * (i))

/* One threshold set, in which resources and thresholds are counted: 1 MiB */
#define TCM_THIN_SET_SHIFT	20

/* Member of struct tcm_lu; lu->lock protects it. */
struct tcm_thin_state {
	bool			lbpere;		/* Read-Write Error Recovery: thresholds are told */
	bool			situa;		/* to one nexus alone */
	bool			known;		/* @now was found out */
	struct tcm_space	now;		/* at the last look */
	struct {
		bool		enabled, told;
		u32		count;
		const struct tcm_mapping *only;	/* who is told; a name, never looked into */
	} at[TCM_THIN_THRESHOLDS];
};

/* Does the unit have thresholds? Thin, of a backend that knows what it uses. */
bool tcm_thin_offered(const struct tcm_device *dev);

/* THRESHOLD EXPONENT: blocks of one threshold set, as a power of two */
static inline u8 tcm_thin_exponent(const struct tcm_device *dev)
{
	return TCM_THIN_SET_SHIFT - dev->block_shift;
}

/* Ask the backend, and tell what was crossed. As the backend's space(): may sleep. */
void tcm_thin_sample(struct tcm_device *dev);

/* Thresholds have changed, or the unit was reset: each is told anew. lu->lock held. */
void tcm_thin_rearm(struct tcm_thin_state *thin);

/*
 * A command that can tell a unit attention has come on this nexus: with SITUA the first of them is
 * the only one that is told (SBC-4 4.7.3.7.6). Any context.
 */
void tcm_thin_arrive(struct tcm_mapping *map);

#endif
