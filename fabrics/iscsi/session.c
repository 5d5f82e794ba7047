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
	spin_lock_init(&isess->slot_lock);
	mutex_init(&isess->order);
	init_waitqueue_head(&isess->left);
	INIT_LIST_HEAD(&isess->node);
	INIT_LIST_HEAD(&isess->conns);
	INIT_LIST_HEAD(&isess->fences);
	INIT_LIST_HEAD(&isess->held);
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

/* All connections but @but, or all */
static void tcm_isc_kill_conns(struct tcm_isc_session *isess, const struct tcm_isc_conn *but)
{
	struct tcm_isc_conn *conn;

	lockdep_assert_held(&isess->lock);
	list_for_each_entry(conn, &isess->conns, sess_node)
		if (conn != but)
			tcm_isc_conn_kill(conn);
}

static void tcm_isc_session_stop(struct tcm_isc_session *isess, const struct tcm_isc_conn *but,
				 bool tell)
{
	spin_lock(&isess->lock);
	isess->kill = true;
	if (tell)
		isess->drop = true;
	tcm_isc_kill_conns(isess, but);
	spin_unlock(&isess->lock);
}

/* Any context that may take spinlocks: the session ends with the last of its connections. */
void tcm_isc_session_kill(struct tcm_isc_session *isess)
{
	tcm_isc_session_stop(isess, NULL, false);
}

/* Likewise, and its connections are told, but @but, whose owner knows. */
void tcm_isc_session_drop(struct tcm_isc_session *isess, const struct tcm_isc_conn *but)
{
	tcm_isc_session_stop(isess, but, true);
}

void tcm_isc_close_session(struct tcm_session *sess)
{
	tcm_isc_session_drop(sess->priv, NULL);
}

static void tcm_isc_released(struct tcm_session *sess)
{
	tcm_isc_session_put(sess->priv);
}

static bool tcm_isc_session_same(const struct tcm_isc_session *a, const struct tcm_isc_session *b)
{
	return !strcasecmp(a->name, b->name) && !memcmp(a->isid, b->isid, sizeof(a->isid));
}

/* One by the same name and ISID that is there, or has not ended all it has */
static struct tcm_isc_session *tcm_isc_session_former(struct tcm_isc_session *isess)
{
	struct tcm_isc_session *old;

	lockdep_assert_held(&isess->itpg->lock);
	list_for_each_entry(old, &isess->itpg->sessions, node)
		if (tcm_isc_session_same(old, isess))
			return old;
	list_for_each_entry(old, &isess->itpg->ending, node)
		if (tcm_isc_session_same(old, isess))
			return old;
	return NULL;
}

/*
 * 6.3.5: who logs in again by the same name and ISID has lost the former session. No write of that
 * may come after one of the new session, so it waits until the owners have let go of theirs and
 * what backends have is fenced off: nothing of that takes long.
 */
static int tcm_isc_reinstate(struct tcm_isc_session *isess)
{
	struct tcm_isc_session *old;
	bool over;

	mutex_lock(&isess->itpg->lock);
	old = tcm_isc_session_former(isess);
	if (old) {
		kref_get(&old->ref);
		tcm_isc_session_kill(old);
	}
	mutex_unlock(&isess->itpg->lock);
	if (!old)
		return 0;
	/* Pairs with tcm_isc_session_end(). */
	over = wait_event_timeout(old->left, smp_load_acquire(&old->over), 2 * HZ);
	tcm_isc_session_put(old);
	return over ? 0 : -EBUSY;
}

static int tcm_isc_session_join(struct tcm_isc_session *isess, enum tcm_demo demo)
{
	struct tcm_isc_tpg *itpg = isess->itpg;
	struct tcm_session *tsess;

	lockdep_assert_held(&itpg->lock);
	if (!itpg->enabled || itpg->dead)
		return -ESHUTDOWN;
	/* Two log in at once. */
	if (tcm_isc_session_former(isess))
		return -EBUSY;
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

/* The first connection */
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
	list_add_tail(&conn->sess_node, &isess->conns);
	isess->nr_conns = 1;
	atomic_set(&isess->nr_owners, 1);
	if (isess->itpg)
		err = tcm_isc_reinstate(isess);
	if (isess->itpg && !err) {
		mutex_lock(&isess->itpg->lock);
		err = tcm_isc_session_join(isess, demo);
		mutex_unlock(&isess->itpg->lock);
	}
	if (err) {
		list_del_init(&conn->sess_node);
		return err;
	}
	kref_get(&isess->ref);
	conn->isess = isess;
	return 0;
}

/* 6.3.1: a TSIH names a session that is there, of the same name and ISID. */
struct tcm_isc_session *tcm_isc_session_find(struct tcm_isc_tpg *itpg, const char *name,
					     const u8 *isid, u16 tsih)
{
	struct tcm_isc_session *isess, *found = NULL;

	mutex_lock(&itpg->lock);
	list_for_each_entry(isess, &itpg->sessions, node)
		if (isess->tsih == tsih && !strcasecmp(isess->name, name) &&
		    !memcmp(isess->isid, isid, sizeof(isess->isid))) {
			kref_get(&isess->ref);
			found = isess;
			break;
		}
	mutex_unlock(&itpg->lock);
	return found;
}

/* Which of the connections with a CID */
enum tcm_isc_which {
	TCM_ISC_LIVE,		/* that have a socket */
	TCM_ISC_ANY,		/* or are lost, and hold commands */
};

/* The connection @cid, other than @but */
static struct tcm_isc_conn *tcm_isc_session_conn(struct tcm_isc_session *isess, u16 cid,
						 const struct tcm_isc_conn *but,
						 enum tcm_isc_which which)
{
	struct tcm_isc_conn *conn;

	lockdep_assert_held(&isess->lock);
	list_for_each_entry(conn, &isess->conns, sess_node)
		if (conn->cid == cid && conn != but &&
		    (which == TCM_ISC_ANY || conn->state != TCM_ISC_CS_LOST))
			return conn;
	return NULL;
}

static bool tcm_isc_session_lacks(struct tcm_isc_session *isess, u16 cid,
				  const struct tcm_isc_conn *but, enum tcm_isc_which which)
{
	bool lacks;

	spin_lock(&isess->lock);
	lacks = !tcm_isc_session_conn(isess, cid, but, which);
	spin_unlock(&isess->lock);
	return lacks;
}

/* Is it one that commands can be given to? */
bool tcm_isc_session_has(struct tcm_isc_session *isess, const struct tcm_isc_conn *conn)
{
	const struct tcm_isc_conn *pos;

	lockdep_assert_held(&isess->lock);
	list_for_each_entry(pos, &isess->conns, sess_node)
		if (pos == conn)
			return true;
	return false;
}

unsigned int tcm_isc_session_live(struct tcm_isc_session *isess)
{
	struct tcm_isc_conn *conn;
	unsigned int n = 0;

	lockdep_assert_held(&isess->lock);
	list_for_each_entry(conn, &isess->conns, sess_node)
		n += conn->state != TCM_ISC_CS_LOST;
	return n;
}

/*
 * End connection @cid, which is not @but and whose end is not the session's. Its owner waits for
 * nothing that takes longer. Tells whether it is gone.
 */
static bool tcm_isc_session_end_conn(struct tcm_isc_session *isess, u16 cid,
				     const struct tcm_isc_conn *but, bool logged_out)
{
	enum tcm_isc_which which = logged_out ? TCM_ISC_ANY : TCM_ISC_LIVE;
	struct tcm_isc_conn *conn, *lost;

	spin_lock(&isess->lock);
	conn = tcm_isc_session_conn(isess, cid, but, which);
	if (conn) {
		conn->alone = true;
		conn->logged_out |= logged_out;
		tcm_isc_conn_kill(conn);
	} else {
		/* One that is lost stays for the commands it has. */
		lost = tcm_isc_session_conn(isess, cid, but, TCM_ISC_ANY);
		if (lost) {
			lost->alone = true;
			tcm_isc_conn_queue(lost);
		}
	}
	spin_unlock(&isess->lock);
	return !conn || wait_event_timeout(isess->left,
					   tcm_isc_session_lacks(isess, cid, but, which), 2 * HZ);
}

/*
 * A session that was to have one connection has no locks for two: the former one's commands come
 * back before the next one has any.
 */
static bool tcm_isc_session_alone(struct tcm_isc_session *isess)
{
	/* Pairs with tcm_isc_session_disown(). */
	return wait_event_timeout(isess->left, atomic_read_acquire(&isess->nr_owners) == 1, 2 * HZ);
}

/* The owner, last of all: it has no commands, and will have none. */
void tcm_isc_session_disown(struct tcm_isc_session *isess)
{
	/* Pairs with tcm_isc_session_alone(). */
	atomic_dec_return_release(&isess->nr_owners);
	wake_up(&isess->left);
}

/* Another connection (6.3.1), or one that takes the place of that with the same CID (6.3.4) */
int tcm_isc_session_add(struct tcm_isc_session *isess, struct tcm_isc_conn *conn)
{
	u32 most = min_t(u32, isess->nego.val[TCM_ISC_K_MAX_CONNECTIONS], TCM_ISC_CONNS_MAX);
	int err = 0;

	spin_lock(&isess->lock);
	if (isess->closed || isess->kill || isess->logged_out) {
		err = -ENOENT;
	} else if (tcm_isc_session_live(isess) >=
		   most + !!tcm_isc_session_conn(isess, conn->cid, NULL, TCM_ISC_LIVE) ||
		   isess->nr_conns >= 2 * TCM_ISC_CONNS_MAX) {
		err = -EUSERS;
	} else {
		kref_get(&isess->ref);
		conn->isess = isess;
		/* until its login is done */
		conn->alone = true;
		list_add_tail(&conn->sess_node, &isess->conns);
		isess->nr_conns++;
		atomic_inc(&isess->nr_owners);
	}
	spin_unlock(&isess->lock);
	if (err)
		return err;
	if (!tcm_isc_session_end_conn(isess, conn->cid, conn, false))
		return -EBUSY;
	return isess->reorder || tcm_isc_session_alone(isess) ? 0 : -EBUSY;
}

/* 11.14: another connection is logged out. Returns the response. */
int tcm_isc_session_remove(struct tcm_isc_conn *conn, u16 cid, bool recover)
{
	struct tcm_isc_session *isess = conn->isess;

	if (tcm_isc_session_lacks(isess, cid, conn, TCM_ISC_ANY))
		return 1;
	return tcm_isc_session_end_conn(isess, cid, conn, !recover) ? 0 : 3;
}

/* 11.14: the session is logged out on @conn. */
void tcm_isc_session_logout(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;

	spin_lock(&isess->lock);
	isess->logged_out = true;
	tcm_isc_kill_conns(isess, conn);
	spin_unlock(&isess->lock);
}

/* Without connection recovery a session lives as long as each of its connections. */
static bool tcm_isc_session_leave(struct tcm_isc_session *isess, struct tcm_isc_conn *conn)
{
	bool last;

	spin_lock(&isess->lock);
	list_del_init(&conn->sess_node);
	last = !--isess->nr_conns;
	if (last)
		isess->closed = true;
	else if (!conn->alone && conn->erl < 2)
		tcm_isc_kill_conns(isess, NULL);
	spin_unlock(&isess->lock);
	wake_up(&isess->left);
	return last;
}

/* An owner: why the session, should it end by that */
void tcm_isc_session_fault(struct tcm_isc_session *isess, enum tcm_isc_fault fault)
{
	if (!READ_ONCE(isess->fault))
		WRITE_ONCE(isess->fault, fault);
}

/* It ends, and neither side has asked for that (RFC 4544: iscsiInstSsnFailures). */
static void tcm_isc_session_failed(struct tcm_isc_session *isess)
{
	struct tcm_isc_stats *stats = &isess->itpg->target->stats;
	enum tcm_isc_fault fault = READ_ONCE(isess->fault) ?: TCM_ISC_FAULT_CXN;

	atomic_inc(&stats->fail_sess);
	if (fault == TCM_ISC_FAULT_CXN)
		atomic_inc(&stats->cxn_errors);
	mutex_lock(&tcm_isc_lock);
	stats->sess_fail_type = fault;
	strscpy(stats->sess_fail_name, isess->name, sizeof(stats->sess_fail_name));
	mutex_unlock(&tcm_isc_lock);
}

void tcm_isc_session_end(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;

	if (!tcm_isc_session_leave(isess, conn) || !isess->tsess)
		return;
	/* Counted before it is gone from the list: who sees it gone sees it counted, too. */
	if (conn->logged_out || isess->logged_out)
		atomic_inc(&isess->itpg->target->stats.normal_logouts);
	else
		atomic_inc(&isess->itpg->target->stats.abnormal_logouts);
	if (!conn->logged_out && !isess->logged_out && !isess->kill)
		tcm_isc_session_failed(isess);
	mutex_lock(&isess->itpg->lock);
	list_move_tail(&isess->node, &isess->itpg->ending);
	mutex_unlock(&isess->itpg->lock);
	tcm_session_close(isess->tsess, tcm_isc_released);
	mutex_lock(&isess->itpg->lock);
	list_del_init(&isess->node);
	mutex_unlock(&isess->itpg->lock);
	/* Pairs with tcm_isc_reinstate(). */
	smp_store_release(&isess->over, true);
	wake_up(&isess->left);
}

/* ---- slots ---- */

static struct tcm_isc_cmd *tcm_isc_slot_new(const struct tcm_isc_session *isess)
{
	struct tcm_isc_cmd *icmd = kzalloc(sizeof(*icmd), GFP_NOIO);

	if (!icmd)
		return NULL;
	icmd->sg = icmd->first_sg;
	icmd->sg_max = ARRAY_SIZE(icmd->first_sg);
	icmd->tx.kind = TCM_ISC_TX_CMD;
	icmd->delivered = !isess->reorder;
	return icmd;
}

/* One that is free, or @fresh; the slots are locked. */
static struct tcm_isc_cmd *tcm_isc_slot_pick(struct tcm_isc_session *isess,
					     struct tcm_isc_cmd *fresh)
{
	struct tcm_isc_cmd *icmd = list_first_entry_or_null(&isess->free, struct tcm_isc_cmd,
							    node);

	if (likely(icmd)) {
		list_del(&icmd->node);
		return icmd;
	}
	if (!fresh || isess->nr_slots == isess->max_slots)
		return NULL;
	fresh->slot = isess->nr_slots;
	isess->slots[fresh->slot] = fresh;
	/* Pairs with tcm_isc_walk_cmds(). */
	smp_store_release(&isess->nr_slots, fresh->slot + 1);
	return fresh;
}

struct tcm_isc_cmd *tcm_isc_slot_get(struct tcm_isc_session *isess, bool immediate)
{
	struct tcm_isc_cmd *icmd = NULL, *fresh = NULL;

	tcm_isc_slots_lock(isess);
	if (unlikely(list_empty(&isess->free) && isess->nr_slots < isess->max_slots)) {
		tcm_isc_slots_unlock(isess);
		fresh = tcm_isc_slot_new(isess);
		tcm_isc_slots_lock(isess);
	}
	if (!immediate || isess->nr_immediate < TCM_ISC_IMMEDIATE_SLOTS)
		icmd = tcm_isc_slot_pick(isess, fresh);
	if (likely(icmd)) {
		icmd->immediate = immediate;
		icmd->busy = true;
		isess->nr_used++;
		isess->nr_immediate += immediate;
	}
	tcm_isc_slots_unlock(isess);
	/* Another connection has given one back meanwhile. */
	if (unlikely(fresh && fresh != icmd))
		kfree(fresh);
	return icmd;
}

void tcm_isc_slot_put(struct tcm_isc_session *isess, struct tcm_isc_cmd *icmd)
{
	tcm_isc_slots_lock(isess);
	icmd->busy = false;
	/* Until it is a command again, by what it was nobody finds it. */
	icmd->tx.acked = true;
	isess->nr_used--;
	isess->nr_immediate -= icmd->immediate;
	/* The one used last is in the cache. */
	list_add(&icmd->node, &isess->free);
	tcm_isc_slots_unlock(isess);
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
