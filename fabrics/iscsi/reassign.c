// SPDX-License-Identifier: GPL-2.0-only
/*
 * Error recovery level 2 (RFC 7143 7.1.4.4, 7.2): a connection that is lost leaves its commands
 * behind. It stays as their holder, without a socket, until they are reassigned to another
 * connection or Time2Wait and Time2Retain have passed; the session lives as long.
 *
 * A holder's commands are its owner's and, under isess->order, those of the owner who takes them
 * over. One that a backend has is taken over when it comes back.
 */
#include <linux/slab.h>
#include "iscsi.h"

/* ---- a connection is lost ---- */

/* Should the commands wait for another connection? */
static bool tcm_isc_may_wait(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	bool may;

	lockdep_assert_held(&isess->order);
	spin_lock(&isess->lock);
	may = !isess->kill && !isess->logged_out && !isess->closed && !conn->logged_out;
	if (may) {
		conn->state = TCM_ISC_CS_LOST;
		clear_bit(TCM_ISC_CF_CLOSE, &conn->flags);
	}
	spin_unlock(&isess->lock);
	return may;
}

/* What was to be sent: commands are kept, the rest is lost. */
static void tcm_isc_lost_tx(struct tcm_isc_conn *conn)
{
	struct tcm_isc_tx *tx, *next;
	LIST_HEAD(all);

	list_splice_init(&conn->unacked, &all);
	list_splice_tail_init(&conn->sent, &all);
	list_splice_tail_init(&conn->txq, &all);
	list_for_each_entry_safe(tx, next, &all, node) {
		if (tx->kind != TCM_ISC_TX_AGAIN)
			continue;
		list_del(&tx->node);
		tcm_isc_again_done(conn, container_of(tx, struct tcm_isc_again, tx));
	}
	list_for_each_entry_safe(tx, next, &all, node) {
		list_del(&tx->node);
		if (tx->kind == TCM_ISC_TX_CMD)
			list_add_tail(&tx->node, &conn->unacked);
		else
			tcm_isc_msg_free(container_of(tx, struct tcm_isc_msg, tx));
	}
	tcm_isc_tx_reset(conn);
}

/* The owner, whose socket has gone: true when the connection goes on as a holder. */
bool tcm_isc_lost_begin(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_cmd *icmd = conn->rx.icmd;
	u32 secs = conn->nego.val[TCM_ISC_K_TIME2WAIT] + conn->nego.val[TCM_ISC_K_TIME2RETAIN];

	if (!tcm_isc_retain_seconds(conn))
		return false;
	/* Who takes commands over finds all of them where they belong. */
	mutex_lock(&isess->order);
	if (!tcm_isc_may_wait(conn)) {
		mutex_unlock(&isess->order);
		return false;
	}
	tcm_isc_order_drop(conn);
	conn->rx.icmd = NULL;
	if (icmd && tcm_isc_rx_command(conn))
		tcm_isc_cmd_discard(icmd);
	tcm_isc_lost_tx(conn);
	conn->lost_until = jiffies + secs * HZ;
	conn->tick_on = false;
	tcm_isc_tick_in(conn, secs * HZ);
	mutex_unlock(&isess->order);
	wake_up(&isess->left);
	return true;
}

/* A command has come back: to whom it now belongs, or to those that wait. */
static void tcm_isc_lost_done(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_conn *next = icmd->next;

	lockdep_assert_held(&isess->order);
	icmd->next = NULL;
	if (icmd->cmd.flags & TCM_CMD_NO_RESPONSE) {
		tcm_isc_cmd_put(conn, icmd);
		return;
	}
	spin_lock(&isess->lock);
	if (next && tcm_isc_session_has(isess, next)) {
		conn->nr_cmds--;
		icmd->conn = next;
		/* It counts the command when it takes it. */
		llist_add(&icmd->done, &next->given);
		/* It clears the bit before it looks at the list. */
		smp_mb__before_atomic();
		set_bit(TCM_ISC_CF_GIVEN, &next->flags);
		tcm_isc_conn_queue(next);
	} else {
		list_add_tail(&icmd->tx.node, &conn->unacked);
	}
	spin_unlock(&isess->lock);
}

/* Does a backend have commands that another connection was promised? */
static bool tcm_isc_lost_promised(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	unsigned int i, nr = smp_load_acquire(&isess->nr_slots); /* as in tcm_isc_walk_cmds() */
	bool promised = false;

	lockdep_assert_held(&isess->order);
	spin_lock(&isess->lock);
	for (i = 0; i < nr && !promised; i++) {
		const struct tcm_isc_cmd *icmd = isess->slots[i];

		promised = READ_ONCE(icmd->busy) && icmd->conn == conn && icmd->next &&
			tcm_isc_session_has(isess, icmd->next);
	}
	spin_unlock(&isess->lock);
	return promised;
}

static bool tcm_isc_lost_over(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	bool others;

	if (test_bit(TCM_ISC_CF_CLOSE, &conn->flags))
		return true;
	if (!time_before(jiffies, conn->lost_until)) {
		if (!tcm_isc_lost_promised(conn))
			return true;
		tcm_isc_tick_in(conn, HZ);
		return false;
	}
	spin_lock(&isess->lock);
	others = tcm_isc_session_live(isess);
	spin_unlock(&isess->lock);
	/* Until then the initiator may log it out for recovery. */
	return !conn->nr_cmds && others && conn->alone;
}

/* The holder's work; true when it is over and the rest is to go. */
bool tcm_isc_lost_run(struct tcm_isc_conn *conn)
{
	struct tcm_isc_session *isess = conn->isess;
	struct llist_node *batch;
	struct tcm_isc_cmd *icmd, *next;
	bool over;

	mutex_lock(&isess->order);
	if (test_and_clear_bit(TCM_ISC_CF_ABORTED, &conn->flags))
		tcm_isc_cmds_aborted(conn);
	if (test_and_clear_bit(TCM_ISC_CF_GIVEN, &conn->flags))
		tcm_isc_take_given(conn);
	batch = llist_reverse_order(llist_del_all(&conn->done));
	llist_for_each_entry_safe(icmd, next, batch, done)
		tcm_isc_lost_done(conn, icmd);
	if (test_and_clear_bit(TCM_ISC_CF_TICK, &conn->flags)) {
		conn->tick_on = false;
		if (time_before(jiffies, conn->lost_until))
			tcm_isc_tick_in(conn, conn->lost_until - jiffies);
	}
	over = tcm_isc_lost_over(conn);
	if (over)
		conn->state = TCM_ISC_CS_CLOSED;
	mutex_unlock(&isess->order);
	return over;
}

/* ---- and another one takes over ---- */

/* Reads go on behind what the initiator says it has (11.5.6); status is sent in any case. */
static void tcm_isc_resume_tx(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd, u32 exp_datasn)
{
	if (exp_datasn > icmd->ack_datasn && exp_datasn <= icmd->tx_datasn) {
		icmd->ack_off = tcm_isc_data_in_at(conn, icmd, exp_datasn);
		icmd->ack_datasn = exp_datasn;
	}
	tcm_isc_data_in_recut(conn, icmd);
	icmd->tx_off = icmd->ack_off;
	icmd->tx_datasn = icmd->ack_datasn;
	icmd->built = false;
	icmd->apart = false;
	icmd->snack_tag = 0;
	icmd->ack_tag = 0;
	list_add_tail(&icmd->tx.node, &conn->txq);
}

static void tcm_isc_resume(struct tcm_isc_conn *conn, struct tcm_isc_cmd *icmd, u32 exp_datasn)
{
	bool data = icmd->phase != TCM_ISC_PH_NONE;

	lockdep_assert_held(&conn->isess->order);
	icmd->conn->nr_cmds--;
	conn->nr_cmds++;
	icmd->conn = conn;
	if (!data) {
		list_del(&icmd->tx.node);
		tcm_isc_resume_tx(conn, icmd, exp_datasn);
		return;
	}
	list_del(&icmd->node);
	icmd->retries = 0;
	tcm_isc_await_data(conn, icmd);
	tcm_isc_data_again(conn, icmd);
	/* An abort that still told the former connection */
	if (tcm_cmd_is_aborted(&icmd->cmd))
		set_bit(TCM_ISC_CF_ABORTED, &conn->flags);
}

static bool tcm_isc_holds(const struct tcm_isc_conn *old, const struct tcm_isc_cmd *icmd)
{
	const struct tcm_isc_tx *tx;
	const struct tcm_isc_cmd *pos;

	list_for_each_entry(tx, &old->unacked, node)
		if (tx == &icmd->tx)
			return true;
	list_for_each_entry(pos, &old->waiting, node)
		if (pos == icmd)
			return true;
	return false;
}

/* The task with this tag, and whether the connection it is allegiant to is a holder */
static struct tcm_isc_cmd *tcm_isc_find_lost(struct tcm_isc_session *isess, __be32 itt, bool *lost)
{
	unsigned int i, nr = smp_load_acquire(&isess->nr_slots); /* as in tcm_isc_walk_cmds() */
	struct tcm_isc_cmd *found = NULL;
	struct tcm_isc_conn *conn;

	*lost = false;
	for (i = 0; i < nr; i++) {
		struct tcm_isc_cmd *icmd = isess->slots[i];

		if (!READ_ONCE(icmd->busy) || tcm_isc_is_acked(icmd) ||
		    icmd->cmd.tag != (__force u32)itt)
			continue;
		spin_lock(&isess->lock);
		list_for_each_entry(conn, &isess->conns, sess_node)
			if (conn == READ_ONCE(icmd->conn)) {
				found = icmd;
				*lost = conn->state == TCM_ISC_CS_LOST;
			}
		spin_unlock(&isess->lock);
		if (*lost)
			break;
	}
	return found;
}

/* Has a connection that is still there been promised it? */
static bool tcm_isc_is_promised(struct tcm_isc_session *isess, const struct tcm_isc_cmd *icmd)
{
	bool promised;

	lockdep_assert_held(&isess->order);
	spin_lock(&isess->lock);
	promised = icmd->next && tcm_isc_session_has(isess, icmd->next);
	spin_unlock(&isess->lock);
	return promised;
}

/* Aborted, and nobody is to be told: its holder has only not looked yet. */
static bool tcm_isc_is_aborted(const struct tcm_isc_cmd *icmd)
{
	return (atomic_read(&icmd->cmd.state) & (TCM_ST_ABORTED | TCM_ST_TAS)) == TCM_ST_ABORTED;
}

/*
 * TASK REASSIGN (7.2.2): the response goes first, as no data may come for a task that the initiator
 * does not know to be back.
 */
void tcm_isc_reassign(struct tcm_isc_conn *conn, const struct tcm_isc_tmf *req,
		      struct tcm_isc_msg *msg)
{
	struct tcm_isc_session *isess = conn->isess;
	struct tcm_isc_cmd *icmd;
	bool lost;

	msg->bhs.itt = req->itt;
	msg->bhs.b2 = TCM_ISC_TMF_RSP_COMPLETE;
	if (conn->erl < 2) {
		msg->bhs.b2 = TCM_ISC_TMF_RSP_NO_REASSIGN;
		tcm_isc_msg_send(conn, msg);
		return;
	}
	mutex_lock(&isess->order);
	icmd = tcm_isc_find_lost(isess, req->ref_itt, &lost);
	if (!icmd || tcm_isc_is_aborted(icmd))
		msg->bhs.b2 = TCM_ISC_TMF_RSP_NO_TASK;
	else if (!lost || tcm_isc_is_promised(isess, icmd))
		msg->bhs.b2 = TCM_ISC_TMF_RSP_ALLEGIANT;
	tcm_isc_msg_send(conn, msg);
	if (msg->bhs.b2 == TCM_ISC_TMF_RSP_COMPLETE) {
		if (tcm_isc_holds(icmd->conn, icmd))
			tcm_isc_resume(conn, icmd, be32_to_cpu(req->exp_datasn));
		else
			icmd->next = conn;
		/* It may hold nothing any more. */
		tcm_isc_lost_wake(isess);
	}
	mutex_unlock(&isess->order);
}

/* The owner: commands that a holder had, and that have come back from their backends */
void tcm_isc_take_given(struct tcm_isc_conn *conn)
{
	struct llist_node *batch = llist_reverse_order(llist_del_all(&conn->given));
	struct tcm_isc_cmd *icmd, *next;

	llist_for_each_entry_safe(icmd, next, batch, done) {
		conn->nr_cmds++;
		llist_add(&icmd->done, &conn->done);
	}
}

/* Holders look at what they have. */
void tcm_isc_lost_wake(struct tcm_isc_session *isess)
{
	struct tcm_isc_conn *conn;

	spin_lock(&isess->lock);
	list_for_each_entry(conn, &isess->conns, sess_node)
		if (conn->state == TCM_ISC_CS_LOST)
			tcm_isc_conn_queue(conn);
	spin_unlock(&isess->lock);
}
