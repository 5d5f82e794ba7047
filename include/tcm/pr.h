/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Reservations as core and backends speak of them.
 */
#ifndef _TCM_PR_H
#define _TCM_PR_H

#include <linux/bits.h>
#include <linux/types.h>

/* Service actions of PERSISTENT RESERVE OUT, SPC-4 table 211 */
enum tcm_pr_sa {
	TCM_PR_REGISTER,
	TCM_PR_RESERVE,
	TCM_PR_RELEASE,
	TCM_PR_CLEAR,
	TCM_PR_PREEMPT,
	TCM_PR_PREEMPT_AND_ABORT,
	TCM_PR_REGISTER_AND_IGNORE,
	TCM_PR_REGISTER_AND_MOVE,
	TCM_PR_REPLACE_LOST,
};

/* TYPE, SPC-4 table 209 */
enum tcm_pr_type {
	TCM_PR_NONE,			/* not reserved */
	TCM_PR_WRITE_EXCLUSIVE		= 1,
	TCM_PR_EXCLUSIVE_ACCESS		= 3,
	TCM_PR_WRITE_EXCLUSIVE_RO	= 5,
	TCM_PR_EXCLUSIVE_ACCESS_RO	= 6,
	TCM_PR_WRITE_EXCLUSIVE_AR	= 7,
	TCM_PR_EXCLUSIVE_ACCESS_AR	= 8,
};

/* tcm_limits.pr_pass: what a medium that keeps reservations by itself can be asked */
#define TCM_PR_PASS_OUT		BIT(0)	/* pr_out: without it there is nothing else */
#define TCM_PR_PASS_KEYS	BIT(1)	/* pr_keys */
#define TCM_PR_PASS_HOLDER	BIT(2)	/* pr_holder */

/* What goes to the medium of a PERSISTENT RESERVE OUT */
struct tcm_pr_ask {
	u8	sa;			/* enum tcm_pr_sa, up to TCM_PR_REGISTER_AND_IGNORE */
	u8	type;			/* as it stands in the CDB */
	u64	key, sa_key;
};

/* What the medium says */
struct tcm_pr_told {
	u32	generation;
	u8	type;			/* enum tcm_pr_type; pr_holder */
	u64	key;			/* of who holds it; pr_holder */
	u32	n;			/* pr_keys: room in @keys; then how many there are */
	u64	*keys;
};

#endif
