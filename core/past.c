// SPDX-License-Identifier: GPL-2.0-only
/*
 * I_T nexuses that are gone (SAM-5 6.3.4): each has a record at its target port. The oldest are
 * forgotten: names may be of the initiators' choice. To one of those a unit says POWER ON OCCURRED,
 * which takes precedence and never says too little (SAM-5 5.14).
 */
#include <linux/atomic.h>
#include <linux/slab.h>
#include <linux/string.h>
#include "past.h"

/* Records of a target port */
#define TCM_PAST_MAX	1024

struct tcm_past {
	struct list_head	node;	/* in tpg->past, the latest first; tpg->lock */
	u64			lost;
	u32			hash;	/* as struct tcm_session has it */
	bool			has_isid;
	u8			isid[sizeof_field(struct tcm_session, isid)];
	char			name[];
};

static atomic64_t tcm_past_clock = ATOMIC64_INIT(0);

u64 tcm_past_now(void)
{
	return atomic64_inc_return(&tcm_past_clock);
}

int tcm_past_begin(struct tcm_session *sess)
{
	size_t len = strlen(sess->name) + 1;
	struct tcm_past *past = kzalloc(struct_size(past, name, len), GFP_KERNEL);

	if (!past)
		return -ENOMEM;
	past->hash = sess->nexus_hash;
	past->has_isid = sess->has_isid;
	memcpy(past->isid, sess->isid, sizeof(past->isid));
	memcpy(past->name, sess->name, len);
	sess->past = past;
	return 0;
}

static struct tcm_past *tcm_past_find(const struct tcm_session *sess)
{
	struct tcm_past *past;

	lockdep_assert_held(&sess->tpg->lock);
	list_for_each_entry(past, &sess->tpg->past, node)
		if (past->hash == sess->nexus_hash && past->has_isid == sess->has_isid &&
		    !memcmp(past->isid, sess->isid, sizeof(past->isid)) &&
		    !strcasecmp(past->name, sess->name))
			return past;
	return NULL;
}

u64 tcm_past_lost(const struct tcm_session *sess)
{
	const struct tcm_past *past = tcm_past_find(sess);

	return past ? past->lost : 0;
}

static void tcm_past_forget(struct tcm_tpg *tpg, struct tcm_past *past)
{
	list_del(&past->node);
	tpg->n_past--;
	kfree(past);
}

void tcm_past_end(struct tcm_session *sess)
{
	struct tcm_past *past = tcm_past_find(sess);
	struct tcm_tpg *tpg = sess->tpg;

	if (past)
		tcm_past_forget(tpg, past);
	else if (tpg->n_past == TCM_PAST_MAX)
		tcm_past_forget(tpg, list_last_entry(&tpg->past, struct tcm_past, node));
	sess->past->lost = tcm_past_now();
	list_add(&sess->past->node, &tpg->past);
	tpg->n_past++;
	sess->past = NULL;
}

void tcm_past_free(struct tcm_tpg *tpg)
{
	struct tcm_past *past, *next;

	list_for_each_entry_safe(past, next, &tpg->past, node)
		tcm_past_forget(tpg, past);
}
