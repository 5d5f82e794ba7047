// SPDX-License-Identifier: GPL-2.0-only
/*
 * Sessions: their begin, reinstatement and end; command slots and the CmdSN window.
 */
#include <linux/idr.h>
#include <linux/slab.h>
#include "iscsi.h"

static DEFINE_IDA(tcm_isc_tsihs);
static atomic_t tcm_isc_sids = ATOMIC_INIT(0);

struct tcm_isc_session *tcm_isc_session_alloc(u32 depth)
{
	struct tcm_isc_session *isess = kzalloc(sizeof(*isess), GFP_KERNEL);

	if (!isess)
		return NULL;
	/* Aborted commands that a backend still holds leave a window for others. */
	isess->max_slots = 2 * depth + TCM_ISC_IMMEDIATE_SLOTS;
	isess->depth = depth;
	isess->slots = kvcalloc(isess->max_slots, sizeof(*isess->slots), GFP_KERNEL);
	if (!isess->slots) {
		kfree(isess);
		return NULL;
	}
	kref_init(&isess->ref);
	spin_lock_init(&isess->lock);
	INIT_LIST_HEAD(&isess->node);
	INIT_LIST_HEAD(&isess->free);
	return isess;
}

static void tcm_isc_session_free(struct kref *ref)
{
	struct tcm_isc_session *isess = container_of(ref, struct tcm_isc_session, ref);
	unsigned int i;

	for (i = 0; i < isess->nr_slots; i++) {
		struct tcm_isc_cmd *icmd = isess->slots[i];

		if (icmd->sg != icmd->first_sg)
			kvfree(icmd->sg);
		kfree(icmd);
	}
	kvfree(isess->slots);
	if (isess->tsih)
		ida_free(&tcm_isc_tsihs, isess->tsih);
	if (isess->itpg)
		tcm_isc_tpg_put(isess->itpg);
	kfree(isess);
}

void tcm_isc_session_put(struct tcm_isc_session *isess)
{
	kref_put(&isess->ref, tcm_isc_session_free);
}

static void tcm_isc_session_kill(struct tcm_isc_session *isess)
{
	spin_lock(&isess->lock);
	isess->kill = true;
	if (isess->conn)
		tcm_isc_conn_kill(isess->conn);
	spin_unlock(&isess->lock);
}

void tcm_isc_close_session(struct tcm_session *sess)
{
	tcm_isc_session_kill(sess->priv);
}

static void tcm_isc_released(struct tcm_session *sess)
{
	tcm_isc_session_put(sess->priv);
}

/* 6.3.5: one who logs in again by the same name and ISID has lost the former session. */
static void tcm_isc_reinstate(struct tcm_isc_session *isess)
{
	struct tcm_isc_session *old;

	lockdep_assert_held(&isess->itpg->lock);
	list_for_each_entry(old, &isess->itpg->sessions, node)
		if (!strcasecmp(old->name, isess->name) &&
		    !memcmp(old->isid, isess->isid, sizeof(old->isid)))
			tcm_isc_session_kill(old);
}

static int tcm_isc_session_join(struct tcm_isc_session *isess, enum tcm_demo demo)
{
	struct tcm_isc_tpg *itpg = isess->itpg;
	struct tcm_session *tsess;

	lockdep_assert_held(&itpg->lock);
	if (!itpg->enabled || itpg->dead)
		return -ESHUTDOWN;
	tcm_isc_reinstate(isess);
	kref_get(&isess->ref);
	tsess = tcm_session_create(itpg->tpg, isess->name, isess->isid, demo, isess);
	if (IS_ERR(tsess)) {
		tcm_isc_session_put(isess);
		return PTR_ERR(tsess);
	}
	isess->tsess = tsess;
	list_add_tail(&isess->node, &itpg->sessions);
	return 0;
}

int tcm_isc_session_start(struct tcm_isc_session *isess, struct tcm_isc_conn *conn,
			  enum tcm_demo demo)
{
	int tsih = ida_alloc_range(&tcm_isc_tsihs, 1, U16_MAX, GFP_KERNEL);
	int err = 0;

	if (tsih < 0)
		return tsih;
	isess->tsih = tsih;
	isess->sid = atomic_inc_return(&tcm_isc_sids);
	/* close_session() may come before the core has told us of the session. */
	isess->conn = conn;
	if (isess->itpg) {
		mutex_lock(&isess->itpg->lock);
		err = tcm_isc_session_join(isess, demo);
		mutex_unlock(&isess->itpg->lock);
	}
	if (err)
		return err;
	kref_get(&isess->ref);
	conn->isess = isess;
	return 0;
}

void tcm_isc_session_end(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;

	spin_lock(&isess->lock);
	isess->conn = NULL;
	isess->closed = true;
	spin_unlock(&isess->lock);
	if (!isess->tsess)
		return;
	mutex_lock(&isess->itpg->lock);
	list_del_init(&isess->node);
	mutex_unlock(&isess->itpg->lock);
	if (conn->logged_out)
		atomic_inc(&isess->itpg->target->stats.normal_logouts);
	else
		atomic_inc(&isess->itpg->target->stats.abnormal_logouts);
	if (!conn->logged_out && !isess->kill)
		atomic_inc(&isess->itpg->target->stats.cxn_errors);
	tcm_session_close(isess->tsess, tcm_isc_released);
}

/* ---- slots ---- */

static struct tcm_isc_cmd *tcm_isc_slot_new(struct tcm_isc_session *isess)
{
	struct tcm_isc_cmd *icmd;

	if (isess->nr_slots == isess->max_slots)
		return NULL;
	icmd = kzalloc(sizeof(*icmd), GFP_NOIO);
	if (!icmd)
		return NULL;
	icmd->slot = isess->nr_slots;
	icmd->sg = icmd->first_sg;
	icmd->sg_max = ARRAY_SIZE(icmd->first_sg);
	isess->slots[icmd->slot] = icmd;
	/* Pairs with tcm_isc_walk_cmds(). */
	smp_store_release(&isess->nr_slots, icmd->slot + 1);
	return icmd;
}

struct tcm_isc_cmd *tcm_isc_slot_get(struct tcm_isc_session *isess, bool immediate)
{
	struct tcm_isc_cmd *icmd;

	if (immediate && isess->nr_immediate == TCM_ISC_IMMEDIATE_SLOTS)
		return NULL;
	icmd = list_first_entry_or_null(&isess->free, struct tcm_isc_cmd, node);
	if (likely(icmd))
		list_del(&icmd->node);
	else
		icmd = tcm_isc_slot_new(isess);
	if (!icmd)
		return NULL;
	icmd->immediate = immediate;
	isess->nr_used++;
	isess->nr_immediate += immediate;
	return icmd;
}

void tcm_isc_slot_put(struct tcm_isc_session *isess, struct tcm_isc_cmd *icmd)
{
	isess->nr_used--;
	isess->nr_immediate -= icmd->immediate;
	/* The one used last is in the cache. */
	list_add(&icmd->node, &isess->free);
}

/* ---- CmdSN ---- */

/* 4.2.2.1: true for the command that is next; others are ignored. */
bool tcm_isc_cmdsn_take(struct tcm_isc_session *isess, const struct tcm_isc_bhs *bhs)
{
	if (bhs->opcode & TCM_ISC_IMMEDIATE)
		return true;
	if (be32_to_cpu(bhs->cmdsn) != isess->exp_cmdsn)
		return false;
	if (tcm_isc_sn_before(isess->max_cmdsn, isess->exp_cmdsn))
		return false;
	isess->exp_cmdsn++;
	return true;
}

/* As many as there are slots for, and never less than was promised. */
u32 tcm_isc_max_cmdsn(struct tcm_isc_session *isess)
{
	u32 busy = isess->nr_used - isess->nr_immediate;
	u32 room = isess->max_slots - TCM_ISC_IMMEDIATE_SLOTS - busy;
	u32 max = isess->exp_cmdsn + min(room, isess->depth) - 1;

	if (tcm_isc_sn_before(isess->max_cmdsn, max))
		isess->max_cmdsn = max;
	return isess->max_cmdsn;
}
