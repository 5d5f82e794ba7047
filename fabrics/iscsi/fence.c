// SPDX-License-Identifier: GPL-2.0-only
/*
 * The answer to a function for many tasks waits until the initiator has what was sent on the other
 * connections of its session (RFC 7143 4.2.3.3): after it no response of a task that was affected
 * comes. A connection that does not say what it has is asked by a ping; one that does not answer
 * does not hold the function up for long.
 */
#include <linux/slab.h>
#include "iscsi.h"

/* jiffies that an answer waits at most */
#define TCM_ISC_FENCE_PATIENCE	(HZ / 2)
/* Answers of a connection that wait at a time; more of them do not */
#define TCM_ISC_FENCES_MAX	32

struct tcm_isc_fence_of {
	struct tcm_isc_conn	*conn;	/* NULL: has what it was sent, or has gone */
	bool			noted;	/* @statsn is known */
	u32			statsn;	/* what it has to expect then */
};

/* Protected by isess->lock while it is in isess->fences */
struct tcm_isc_fence {
	struct list_head	node;
	struct tcm_isc_conn	*conn;	/* which the answer is sent on */
	struct tcm_isc_msg	*msg;
	unsigned long		end;	/* jiffies */
	unsigned int		nr, left;
	struct tcm_isc_fence_of	of[];
};

static bool tcm_isc_fence_counts(const struct tcm_isc_conn *conn, const struct tcm_isc_conn *but)
{
	return conn != but && READ_ONCE(conn->state) == TCM_ISC_CS_FFP;
}

static unsigned int tcm_isc_fence_others(struct tcm_isc_conn *but)
{
	struct tcm_isc_session *isess = but->isess;
	struct tcm_isc_conn *conn;
	unsigned int n = 0;

	spin_lock(&isess->lock);
	list_for_each_entry(conn, &isess->conns, sess_node)
		n += tcm_isc_fence_counts(conn, but);
	spin_unlock(&isess->lock);
	return n;
}

bool tcm_isc_fence_begin(struct tcm_isc_conn *conn, struct tcm_isc_msg *msg)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_fence *fence;
	struct tcm_isc_conn *other;
	unsigned int most;

	if (!isess->reorder || conn->nr_fences == TCM_ISC_FENCES_MAX)
		return false;
	most = tcm_isc_fence_others(conn);
	if (!most)
		return false;
	fence = kzalloc(struct_size(fence, of, most), GFP_NOIO);
	if (!fence)
		return false;
	fence->conn = conn;
	fence->msg = msg;
	fence->end = jiffies + TCM_ISC_FENCE_PATIENCE;
	spin_lock(&isess->lock);
	/* One that joins now has sent nothing of the tasks. */
	list_for_each_entry(other, &isess->conns, sess_node) {
		if (fence->nr == most || !tcm_isc_fence_counts(other, conn))
			continue;
		fence->of[fence->nr++].conn = other;
		set_bit(TCM_ISC_CF_FENCE, &other->flags);
		tcm_isc_conn_queue(other);
	}
	fence->left = fence->nr;
	list_add_tail(&fence->node, &isess->fences);
	spin_unlock(&isess->lock);
	conn->nr_fences++;
	tcm_isc_tick_in(conn, TCM_ISC_FENCE_PATIENCE);
	if (!fence->nr)
		tcm_isc_fence_answer(conn);
	return true;
}

/* One that a fence waited for has what it is to have, or is not there any more. */
static void tcm_isc_fence_met(struct tcm_isc_fence *fence, struct tcm_isc_fence_of *of)
{
	of->conn = NULL;
	if (--fence->left)
		return;
	set_bit(TCM_ISC_CF_FENCED, &fence->conn->flags);
	tcm_isc_conn_queue(fence->conn);
}

static struct tcm_isc_fence_of *tcm_isc_fence_find(struct tcm_isc_fence *fence,
						   const struct tcm_isc_conn *conn)
{
	unsigned int i;

	for (i = 0; i < fence->nr; i++)
		if (fence->of[i].conn == conn)
			return &fence->of[i];
	return NULL;
}

void tcm_isc_fence_look(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_fence_of *of;
	struct tcm_isc_fence *fence;
	bool waits = false;

	spin_lock(&isess->lock);
	list_for_each_entry(fence, &isess->fences, node) {
		of = tcm_isc_fence_find(fence, conn);
		if (!of || !of->noted)
			continue;
		if (tcm_isc_sn_before(conn->exp_statsn, of->statsn))
			waits = true;
		else
			tcm_isc_fence_met(fence, of);
	}
	spin_unlock(&isess->lock);
	conn->fenced = waits;
	/* What is to be sent goes before a ping that begins now. */
	if (waits && !conn->ping_out)
		tcm_isc_ping_now(conn);
}

void tcm_isc_fence_note(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_fence_of *of;
	struct tcm_isc_fence *fence;
	u32 statsn;

	tcm_isc_take_over(conn);
	statsn = conn->statsn + tcm_isc_tx_statsns(conn);
	spin_lock(&isess->lock);
	list_for_each_entry(fence, &isess->fences, node) {
		of = tcm_isc_fence_find(fence, conn);
		if (!of || of->noted)
			continue;
		of->noted = true;
		of->statsn = statsn;
	}
	spin_unlock(&isess->lock);
	tcm_isc_fence_look(conn);
}

void tcm_isc_fence_answer(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_fence *fence, *next;
	LIST_HEAD(over);

	spin_lock(&isess->lock);
	list_for_each_entry_safe(fence, next, &isess->fences, node) {
		if (fence->conn != conn)
			continue;
		if (!fence->left || !time_before(jiffies, fence->end))
			list_move_tail(&fence->node, &over);
		else
			tcm_isc_tick_in(conn, fence->end - jiffies);
	}
	spin_unlock(&isess->lock);
	list_for_each_entry_safe(fence, next, &over, node) {
		conn->nr_fences--;
		tcm_isc_msg_send(conn, fence->msg);
		kfree(fence);
	}
}

void tcm_isc_fence_end(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_fence *fence, *next;
	struct tcm_isc_fence_of *of;

	spin_lock(&isess->lock);
	list_for_each_entry_safe(fence, next, &isess->fences, node) {
		if (fence->conn == conn) {
			list_del(&fence->node);
			tcm_isc_msg_free(fence->msg);
			kfree(fence);
			continue;
		}
		of = tcm_isc_fence_find(fence, conn);
		if (of)
			tcm_isc_fence_met(fence, of);
	}
	spin_unlock(&isess->lock);
	conn->nr_fences = 0;
	conn->fenced = false;
}
