/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Persistent reservations (SPC-4 5.13) as pure state: registrations, the reservation, and what a
 * PERSISTENT RESERVE OUT does to them. No locks, no I/O, no sessions: what changes is done
 * to a copy, and the copy tells whom it concerns.
 */
#ifndef _TCM_CORE_PR_STATE_H
#define _TCM_CORE_PR_STATE_H

#include <tcm/pr.h>
#include <tcm/sense.h>
#include <tcm/target.h>

/* Registrations of one logical unit */
#define TCM_PR_REGS_MAX		4096
#define TCM_PR_FABRIC_MAX	32
#define TCM_PR_ISID_LEN		6

/* An I_T nexus by its names: it need not be there */
struct tcm_pr_nexus {
	u32	hash;			/* of all but the ISID */
	u16	tpgt;
	u8	proto;			/* enum tcm_protocol */
	bool	has_isid;		/* else every ISID of the initiator is meant */
	u8	isid[TCM_PR_ISID_LEN];
	char	fabric[TCM_PR_FABRIC_MAX];
	char	initiator[TCM_NAME_MAX];
	char	target[TCM_NAME_MAX];
};

/* The same as a view of somebody else's strings */
struct tcm_pr_who {
	u32		hash;
	u16		tpgt;
	u8		proto;
	bool		has_isid;
	const u8	*isid;
	const char	*fabric, *initiator, *target;
};

struct tcm_pr_reg {
	struct tcm_pr_nexus nexus;
	u64	key;
	u64	mapped_lun, target_lun;	/* for the file and for people */
	u32	generation;		/* when it was made */
	u16	rtpi;
	bool	all_tg_pt;
	bool	gone;			/* unregistered by the change under way */
	u8	tell;			/* enum tcm_ua that the change establishes, 0: none */
};

struct tcm_pr_state {
	u32	generation;		/* PRGENERATION */
	bool	aptpl;			/* APTPL was one in the last REGISTER */
	bool	lost;			/* what was to outlive a power cycle has not (5.13.5.3.2) */
	u8	type;			/* enum tcm_pr_type of the reservation */
	int	holder;			/* index; -1: none, or all registrants */
	unsigned int n, room;
	struct tcm_pr_reg reg[];
};

/* A PERSISTENT RESERVE OUT that has been read and checked for its form */
struct tcm_pr_op {
	u8	sa;			/* enum tcm_pr_sa */
	u8	scope, type;
	bool	aptpl, all_tg_pt, spec_i_pt, unreg;
	u64	key, sa_key;
	struct tcm_pr_reg self;		/* who sent it, as a registration would be */
	unsigned int n_others;
	struct tcm_pr_reg *others;	/* SPEC_I_PT, ALL_TG_PT; of a MOVE its destination */
};

/* Hash of an initiator's name and a target port; differently written names come out the same. */
u32 tcm_pr_hash(u8 proto, const char *initiator, const char *fabric, const char *target,
		u16 tpgt);
bool tcm_pr_same(const struct tcm_pr_nexus *nexus, const struct tcm_pr_who *who);
static inline struct tcm_pr_who tcm_pr_view(const struct tcm_pr_nexus *n)
{
	return (struct tcm_pr_who){ n->hash, n->tpgt, n->proto, n->has_isid, n->isid,
				    n->fabric, n->initiator, n->target };
}

/* The registration of a nexus, or NULL. */
struct tcm_pr_reg *tcm_pr_find(struct tcm_pr_state *st, const struct tcm_pr_who *who);

static inline bool tcm_pr_all_registrants(u8 type)
{
	return type >= TCM_PR_WRITE_EXCLUSIVE_AR;
}

static inline bool tcm_pr_type_valid(u8 type)
{
	return type == TCM_PR_WRITE_EXCLUSIVE || type == TCM_PR_EXCLUSIVE_ACCESS ||
	       (type >= TCM_PR_WRITE_EXCLUSIVE_RO && type <= TCM_PR_EXCLUSIVE_ACCESS_AR);
}

bool tcm_pr_is_holder(const struct tcm_pr_state *st, const struct tcm_pr_reg *reg);

/* What a reservation leaves to a nexus (SPC-4 table 67) */
enum tcm_pr_deny {
	TCM_PR_MAY_ALL,
	TCM_PR_DENY_WRITES,		/* Write Exclusive of somebody else */
	TCM_PR_DENY_ACCESS,		/* Exclusive Access of somebody else */
	TCM_PR_DENY_SPC2,		/* reserved by RESERVE of SPC-2 */
	TCM_PR_DENY_LOST,		/* nobody knows: what was reserved is lost */
};

/* @reg: the nexus's registration, or NULL */
enum tcm_pr_deny tcm_pr_denied(const struct tcm_pr_state *st, const struct tcm_pr_reg *reg);

/*
 * Carry out @op on @st, which has room for op->n_others + 1 more. Afterwards some
 * registrations are marked gone, and tcm_pr_compact() is to follow. On an error the state is
 * to be thrown away.
 */
enum tcm_sense tcm_pr_apply(struct tcm_pr_state *st, const struct tcm_pr_op *op);
void tcm_pr_compact(struct tcm_pr_state *st);

/* Add one (a restore); false: no room. */
bool tcm_pr_add(struct tcm_pr_state *st, const struct tcm_pr_reg *reg);

/* The text of the APTPL file; return its length. @size: at least tcm_pr_text_size() */
size_t tcm_pr_text_size(const struct tcm_pr_state *st);
size_t tcm_pr_text(const struct tcm_pr_state *st, char *buf, size_t size);
/* Is @text such a file, and all of it? Else what it held is lost. */
bool tcm_pr_text_whole(const char *text);

#endif
